/* read.c - tokens and names for the reader of the dialect.
 *
 * Engine threads.  Must never copy a caller's text into SQL unquoted. */
#include "emulator/read.h"

#include "emulator/names.h"
#include "must.h"

#include <ctype.h>
#include <stdio.h>

void
read_fail(struct reader *r)
{
    must(r->f->code[0]);
    longjmp(*r->out, 1);
}

void
read_syntax(struct reader *r)
{
    const struct sql_token *t = read_peek(r, 0);

    failure_syntax(r->f, t->line, t->column, t->kind == SQL_END ? STR_NONE : t->raw);
    read_fail(r);
}

void
read_unsupported(struct reader *r, const char *feature)
{
    failure_unsupported(r->f, feature);
    read_fail(r);
}

void
read_no_memory(struct reader *r)
{
    failure_set(r->f, "001012", "54001", "SQL compilation error:\nthe statement is too large.");
    read_fail(r);
}

/* ---- text ----------------------------------------------------------------------------- */

const char *
read_text(struct reader *r, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_alloc(r->arena, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    if (!p)
        read_no_memory(r);
    return p;
}

const char *
read_copy(struct reader *r, struct str s)
{
    char *p = arena_copy(r->arena, s);

    if (!p)
        read_no_memory(r);
    return p;
}

const char *
read_quote(struct reader *r, struct str s)
{
    size_t extra = 3;

    for (size_t i = 0; i < s.n; i++)
        extra += s.p[i] == '\'';
    char *p = arena_alloc(r->arena, s.n + extra), *to = p;
    if (!p)
        read_no_memory(r);
    *to++ = '\'';
    for (size_t i = 0; i < s.n; i++) {
        *to++ = s.p[i];
        if (s.p[i] == '\'')
            *to++ = '\'';
    }
    *to++ = '\'';
    *to = '\0';
    return p;
}

static const char *
from_buf(struct reader *r, struct buf *b)
{
    char *p = b->failed ? NULL : arena_copy(r->arena, buf_str(b));

    buf_fini(b);
    if (!p)
        read_no_memory(r);
    return p;
}

const char *
read_ident(struct reader *r, const char *exact)
{
    struct buf b;

    buf_init(&b, 4096);
    names_put_quoted(&b, str_of(exact));
    return from_buf(r, &b);
}

const char *
read_mangled(struct reader *r, const char *exact)
{
    struct buf b;

    buf_init(&b, 4096);
    names_put(&b, str_of(exact));
    return read_quote(r, str_of(from_buf(r, &b)));
}

const char *
read_upper(struct reader *r, struct str s)
{
    char *p = arena_copy(r->arena, s);

    if (!p)
        read_no_memory(r);
    for (char *c = p; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return p;
}

/* ---- tokens --------------------------------------------------------------------------- */

const struct sql_token *
read_peek(const struct reader *r, size_t ahead)
{
    for (size_t i = r->at;; i++) {
        if (ahead == 0 || r->tokens[i].kind == SQL_END)
            return &r->tokens[i];
        ahead--;
    }
}

bool
read_is(const struct reader *r, const char *word)
{
    return sql_token_is(read_peek(r, 0), word);
}

bool
read_is2(const struct reader *r, const char *first, const char *second)
{
    return read_is(r, first) && sql_token_is(read_peek(r, 1), second);
}

bool
read_word(struct reader *r, const char *word)
{
    if (!read_is(r, word))
        return false;
    r->at++;
    return true;
}

bool
read_words(struct reader *r, const char *words)
{
    struct str rest = str_of(words), word;
    char one[40];
    size_t ahead = 0;

    while (str_split(&rest, ' ', &word)) {
        str_copy(one, sizeof one, word);
        if (!sql_token_is(read_peek(r, ahead), one))
            return false;
        ahead++;
    }
    r->at += ahead;
    return true;
}

void
read_need(struct reader *r, const char *word)
{
    if (!read_word(r, word))
        read_syntax(r);
}

bool
read_is_op(const struct reader *r, int op)
{
    return sql_token_is_op(read_peek(r, 0), op);
}

bool
read_op(struct reader *r, int op)
{
    if (!read_is_op(r, op))
        return false;
    r->at++;
    return true;
}

void
read_need_op(struct reader *r, int op)
{
    if (!read_op(r, op))
        read_syntax(r);
}

bool
read_is_name(const struct reader *r)
{
    enum sql_token_kind k = read_peek(r, 0)->kind;

    return k == SQL_NAME || k == SQL_QUOTED_NAME;
}

const char *
read_name(struct reader *r)
{
    const struct sql_token *t = read_peek(r, 0);
    char *p;

    if (!read_is_name(r))
        read_syntax(r);
    p = arena_alloc(r->arena, t->raw.n + 1);
    if (!p)
        read_no_memory(r);
    if (sql_decode(t, p, t->raw.n + 1) < 0)
        read_syntax(r);
    r->at++;
    return p;
}

bool
read_literal_string(const struct reader *r)
{
    enum sql_token_kind k = read_peek(r, 0)->kind;

    return k == SQL_STRING || k == SQL_DOLLAR_STRING;
}

const char *
read_string(struct reader *r)
{
    const struct sql_token *t = read_peek(r, 0);
    char *p;

    if (!read_literal_string(r))
        read_syntax(r);
    p = arena_alloc(r->arena, t->raw.n + 1);
    if (!p)
        read_no_memory(r);
    long n = sql_decode(t, p, t->raw.n + 1);
    if (n < 0)
        read_syntax(r);
    p[n] = '\0';
    if (strlen(p) != (size_t)n)
        read_unsupported(r, "NUL in a string");
    r->at++;
    return p;
}

uint64_t
read_count(struct reader *r)
{
    uint64_t n;

    if (read_peek(r, 0)->kind != SQL_NUMBER || str_to_u64(read_peek(r, 0)->raw, &n) != 0)
        read_syntax(r);
    r->at++;
    return n;
}

struct str
read_source(const struct reader *r, size_t from, size_t to)
{
    const struct sql_token *first = &r->tokens[from], *last = &r->tokens[to > from ? to - 1 : from];

    return (struct str){ first->raw.p, (size_t)(last->raw.p + last->raw.n - first->raw.p) };
}

size_t
read_behind_parens(struct reader *r, size_t at)
{
    int open = 0;

    for (; r->tokens[at].kind != SQL_END; at++) {
        const struct sql_token *t = &r->tokens[at];
        if (sql_token_is_op(t, '(') || sql_token_is_op(t, '[') || sql_token_is_op(t, '{'))
            open++;
        else if (sql_token_is_op(t, ')') || sql_token_is_op(t, ']') || sql_token_is_op(t, '}'))
            open--;
        if (open == 0)
            return at + 1;
    }
    r->at = at;
    read_syntax(r);
}

/* ---- object names --------------------------------------------------------------------- */

static _Noreturn void
no_context(struct reader *r, bool schema)
{
    if (!schema && !r->job->database)
        failure_set(r->f, "090105", "22000",
            "Unable to run the command. You must specify the database to use by either setting "
            "the database field in the body of the request or by setting the DEFAULT_NAMESPACE "
            "property for the current user.");
    else
        failure_set(r->f, "090106", "22000",
            "Cannot perform operation. This session does not have a current schema. Call 'USE "
            "SCHEMA', or use a qualified name.");
    read_fail(r);
}

static size_t
read_parts(struct reader *r, const char *parts[3])
{
    size_t n = 0;

    if (read_word(r, "IDENTIFIER")) {
        read_need_op(r, '(');
        if (!read_literal_string(r))
            read_unsupported(r, "IDENTIFIER with a variable");
        read_unsupported(r, "IDENTIFIER");
    }
    do {
        if (n == 3)
            read_syntax(r);
        if (n == 1 && read_is_op(r, '.')) { /* db..name */
            r->at++;
            parts[n++] = "PUBLIC";
        }
        parts[n++] = read_name(r);
    } while (read_op(r, '.'));
    return n;
}

struct object
read_object(struct reader *r)
{
    const char *p[3];
    size_t n = read_parts(r, p);

    if (n == 3)
        return (struct object){ p[0], p[1], p[2] };
    if (!r->job->database)
        no_context(r, false);
    if (n == 2)
        return (struct object){ r->job->database, p[0], p[1] };
    if (!r->job->schema)
        no_context(r, true);
    return (struct object){ r->job->database, r->job->schema, p[0] };
}

struct object
read_schema_name(struct reader *r)
{
    const char *p[3];
    size_t n = read_parts(r, p);

    if (n > 2)
        read_syntax(r);
    if (n == 2)
        return (struct object){ p[0], p[1], NULL };
    if (!r->job->database)
        no_context(r, false);
    return (struct object){ r->job->database, p[0], NULL };
}

const char *
read_object_sql(struct reader *r, const struct object *o)
{
    if (!o->name)
        return read_text(r, "%s.%s", read_ident(r, o->database), read_ident(r, o->schema));
    return read_text(r, "%s.%s.%s", read_ident(r, o->database), read_ident(r, o->schema),
        read_ident(r, o->name));
}

/* As Snowflake would write it: quotes only where they are needed. */
static const char *
shown_part(struct reader *r, const char *name)
{
    bool plain = isalpha((unsigned char)*name) || *name == '_';

    for (const char *p = name; *p; p++)
        plain &= isupper((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_' || *p == '$';
    return plain ? name : read_text(r, "\"%s\"", name);
}

const char *
read_object_shown(struct reader *r, const struct object *o)
{
    if (!o->schema)
        return shown_part(r, o->database);
    if (!o->name)
        return read_text(r, "%s.%s", shown_part(r, o->database), shown_part(r, o->schema));
    return read_text(r, "%s.%s.%s", shown_part(r, o->database), shown_part(r, o->schema),
        shown_part(r, o->name));
}

void
read_note_table(struct reader *r, const struct object *o)
{
    if (r->plan->table_count == PLAN_TABLES)
        return;
    r->plan->tables[r->plan->table_count++] = (struct plan_table){ read_mangled(r, o->database),
        o->schema ? read_mangled(r, o->schema) : NULL, o->name ? read_mangled(r, o->name) : NULL,
        read_object_shown(r, o) };
}

const char *
read_object_where(struct reader *r, const struct object *o, const char *column)
{
    const char *where = read_text(r, "database_name = %s", read_mangled(r, o->database));

    if (o->schema)
        where = read_text(r, "%s AND schema_name = %s", where, read_mangled(r, o->schema));
    if (o->name && column)
        where = read_text(r, "%s AND %s = %s", where, column, read_mangled(r, o->name));
    return where;
}

void
read_after(struct reader *r, const char *sql)
{
    if (r->plan->after_count == PLAN_AFTER)
        read_unsupported(r, "a statement with so many parts");
    r->plan->after[r->plan->after_count++] = sql;
}

void
read_check(
    struct reader *r, const char *sql, const char *code, const char *sqlstate, const char *message)
{
    for (size_t i = 0; i < r->plan->check_count; i++)
        if (strcmp(r->plan->checks[i].sql, sql) == 0)
            return;
    if (r->plan->check_count == PLAN_CHECKS)
        read_unsupported(r, "so many databases in one statement");
    r->plan->checks[r->plan->check_count++] = (struct plan_check){ sql, code, sqlstate, message };
}

void
read_check_scope(struct reader *r, const struct object *o)
{
    read_check(r,
        read_text(r, "SELECT count(*) FROM %s WHERE %s", o->schema ? "_sc" : "_db",
            read_object_where(r, &(struct object){ o->database, o->schema, NULL }, NULL)),
        "002043", "02000",
        "SQL compilation error:\nObject does not exist, or operation cannot be performed.");
}
