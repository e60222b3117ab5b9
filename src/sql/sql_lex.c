/* sql_lex.c - cuts Snowflake SQL into tokens (names, strings, operators, comments skipped).
 *
 * Runs in the workers and in the emulator.  Must never allocate, read behind the text, or accept
 * what Snowflake could read in another way than we do. */
#include "sql/sql_lex.h"

#include "must.h"
#include "sql/sql_scan.h"

enum class { /* C_LETTER and C_DIGIT differ in the last bit only */
    C_OTHER, /* an error outside quotes */
    C_BLANK,
    C_LETTER, /* A-Z a-z _ */
    C_DIGIT,
    C_OP,     /* part of an operator */
    C_SPECIAL /* quotes, $, @, ?, :, ., /, - */
};

static const unsigned char class_of[256] = {
    [' '] = C_BLANK,
    ['\t'] = C_BLANK,
    ['\n'] = C_BLANK,
    ['\r'] = C_BLANK,
    ['\f'] = C_BLANK,
    ['\v'] = C_BLANK,
    ['A' ... 'Z'] = C_LETTER,
    ['a' ... 'z'] = C_LETTER,
    ['_'] = C_LETTER,
    ['0' ... '9'] = C_DIGIT,
    ['('] = C_OP,
    [')'] = C_OP,
    ['['] = C_OP,
    [']'] = C_OP,
    ['{'] = C_OP,
    ['}'] = C_OP,
    [','] = C_OP,
    [';'] = C_OP,
    ['+'] = C_OP,
    ['*'] = C_OP,
    ['%'] = C_OP,
    ['^'] = C_OP,
    ['|'] = C_OP,
    ['='] = C_OP,
    ['<'] = C_OP,
    ['>'] = C_OP,
    ['!'] = C_OP,
    ['-'] = C_OP,
    ['/'] = C_OP,
    ['\''] = C_SPECIAL,
    ['"'] = C_SPECIAL,
    ['$'] = C_SPECIAL,
    ['@'] = C_SPECIAL,
    ['?'] = C_SPECIAL,
    [':'] = C_SPECIAL,
    ['.'] = C_SPECIAL,
};

void
sql_lex_init(struct sql_lexer *l, struct str sql)
{
    *l = (struct sql_lexer){ .sql = sql, .line = 1 };
}

const char *
sql_lex_error_text(enum sql_lex_error e)
{
    static const char *const texts[] = {
#define SQL_LEX_TEXT(sym, text) [SQL_LEX_##sym] = (text),
        SQL_LEX_ERRORS(SQL_LEX_TEXT)
#undef SQL_LEX_TEXT
    };
    must((size_t)e < NELEM(texts));
    return texts[e];
}

static inline bool
is_name_char(unsigned char c)
{
    return (class_of[c] & ~1) == C_LETTER || c == '$';
}

/* Moves to the first byte of the next token.  On an error *start says where the trouble begins. */
static enum sql_lex_error
skip_blanks(struct sql_lexer *l, struct sql_token *t)
{
    for (;;) {
        while (l->pos < l->sql.n && class_of[(unsigned char)l->sql.p[l->pos]] == C_BLANK) {
            if (l->sql.p[l->pos++] == '\n')
                sql_scan_line(l);
        }
        t->offset = l->pos;
        t->line = l->line;
        t->column = (unsigned)(l->pos - l->line_start - l->wide + 1);
        if (!sql_scan_at_comment(l))
            return SQL_LEX_NONE;
        enum sql_lex_error e =
            sql_scan_peek(l, 1) == '*' ? sql_scan_block_comment(l) : sql_scan_line_comment(l);
        if (e != SQL_LEX_NONE)
            return e;
    }
}

static enum sql_lex_error
lex_name(struct sql_lexer *l)
{
    const char *p = l->sql.p;
    size_t start = l->pos, end = l->sql.n, i = start;

    for (; i < end && is_name_char((unsigned char)p[i]); i++) {
        if (p[i] == '$' && i + 1 < end && p[i + 1] == '$')
            return SQL_LEX_NAME_DOLLARS;
    }
    l->pos = i;
    return i - start > SQL_SCAN_NAME_CHARS ? SQL_LEX_NAME_LONG : SQL_LEX_NONE;
}

static void
skip_digits(struct sql_lexer *l)
{
    while (class_of[sql_scan_peek(l, 0)] == C_DIGIT)
        l->pos++;
}

