/* read.h - the reader of the Snowflake dialect: tokens in, DuckDB SQL out.
 *
 * Private to translate.c and the read_*.c files.  Every read_*() function takes what it is named
 * after from the tokens and returns DuckDB text in the arena.  Whatever goes wrong leaves through
 * read_fail() straight to translate(); nothing here owns anything but arena memory. */
#ifndef EMULATOR_READ_H
#define EMULATOR_READ_H

#include "emulator/translate.h"
#include "sql/sql_lex.h"

#include <setjmp.h>

struct scope { /* a name that a WITH introduced */
    const struct scope *outer;
    const char *name;
};

struct reader {
    struct arena *arena;
    const struct engine_job *job;
    const struct sites *known;
    struct plan *plan;
    struct failure *f;
    jmp_buf *out;
    const struct sql_token *tokens; /* the last one is SQL_END */
    size_t at, depth;
    unsigned sites, next_bind;
    unsigned select, selects; /* number of the SELECT being read, and of those begun so far */
    struct {
        const char *text;
        unsigned select;
    } site_keys[SITE_MAX]; /* equal expressions of one SELECT share a site: GROUP BY needs that */
    const struct scope *ctes;
    bool definition; /* inside a view: binds are not allowed */
};

struct expr {
    const char *sql;
    size_t from, to;    /* tokens */
    const char *column; /* exact name when it is nothing but a column */
    bool integer;       /* a literal without point or exponent */
    bool text;          /* a string literal */
    bool probed;        /* holds a probe: its own type is not known yet */
};

/* ---- leaving -------------------------------------------------------------------------- */
void read_fail(struct reader *r) __attribute__((noreturn)); /* r->f is set */
void read_syntax(struct reader *r) __attribute__((noreturn));
void read_unsupported(struct reader *r, const char *feature) __attribute__((noreturn));
void read_no_memory(struct reader *r) __attribute__((noreturn));

void read_deeper(struct reader *r); /* then r->depth-- on the way back */

