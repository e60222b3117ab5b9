/* sql_scan.h - comments, strings and quoted names (inside the lexer).
 *
 * Each scanner begins at its first character and moves l->pos behind its last. */
#ifndef SQL_SCAN_H
#define SQL_SCAN_H

#include "sql/sql_lex.h"

enum { SQL_SCAN_NAME_CHARS = 255 };

/* The byte at pos + ahead, or 0 behind the end (a NUL byte in the text is an error anyway). */
static inline unsigned char
sql_scan_peek(const struct sql_lexer *l, size_t ahead)
{
    return ahead < l->sql.n - l->pos ? (unsigned char)l->sql.p[l->pos + ahead] : 0;
}

static inline bool
sql_scan_at_comment(const struct sql_lexer *l)
{
    unsigned char c = sql_scan_peek(l, 0);

    if (c != '-' && c != '/')
        return false;
    return sql_scan_peek(l, 1) == c || (c == '/' && sql_scan_peek(l, 1) == '*');
}

/* A line begins at l->pos. */
void sql_scan_line(struct sql_lexer *l);

enum sql_lex_error sql_scan_line_comment(struct sql_lexer *l);
enum sql_lex_error sql_scan_block_comment(struct sql_lexer *l);
enum sql_lex_error sql_scan_string(struct sql_lexer *l);
enum sql_lex_error sql_scan_dollar_string(struct sql_lexer *l);
enum sql_lex_error sql_scan_quoted_name(struct sql_lexer *l);

#endif