static enum sql_lex_error
lex_number(struct sql_lexer *l)
{
    skip_digits(l);
    if (sql_scan_peek(l, 0) == '.') {
        l->pos++;
        skip_digits(l);
    }
    if (sql_scan_peek(l, 0) == 'e' || sql_scan_peek(l, 0) == 'E') {
        size_t sign = sql_scan_peek(l, 1) == '+' || sql_scan_peek(l, 1) == '-';
        if (class_of[sql_scan_peek(l, 1 + sign)] == C_DIGIT) {
            l->pos += 1 + sign;
            skip_digits(l);
        }
    }
    return sql_scan_peek(l, 0) == '$' ? SQL_LEX_NUMBER_DOLLAR : SQL_LEX_NONE;
}

static enum sql_lex_error
lex_dollar(struct sql_lexer *l, struct sql_token *t)
{
    unsigned char c = sql_scan_peek(l, 1);

    if (c == '$') {
        t->kind = SQL_DOLLAR_STRING;
        return sql_scan_dollar_string(l);
    }
    l->pos++;
    if (class_of[c] == C_LETTER) {
        t->kind = SQL_VARIABLE;
        return lex_name(l);
    }
    if (class_of[c] == C_DIGIT) {
        t->kind = SQL_POSITION;
        skip_digits(l);
        return is_name_char(sql_scan_peek(l, 0)) ? SQL_LEX_POSITION : SQL_LEX_NONE;
    }
    t->kind = SQL_OPERATOR; /* end of a row pattern: PATTERN (a b+ $) */
    t->op = '$';
    return SQL_LEX_NONE;
}

/* A path's or cast's colon, or a bind variable's.  Behind an operand it is a path; behind a word
 * it depends on the blanks, since only a parser knows whether that word is a column. */
static enum sql_lex_error
lex_colon(struct sql_lexer *l, struct sql_token *t, bool blank_before)
{
    unsigned char c = sql_scan_peek(l, 1);
    bool path = l->operand && !(l->after_name && blank_before);

    t->kind = SQL_OPERATOR;
    t->op = ':';
    if (c == ':' || c == '=') {
        t->op = c == ':' ? SQL_OP_CAST : SQL_OP_ASSIGN;
        l->pos += 2;
        return SQL_LEX_NONE;
    }
    l->pos++;
    if (path)
        return SQL_LEX_NONE;
    if (class_of[c] == C_LETTER) {
        t->kind = SQL_BIND;
        return lex_name(l);
    }
    if (class_of[c] == C_DIGIT) {
        t->kind = SQL_BIND;
        skip_digits(l);
        return is_name_char(sql_scan_peek(l, 0)) ? SQL_LEX_POSITION : SQL_LEX_NONE;
    }
    return SQL_LEX_NONE;
}

static bool
is_path_char(unsigned char c)
{
    return is_name_char(c) || c == '.' || c == '/' || c == '-' || c == '=' || c == '+' || c == '%';
}

/* @~/a, @%table/a, @db."Sch".stage/a.  Comment marks and $$ in a path are refused: there the
 * path, and with it the rest of the statement, could be read in two ways. */
static enum sql_lex_error
lex_stage(struct sql_lexer *l)
{
    size_t start;

    l->pos++;
    if (sql_scan_peek(l, 0) == '~' || sql_scan_peek(l, 0) == '%')
        l->pos++;
    start = l->pos;
    while (l->pos < l->sql.n) {
        unsigned char c = sql_scan_peek(l, 0);
        if (c == '"' && (l->pos == start || l->sql.p[l->pos - 1] == '.')) {
            enum sql_lex_error e = sql_scan_quoted_name(l);
            if (e != SQL_LEX_NONE)
                return e;
            continue;
        }
        if (!is_path_char(c))
            break;
        if (sql_scan_at_comment(l) || (c == '$' && sql_scan_peek(l, 1) == '$') ||
            (c == '=' && sql_scan_peek(l, 1) == '>'))
            return SQL_LEX_STAGE;
        l->pos++;
    }
    if (l->pos == start && l->sql.p[start - 1] != '~')
        return SQL_LEX_STAGE;
    unsigned char c = sql_scan_peek(l, 0);
    return c == '"' || c == '\'' || c == '*' || c == '\\' || c == '@' ? SQL_LEX_STAGE
                                                                      : SQL_LEX_NONE;
}