/* ---- text ----------------------------------------------------------------------------- */
const char *read_text(struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
const char *read_copy(struct reader *r, struct str s);
const char *read_quote(struct reader *r, struct str s);        /* 'text' for DuckDB            */
const char *read_ident(struct reader *r, const char *exact);   /* "NAME", spelled as names.h says */
const char *read_mangled(struct reader *r, const char *exact); /* the same as a string literal */
const char *read_upper(struct reader *r, struct str s);

/* ---- tokens --------------------------------------------------------------------------- */
const struct sql_token *read_peek(const struct reader *r, size_t ahead);
bool read_is(const struct reader *r, const char *word);
bool read_is2(const struct reader *r, const char *first, const char *second);
bool read_word(struct reader *r, const char *word);   /* taken when it is there */
bool read_words(struct reader *r, const char *words); /* all of "GROUP BY" or none */
void read_need(struct reader *r, const char *word);
bool read_is_op(const struct reader *r, int op);
bool read_op(struct reader *r, int op);
void read_need_op(struct reader *r, int op);
bool read_is_name(const struct reader *r); /* any identifier, quoted or not */
const char *read_name(struct reader *r);   /* exact: upper-cased or unquoted */
const char *read_string(struct reader *r); /* value of a string literal */
uint64_t read_count(struct reader *r);     /* a whole number */
bool read_literal_string(const struct reader *r);
/* The statement's own text from token `from` up to before token `to`. */
struct str read_source(const struct reader *r, size_t from, size_t to);
/* Position behind the parenthesis that closes the one at `at`. */
size_t read_behind_parens(struct reader *r, size_t at);

/* ---- object names --------------------------------------------------------------------- */
struct object {
    const char *database, *schema, *name; /* exact; NULL where the level is above the object */
};
/* name, schema.name or db.schema.name, completed from the context (090105, 090106 without one). */
struct object read_object(struct reader *r);
struct object read_schema_name(struct reader *r); /* name stays NULL */
const char *read_object_sql(struct reader *r, const struct object *o);
const char *read_object_shown(struct reader *r, const struct object *o);
/* Notes a table the statement reads, for the words of a failure. */
void read_note_table(struct reader *r, const struct object *o);
/* "database_name = .. AND schema_name = .." with the name under `column` unless that is NULL. */
const char *read_object_where(struct reader *r, const struct object *o, const char *column);

/* ---- types ---------------------------------------------------------------------------- */
struct sql_type {
    const char *duck, *declared;
    enum site_type kind;
    int scale;
    uint64_t length; /* VARCHAR(n): to cut to; 0: none */
};
struct sql_type read_type(struct reader *r);
struct sql_type read_type_of(enum site_type kind);

/* ---- expressions, queries, statements ------------------------------------------------- */
struct expr read_expr(struct reader *r);
struct expr read_predicate(struct reader *r);          /* what AND, OR and NOT join */
struct expr read_sum(struct reader *r);                /* what comparisons compare */
bool read_literal(struct reader *r, struct expr *out); /* false: none is next */
/* Text that stands for the tokens from `from` to here. */
struct expr read_plain(const struct reader *r, size_t from, const char *sql);
const char *read_expr_list(struct reader *r); /* a, b, c */
struct expr read_call(struct reader *r);      /* at a function's name */
const char *read_order_by(struct reader *r);  /* behind ORDER BY */
const char *read_over(struct reader *r, const char *function);
const char *read_query(struct reader *r); /* [WITH] SELECT ... */
bool read_starts_query(const struct reader *r, size_t ahead);
const char *read_from_item(struct reader *r);

/* Casts and type-dependent pieces (read_cast.c). */
struct expr read_cast(struct reader *r, struct expr e, struct sql_type to, bool try_only);
/* What probing learnt about the arguments, or NULL: then *probe is the text to use instead. */
const struct site *read_site(struct reader *r, enum site_type returns, const struct expr *args,
    size_t n, const char **probe);
const char *read_to_text(struct reader *r, const struct expr *e, enum site_type type);

const char *read_json_value(struct reader *r, struct expr e, bool *probed);
/* a || b: numbers and times become text as Snowflake writes them. */
struct expr read_concat(struct reader *r, struct expr a, struct expr b);

bool read_is_reserved(const struct sql_token *t); /* cannot be an alias without AS */

/* A call taken apart: what the special functions work on. */
struct call {
    const char *name;
    struct expr args[100];
    size_t n, from;
    const char *part;    /* DATEADD(day, ...): the first argument, when it is a word */
    bool distinct, star; /* f(DISTINCT ...), f(*) */
    const char *within;  /* WITHIN GROUP (ORDER BY this) */
    bool ignore_nulls;
    bool probed; /* out: the text is a probe */
};
/* DuckDB text with the place for OVER marked by OVER_MARK where a window may follow, or NULL: not
 * one of theirs. */
#define OVER_MARK "\001"
const char *read_special(struct reader *r, struct call *c);
const char *read_special_date(struct reader *r, struct call *c);
bool read_takes_part(const char *function); /* its first argument is a date part */

/* Whole statements: fill r->plan. */
void read_show(struct reader *r);
void read_describe(struct reader *r);
void read_create(struct reader *r);
void read_drop(struct reader *r);
void read_alter(struct reader *r);
void read_comment(struct reader *r);
void read_insert(struct reader *r);
void read_update(struct reader *r);
void read_delete(struct reader *r);
void read_truncate(struct reader *r);
void read_explain(struct reader *r);
void read_system_call(struct reader *r);
/* The statement fails so unless this query counts something. */
void read_check(
    struct reader *r, const char *sql, const char *code, const char *sqlstate, const char *message);
/* 002043 unless the schema (or database) exists. */
void read_check_scope(struct reader *r, const struct object *o);
void read_after(struct reader *r, const char *sql); /* bookkeeping behind the statement */

/* INFORMATION_SCHEMA.x of a database as a table, or NULL: no such view. */
const char *read_information_schema(struct reader *r, const char *database, const char *view);

#endif
