/* sql_scan.c - the parts of SQL in which any character may stand: comments, strings, quoted names.
 *
 * Runs in the workers and in the emulator.  Must keep the lexer's line and column right, and stop
 * at bytes that are not UTF-8. */
#include "sql/sql_scan.h"

void
sql_scan_line(struct sql_lexer *l)
{
    l->line++;
    l->line_start = l->pos;
    l->wide = 0;
}

/* Steps over one character inside quotes or a comment, keeping the position in lines. */
static enum sql_lex_error
step(struct sql_lexer *l)
{
    unsigned char c = (unsigned char)l->sql.p[l->pos];

    if (c < 0x80) {
        l->pos++;
        if (c == '\n')
            sql_scan_line(l);
        return SQL_LEX_NONE;
    }
    size_t n = utf8_char(l->sql.p + l->pos, l->sql.n - l->pos);
    if (n == 0)
        return SQL_LEX_UTF8;
    l->pos += n;
    l->wide += n - 1;
    return SQL_LEX_NONE;
}

/* NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR: line ends to some readers, not to others. */
static bool
is_odd_break(const struct sql_lexer *l)
{
    unsigned char c = sql_scan_peek(l, 0);

    if (c == '\v' || c == '\f')
        return true;
    if (c == '\r')
        return sql_scan_peek(l, 1) != '\n';
    if (c == 0xC2)
        return sql_scan_peek(l, 1) == 0x85;
    return c == 0xE2 && sql_scan_peek(l, 1) == 0x80 &&
           (sql_scan_peek(l, 2) == 0xA8 || sql_scan_peek(l, 2) == 0xA9);
}

enum sql_lex_error
sql_scan_line_comment(struct sql_lexer *l)
{
    while (l->pos < l->sql.n && l->sql.p[l->pos] != '\n') {
        if (is_odd_break(l))
            return SQL_LEX_COMMENT_BREAK;
        if (sql_scan_peek(l, 0) == 0)
            return SQL_LEX_NUL;
        enum sql_lex_error e = step(l);
        if (e != SQL_LEX_NONE)
            return e;
    }
    return SQL_LEX_NONE;
}

enum sql_lex_error
sql_scan_block_comment(struct sql_lexer *l)
{
    l->pos += 2;
    if (sql_scan_peek(l, 0) == '/') /* whether the star may serve twice is not documented */
        return SQL_LEX_COMMENT_SLASH;
    while (l->pos < l->sql.n) {
        if (l->sql.p[l->pos] == '*' && sql_scan_peek(l, 1) == '/') {
            l->pos += 2;
            return SQL_LEX_NONE;
        }
        if (l->sql.p[l->pos] == 0)
            return SQL_LEX_NUL;
        enum sql_lex_error e = step(l);
        if (e != SQL_LEX_NONE)
            return e;
    }
    return SQL_LEX_COMMENT_OPEN;
}

enum sql_lex_error
sql_scan_string(struct sql_lexer *l)
{
    l->pos++;
    while (l->pos < l->sql.n) {
        unsigned char c = (unsigned char)l->sql.p[l->pos];
        if (c == '\'') {
            l->pos++;
            if (sql_scan_peek(l, 0) != '\'')
                return SQL_LEX_NONE;
            l->pos++;
            continue;
        }
        if (c == '\\') {
            l->pos++;
            if (l->pos == l->sql.n)
                break;
        }
        enum sql_lex_error e = step(l);
        if (e != SQL_LEX_NONE)
            return e;
    }
    return SQL_LEX_STRING_OPEN;
}

enum sql_lex_error
sql_scan_dollar_string(struct sql_lexer *l)
{
    l->pos += 2;
    while (l->pos < l->sql.n) {
        if (l->sql.p[l->pos] == '$' && sql_scan_peek(l, 1) == '$') {
            l->pos += 2;
            return SQL_LEX_NONE;
        }
        enum sql_lex_error e = step(l);
        if (e != SQL_LEX_NONE)
            return e;
    }
    return SQL_LEX_DOLLAR_OPEN;
}

enum sql_lex_error
sql_scan_quoted_name(struct sql_lexer *l)
{
    unsigned chars = 0;

    for (l->pos++; l->pos < l->sql.n; chars++) {
        unsigned char c = (unsigned char)l->sql.p[l->pos];
        if (c == '"') {
            l->pos++;
            if (sql_scan_peek(l, 0) != '"')
                return chars == 0                    ? SQL_LEX_QUOTED_EMPTY
                       : chars > SQL_SCAN_NAME_CHARS ? SQL_LEX_NAME_LONG
                                                     : SQL_LEX_NONE;
        } else if (c == '\\' && sql_scan_peek(l, 1) == '"') {
            return SQL_LEX_QUOTED_BACKSLASH;
        } else if (c == 0) {
            return SQL_LEX_NUL;
        }
        enum sql_lex_error e = step(l);
        if (e != SQL_LEX_NONE)
            return e;
    }
    return SQL_LEX_QUOTED_OPEN;
}