/* The operator of two characters, or 0. */
static int
long_operator(unsigned char c, unsigned char d)
{
    switch (c) {
    case '-':
        return d == '>' ? SQL_OP_ARROW : 0;
    case '=':
        return d == '>' ? SQL_OP_NAMED : 0;
    case '|':
        return d == '|' ? SQL_OP_CONCAT : 0;
    case '<':
        return d == '>' ? SQL_OP_NE : d == '=' ? SQL_OP_LE : 0;
    case '!':
        return d == '=' ? SQL_OP_NE : 0;
    case '>':
        return d == '=' ? SQL_OP_GE : 0;
    case '*':
        return d == '*' ? SQL_OP_POWER : 0;
    default:
        return 0;
    }
}

static enum sql_lex_error
lex_operator(struct sql_lexer *l, struct sql_token *t)
{
    unsigned char c = sql_scan_peek(l, 0);

    t->kind = SQL_OPERATOR;
    t->op = long_operator(c, sql_scan_peek(l, 1));
    l->pos += t->op != 0 ? 2 : 1;
    if (t->op == 0)
        t->op = c;
    if (t->op == SQL_OP_ARROW && sql_scan_peek(l, 0) == '>') {
        t->op = SQL_OP_FLOW;
        l->pos++;
    }
    if (t->op == '*' && sql_scan_peek(l, 0) == '/' && sql_scan_peek(l, 1) != '*' &&
        sql_scan_peek(l, 1) != '/')
        return SQL_LEX_COMMENT_STRAY;
    return SQL_LEX_NONE;
}

static enum sql_lex_error
lex_special(struct sql_lexer *l, struct sql_token *t, bool blank_before)
{
    switch (sql_scan_peek(l, 0)) {
    case '\'':
        t->kind = SQL_STRING;
        return sql_scan_string(l);
    case '"':
        t->kind = SQL_QUOTED_NAME;
        return sql_scan_quoted_name(l);
    case '$':
        return lex_dollar(l, t);
    case '@':
        t->kind = SQL_STAGE;
        return lex_stage(l);
    case ':':
        return lex_colon(l, t, blank_before);
    case '?':
        t->kind = SQL_BIND;
        l->pos++;
        return SQL_LEX_NONE;
    default: /* '.' */
        if (class_of[sql_scan_peek(l, 1)] == C_DIGIT && (!l->operand || blank_before)) {
            t->kind = SQL_NUMBER;
            return lex_number(l);
        }
        t->kind = SQL_OPERATOR;
        t->op = '.';
        l->pos++;
        return SQL_LEX_NONE;
    }
}

static enum sql_lex_error
lex_unknown(const struct sql_lexer *l)
{
    unsigned char c = sql_scan_peek(l, 0);

    if (c == 0)
        return SQL_LEX_NUL;
    if (c < 0x80)
        return SQL_LEX_UNKNOWN;
    return utf8_char(l->sql.p + l->pos, l->sql.n - l->pos) == 0 ? SQL_LEX_UTF8 : SQL_LEX_BLANK;
}

static bool
ends_operand(const struct sql_token *t)
{
    switch (t->kind) {
    case SQL_OPERATOR:
        return t->op == ')' || t->op == ']';
    case SQL_STAGE:
        return false;
    default:
        return true;
    }
}

bool
sql_lex_next(struct sql_lexer *l, struct sql_token *t)
{
    if (l->stuck.kind == SQL_ERROR) {
        *t = l->stuck;
        return false;
    }
    *t = (struct sql_token){ .kind = SQL_END };
    size_t was = l->pos;
    enum sql_lex_error e = skip_blanks(l, t);

    if (e == SQL_LEX_NONE && l->pos < l->sql.n) {
        switch (class_of[sql_scan_peek(l, 0)]) {
        case C_LETTER:
            t->kind = SQL_NAME;
            e = lex_name(l);
            break;
        case C_DIGIT:
            t->kind = SQL_NUMBER;
            e = lex_number(l);
            break;
        case C_OP:
            e = lex_operator(l, t);
            break;
        case C_SPECIAL:
            e = lex_special(l, t, t->offset != was);
            break;
        default:
            e = lex_unknown(l);
            break;
        }
    }
    t->raw = (struct str){ l->sql.p ? l->sql.p + t->offset : "", l->pos - t->offset };
    if (e != SQL_LEX_NONE) {
        t->kind = SQL_ERROR;
        t->error = e;
        l->stuck = *t;
        return false;
    }
    l->after_name = t->kind == SQL_NAME;
    l->operand = ends_operand(t);
    return t->kind != SQL_END;
}
