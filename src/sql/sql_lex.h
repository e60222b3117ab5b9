/* sql_lex.h - Snowflake SQL cut into tokens, by Snowflake's own lexical rules.
 *
 * Borrows the text, allocates nothing, never looks further than the token at hand.  What the
 * rules leave open (and two readers could therefore read differently) is an error, not a guess:
 * the read-only guard stands on this.  Any process. */
#ifndef SQL_LEX_H
#define SQL_LEX_H

#include "buf.h"
#include "str.h"

enum sql_token_kind {
    SQL_END,           /* nothing but blanks and comments was left                       */
    SQL_ERROR,         /* see sql_token.error; the lexer stays here                      */
    SQL_NAME,          /* select, my_table: keyword or unquoted name                     */
    SQL_QUOTED_NAME,   /* "My ""Table""": never a keyword                                */
    SQL_STRING,        /* 'it''s', with backslash escapes                                */
    SQL_DOLLAR_STRING, /* $$text$$, no escapes                                           */
    SQL_NUMBER,        /* 12, 1.5, .5, 1e-3: never signed                                */
    SQL_VARIABLE,      /* $name, a session variable                                      */
    SQL_POSITION,      /* $1, a column by position                                       */
    SQL_BIND,          /* ?, :name, :1 (a path's colon is an OPERATOR)                   */
    SQL_STAGE,         /* @stage/path, @~, @%table, @"q"."s"                             */
    SQL_OPERATOR,      /* see sql_token.op                                               */
};

/* sql_token.op of a one-character operator is that character. */
enum sql_op {
    SQL_OP_CAST = 256, /* ::  */
    SQL_OP_ASSIGN,     /* :=  */
    SQL_OP_ARROW,      /* ->  */
    SQL_OP_FLOW,       /* ->> */
    SQL_OP_NAMED,      /* =>  */
    SQL_OP_CONCAT,     /* ||  */
    SQL_OP_NE,         /* <> and != */
    SQL_OP_LE,         /* <=  */
    SQL_OP_GE,         /* >=  */
    SQL_OP_POWER,      /* **  */
};

/* Why a text is no SQL: X(symbol, half a sentence for the caller) */
#define SQL_LEX_ERRORS(X)                                                                          \
    X(NONE, "no error")                                                                            \
    X(STRING_OPEN, "a string that is not closed (write '' or \\' for a quote inside it)")          \
    X(DOLLAR_OPEN, "a $$ string that is not closed")                                               \
    X(QUOTED_OPEN, "a quoted name that is not closed (write \"\" for a quote inside it)")          \
    X(QUOTED_EMPTY, "an empty quoted name")                                                        \
    X(QUOTED_BACKSLASH, "a backslash before a quote in a quoted name")                             \
    X(COMMENT_OPEN, "a comment that is not closed by */")                                          \
    X(COMMENT_SLASH, "a comment that begins with /*/ (put a blank after /*)")                      \
    X(COMMENT_STRAY, "a */ outside a comment (comments do not nest)")                              \
    X(COMMENT_BREAK, "a line comment with an unusual line break in it (end it with a newline)")    \
    X(NAME_LONG, "a name of more than 255 characters")                                             \
    X(NAME_DOLLARS, "a name with $$ in it (put a blank before a $$ string)")                       \
    X(NUMBER_DOLLAR, "a $ directly behind a number (put a blank between them)")                    \
    X(POSITION, "a column position such as $1 with more characters stuck to it")                   \
    X(STAGE, "a stage path that can be read two ways (write it whole in quotes: '@stage/path')")   \
    X(UTF8, "bytes that are not valid UTF-8")                                                      \
    X(NUL, "a NUL byte")                                                                           \
    X(BLANK, "a character other than ASCII outside quotes (names with such letters, "              \
             "and typographic blanks or quotes, need double quotes or plain ASCII)")               \
    X(UNKNOWN, "a character that has no meaning in Snowflake SQL outside quotes")

enum sql_lex_error {
#define SQL_LEX_ENUM(sym, text) SQL_LEX_##sym,
    SQL_LEX_ERRORS(SQL_LEX_ENUM)
#undef SQL_LEX_ENUM
        SQL_LEX__COUNT
};

struct sql_token {
    enum sql_token_kind kind;
    int op;                   /* OPERATOR: a character or an enum sql_op                 */
    enum sql_lex_error error; /* ERROR only                                              */
    struct str raw;           /* as written, quotes included; lies in the text           */
    size_t offset;            /* of raw in the text                                      */
    unsigned line, column;    /* from 1; a column is a character, not a byte             */
};

/* On the stack; copy it to look ahead. */
struct sql_lexer {
    struct str sql;
    size_t pos;
    size_t line_start; /* offset of the current line                                     */
    size_t wide;       /* bytes of that line that do not begin a character               */
    unsigned line;
    bool operand; /* the last token can end an operand: tells a path's colon from :bind  */
    bool after_name;
    struct sql_token stuck; /* the error found, once there is one                        */
};

/* The text must outlive the lexer and its tokens.  Any bytes are fine, NULL with length 0 too. */
void sql_lex_init(struct sql_lexer *l, struct str sql);

/* The next token; false when it is END or ERROR, and then again for ever. */
bool sql_lex_next(struct sql_lexer *l, struct sql_token *t);

const char *sql_lex_error_text(enum sql_lex_error e);

/* An unquoted name that spells this word, in any case. */
bool sql_token_is(const struct sql_token *t, const char *word);
/* An OPERATOR with this op. */
static inline bool
sql_token_is_op(const struct sql_token *t, int op)
{
    return t->kind == SQL_OPERATOR && t->op == op;
}

/* What a NAME, QUOTED_NAME, STRING or DOLLAR_STRING stands for: names upper-cased or unquoted,
 * strings with their escapes decoded.  The result is never longer than t->raw.  Returns its
 * length, or -1: other kind, `size` too small, or an escape that Snowflake's documentation
 * leaves open (\x or \u without its digits, half a surrogate pair). */
long sql_decode(const struct sql_token *t, char *to, size_t size);

/* The same, appended to `out`.  0, or -1 with nothing appended. */
int sql_name_fold(struct buf *out, const struct sql_token *t);    /* NAME or QUOTED_NAME      */
int sql_string_value(struct buf *out, const struct sql_token *t); /* STRING or DOLLAR_STRING  */

#endif
