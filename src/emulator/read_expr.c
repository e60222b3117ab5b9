/* read_expr.c - expressions: operators by precedence, literals, paths, CASE, predicates.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_DEPTH 200

static struct expr read_or(struct reader *r);
static struct expr read_add(struct reader *r);
static struct expr read_unary(struct reader *r);

static struct expr
plain(struct reader *r, size_t from, const char *sql)
{
    return (struct expr){ .sql = sql, .from = from, .to = r->at };
}

static struct expr
combine(struct reader *r, const struct expr *a, const struct expr *b, const char *sql)
{
    return (struct expr){
        .sql = sql, .from = a->from, .to = r->at, .probed = a->probed || (b && b->probed)
    };
}

bool
read_is_reserved(const struct sql_token *t)
{
    static const char *const words[] = { "FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER",
        "LIMIT", "FETCH", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "MINUS", "JOIN", "INNER",
        "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "ON", "USING", "AS", "AND", "OR", "NOT", "IN",
        "IS", "LIKE", "ILIKE", "RLIKE", "REGEXP", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE",
        "SELECT", "WITH", "INTO", "SET", "VALUES", "LATERAL", "SAMPLE", "TABLESAMPLE", "PIVOT",
        "UNPIVOT", "MATCH_RECOGNIZE", "CONNECT", "START", "WINDOW", "EXISTS", "ASOF", "DISTINCT",
        "ALL", "ANY", "SOME", "FOR", "TABLE", "COLLATE", "HAVING", "BY", "CREATE", "INSERT",
        "UPDATE", "DELETE", "DROP", "ALTER", "GRANT", "REVOKE", "TO", "VIEW", "TRIGGER", "UNIQUE",
        "WHENEVER", "INCREMENT", "OF", "ROW", "ROWS", "CHANGES", "AT", "BEFORE" };

    if (t->kind != SQL_NAME)
        return false;
    for (size_t i = 0; i < NELEM(words); i++)
        if (sql_token_is(t, words[i]))
            return true;
    return false;
}

/* Every recursion passes here: a thread's stack is not endless. */
void
read_deeper(struct reader *r)
{
    if (++r->depth > MOST_DEPTH) {
        failure_set(
            r->f, "001003", "42000", "SQL compilation error:\nthe statement is nested too deeply.");
        read_fail(r);
    }
}

/* ---- literals and simple things
 * ------------------------------------------------------------------ */

static struct expr
read_number(struct reader *r)
{
    size_t from = r->at++, digits = 0;
    struct str raw = r->tokens[from].raw;
    bool exponent = memchr(raw.p, 'e', raw.n) || memchr(raw.p, 'E', raw.n);
    bool point = memchr(raw.p, '.', raw.n) != NULL;
    struct expr e = plain(r, from, read_copy(r, raw));

    for (size_t i = 0; i < raw.n; i++)
        digits += raw.p[i] >= '0' && raw.p[i] <= '9' && (digits > 0 || raw.p[i] != '0');
    if (!exponent && digits > 38) {
        failure_set(r->f, "001007", "22003",
            "SQL compilation error:\nNumber out of representable "
            "range");
        read_fail(r);
    }
    if (!exponent && !point && digits > 18)
        e.sql = read_text(r, "CAST(%s AS DECIMAL(38,0))", e.sql);
    else if (!exponent && point && digits > 17)
        e.sql = read_text(r, "CAST('%s' AS DECIMAL(38,%zu))", e.sql,
            raw.n - 1 - (size_t)((const char *)memchr(raw.p, '.', raw.n) - raw.p));
    else if (exponent)
        e.sql = read_text(r, "CAST(%s AS DOUBLE)", e.sql);
    e.integer = !exponent && !point;
    return e;
}

static struct expr
read_text_literal(struct reader *r)
{
    size_t from = r->at;
    const char *value = read_string(r);
    struct expr e = plain(r, from, read_quote(r, str_of(value)));

    e.text = true;
    return e;
}

static _Noreturn void
bad_bind(struct reader *r, const struct engine_bind *b)
{
    failure_set(r->f, "100037", "22018", "%s value '%s' is not recognized", b->type,
        b->value ? b->value : "");
    read_fail(r);
}

static bool
is_decimal(const char *s)
{
    size_t digits = 0, points = 0;

    s += *s == '-' || *s == '+';
    for (; *s; s++) {
        if (*s == '.')
            points++;
        else if (*s >= '0' && *s <= '9')
            digits++;
        else
            return false;
    }
    return digits > 0 && digits <= 38 && points <= 1;
}

static const char *
fixed_bind(struct reader *r, const struct engine_bind *b)
{
    const char *point = strchr(b->value, '.');

    if (!is_decimal(b->value))
        bad_bind(r, b);
    return read_text(r, "CAST('%s' AS DECIMAL(38,%zu))", b->value, point ? strlen(point + 1) : 0);
}

static int64_t
whole_bind(struct reader *r, const struct engine_bind *b, const char *text, size_t n)
{
    int64_t v;

    if (str_to_i64((struct str){ text, n }, &v) != 0)
        bad_bind(r, b);
    return v;
}

/* DuckDB's times count microseconds; only TIMESTAMP_NTZ has a twin with nanoseconds. */
static int64_t
whole_microseconds(struct reader *r, int64_t ns)
{
    if (ns % 1000 != 0)
        read_unsupported(r, "nanoseconds in this type");
    return ns / 1000;
}

static const char *
timestamp_tz_bind(struct reader *r, const struct engine_bind *b)
{
    const char *blank = strchr(b->value, ' ');
    uint64_t offset;

    if (!blank || str_to_u64(str_of(blank + 1), &offset) != 0 || offset > 2880)
        bad_bind(r, b);
    int64_t ns = whole_bind(r, b, b->value, (size_t)(blank - b->value));
    return read_text(
        r, "_tz(make_timestamp(%lld), %d)", (long long)(ns / 1000), (int)offset - 1440);
}

static const char *
real_bind(struct reader *r, const struct engine_bind *b)
{
    char *end;

    strtod(b->value, &end);
    if (*end || end == b->value)
        bad_bind(r, b);
    return read_text(r, "CAST(%s AS DOUBLE)", read_quote(r, str_of(b->value)));
}

static const char *
hex_bind(struct reader *r, const struct engine_bind *b)
{
    size_t n = strlen(b->value);

    if (n % 2 != 0 || strspn(b->value, "0123456789abcdefABCDEF") != n)
        bad_bind(r, b);
    return read_text(r, "unhex('%s')", b->value);
}

static const char *
time_bind(struct reader *r, const struct engine_bind *b)
{
    int64_t n = whole_bind(r, b, b->value, strlen(b->value)), us;
    struct str type = str_of(b->type);

    if (str_is_nocase(type, "DATE")) {
        if (__builtin_mul_overflow(n, INT64_C(1000), &us))
            bad_bind(r, b);
        return read_text(r, "CAST(make_timestamp(%lld) AS DATE)", (long long)us);
    }
    if (str_is_nocase(type, "TIME"))
        return read_text(
            r, "CAST(make_timestamp(%lld) AS TIME)", (long long)whole_microseconds(r, n));
    if (str_is_nocase(type, "TIMESTAMP_LTZ"))
        return read_text(r, "(make_timestamp(%lld) AT TIME ZONE 'UTC')",
            (long long)whole_microseconds(r, n));
    if (n % 1000 != 0)
        return read_text(r, "make_timestamp_ns(%lld)", (long long)n);
    return read_text(r, "make_timestamp(%lld)", (long long)(n / 1000));
}

static const char *
bind_sql(struct reader *r, const struct engine_bind *b)
{
    struct str type = str_of(b->type);

    if (!b->value)
        return "NULL";
    if (str_is_nocase(type, "TEXT"))
        return read_text(r, "CAST(%s AS VARCHAR)", read_quote(r, str_of(b->value)));
    if (str_is_nocase(type, "FIXED") || (str_is_nocase(type, "DECFLOAT") && is_decimal(b->value)))
        return fixed_bind(r, b);
    if (str_is_nocase(type, "REAL"))
        return real_bind(r, b);
    if (str_is_nocase(type, "BINARY"))
        return hex_bind(r, b);
    if (str_is_nocase(type, "BOOLEAN")) {
        if (!str_is_nocase(str_of(b->value), "true") && !str_is_nocase(str_of(b->value), "false"))
            bad_bind(r, b);
        return str_is_nocase(str_of(b->value), "true") ? "true" : "false";
    }
    if (str_is_nocase(type, "TIMESTAMP_TZ"))
        return timestamp_tz_bind(r, b);
    return time_bind(r, b);
}

static struct expr
read_bind(struct reader *r)
{
    const struct sql_token *t = read_peek(r, 0);
    char position[16];
    struct str key = str_from(t->raw, 1);

    if (r->definition)
        read_unsupported(r, "bind variables in a definition");
    if (t->raw.p[0] == '?') {
        snprintf(position, sizeof position, "%u", ++r->next_bind);
        key = str_of(position);
    }
    for (size_t i = 0; i < r->job->bind_count; i++) {
        if (str_eq_nocase(key, str_of(r->job->binds[i].key))) {
            size_t from = r->at++;
            return plain(r, from, bind_sql(r, &r->job->binds[i]));
        }
    }
    failure_set(r->f, "002049", "42601",
        "SQL compilation error: error line %u at position %u\nBind variable %.*s not set.", t->line,
        t->column - 1, (int)(t->raw.n < 50 ? t->raw.n : 50), t->raw.p);
    read_fail(r);
}

const char *
read_expr_list(struct reader *r)
{
    const char *list = read_expr(r).sql;

    while (read_op(r, ','))
        list = read_text(r, "%s, %s", list, read_expr(r).sql);
    return list;
}

static struct expr
read_parens(struct reader *r)
{
    size_t from = r->at++;
    const char *inner;
    struct expr e = { 0 };

    if (read_starts_query(r, 0)) {
        inner = read_query(r);
    } else {
        e = read_expr(r);
        inner = e.sql;
        while (read_op(r, ','))
            inner = read_text(r, "%s, %s", inner, read_expr(r).sql);
    }
    read_need_op(r, ')');
    struct expr out = plain(r, from, read_text(r, "(%s)", inner));
    out.probed = e.probed;
    return out;
}

static struct expr
read_array(struct reader *r)
{
    size_t from = r->at++;
    const char *list = "", *comma = "";
    bool probed = false;

    while (!read_is_op(r, ']')) {
        list = read_text(r, "%s%s%s", list, comma, read_json_value(r, read_expr(r), &probed));
        comma = ", ";
        if (!read_op(r, ','))
            break;
    }
    read_need_op(r, ']');
    struct expr e = plain(r, from, read_text(r, "CAST(json_array(%s) AS " TYPES_ARR ")", list));
    e.probed = probed;
    return e;
}

static struct expr
read_object_literal(struct reader *r)
{
    size_t from = r->at++;
    const char *list = "", *comma = "";
    bool probed = false;

    while (!read_is_op(r, '}')) {
        const char *key = read_quote(r, str_of(read_string(r)));
        read_need_op(r, ':');
        list =
            read_text(r, "%s%s%s, %s", list, comma, key, read_json_value(r, read_expr(r), &probed));
        comma = ", ";
        if (!read_op(r, ','))
            break;
    }
    read_need_op(r, '}');
    struct expr e = plain(r, from, read_text(r, "CAST(json_object(%s) AS " TYPES_OBJ ")", list));
    e.probed = probed;
    return e;
}

static struct expr
read_case(struct reader *r)
{
    size_t from = r->at++;
    const char *sql = "CASE";
    struct expr e;
    bool probed = false;

    if (!read_is(r, "WHEN"))
        sql = read_text(r, "CASE %s", read_expr(r).sql);
    if (!read_is(r, "WHEN"))
        read_syntax(r);
    while (read_word(r, "WHEN")) {
        sql = read_text(r, "%s WHEN %s", sql, read_expr(r).sql);
        read_need(r, "THEN");
        e = read_expr(r);
        probed |= e.probed;
        sql = read_text(r, "%s THEN %s", sql, e.sql);
    }
    if (read_word(r, "ELSE")) {
        e = read_expr(r);
        probed |= e.probed;
        sql = read_text(r, "%s ELSE %s", sql, e.sql);
    }
    read_need(r, "END");
    e = plain(r, from, read_text(r, "%s END", sql));
    e.probed = probed;
    return e;
}

static struct expr
read_cast_call(struct reader *r)
{
    size_t from = r->at;
    bool try_only = sql_token_is(read_peek(r, 0), "TRY_CAST");
    struct expr e;

    r->at += 2;
    e = read_expr(r);
    read_need(r, "AS");
    struct sql_type to = read_type(r);
    read_need_op(r, ')');
    e = read_cast(r, e, to, try_only);
    e.from = from;
    e.to = r->at;
    return e;
}

static struct expr
read_interval(struct reader *r)
{
    size_t from = r->at++;
    const char *text = read_string(r);
    char *copy = arena_copy(r->arena, str_of(text));

    if (!copy)
        read_no_memory(r);
    for (char *p = copy; *p; p++)
        if (*p == ',')
            *p = ' ';
    if (read_is_name(r) && !read_is_reserved(read_peek(r, 0)) &&
        strspn(text, "0123456789 ") == strlen(text)) {
        const char *unit = read_name(r);
        copy = (char *)(uintptr_t)read_text(r, "%s %s", copy, unit);
    }
    return plain(r, from, read_text(r, "INTERVAL %s", read_quote(r, str_of(copy))));
}

static struct expr
read_typed_literal(struct reader *r)
{
    size_t from = r->at;
    struct sql_type t = read_type(r);
    struct expr e = read_cast(r, read_text_literal(r), t, false);

    e.from = from;
    e.to = r->at;
    return e;
}

/* ---- names: columns, functions, CURRENT_DATE
 * ------------------------------------------------------- */

static struct expr
read_column(struct reader *r)
{
    size_t from = r->at, n = 0;
    const char *name = NULL, *sql = NULL;

    do {
        if (read_is_op(r, '*') && sql) { /* t.* is for select lists and count() */
            r->at++;
            return plain(r, from, read_text(r, "%s.*", sql));
        }
        if (++n > 4)
            read_syntax(r);
        name = read_name(r);
        sql = sql ? read_text(r, "%s.%s", sql, read_ident(r, name)) : read_ident(r, name);
    } while (read_op(r, '.'));
    if (strcmp(name, "NEXTVAL") == 0 && n > 1)
        read_unsupported(r, "sequences");
    if (read_is_op(r, '!'))
        read_unsupported(r, "methods");
    struct expr e = plain(r, from, sql);
    e.column = name;
    return e;
}

/* a.b.f( ...: a user's function, and there are none. */
static void
refuse_qualified_call(struct reader *r)
{
    size_t at = 0;

    while (read_peek(r, at)->kind == SQL_NAME || read_peek(r, at)->kind == SQL_QUOTED_NAME) {
        if (!sql_token_is_op(read_peek(r, at + 1), '.'))
            break;
        at += 2;
    }
    if (at == 0 || !sql_token_is_op(read_peek(r, at + 1), '('))
        return;
    if (read_is(r, "SNOWFLAKE"))
        read_unsupported(r, "functions of the SNOWFLAKE database");
    failure_set(r->f, "002140", "42601", "SQL compilation error:\nUnknown function %s",
        read_upper(r, read_source(r, r->at, r->at + at + 1)));
    read_fail(r);
}

static bool
is_bare_function(const struct reader *r)
{
    static const char *const words[] = { "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
        "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP" };

    for (size_t i = 0; i < NELEM(words); i++)
        if (read_is(r, words[i]))
            return true;
    return false;
}

static struct expr
read_named(struct reader *r)
{
    const struct sql_token *next = read_peek(r, 1);
    size_t from = r->at;

    if (sql_token_is_op(next, '(')) {
        if (read_is(r, "CAST") || read_is(r, "TRY_CAST"))
            return read_cast_call(r);
        if (read_is(r, "EXISTS")) {
            r->at += 2;
            const char *q = read_query(r);
            read_need_op(r, ')');
            return plain(r, from, read_text(r, "EXISTS (%s)", q));
        }
        if (!read_is_reserved(read_peek(r, 0)) || read_is(r, "LEFT") || read_is(r, "RIGHT") ||
            read_is(r, "LIKE") || read_is(r, "INSERT") || read_is(r, "RLIKE"))
            return read_call(r);
    }
    if (read_is(r, "CASE"))
        return read_case(r);
    if (read_is(r, "NULL") || read_is(r, "TRUE") || read_is(r, "FALSE")) {
        struct str raw = r->tokens[r->at++].raw;
        return plain(r, from, read_upper(r, raw));
    }
    if (next->kind == SQL_STRING || next->kind == SQL_DOLLAR_STRING) {
        if (read_is(r, "X") && next->offset == read_peek(r, 0)->offset + 1) {
            r->at++;
            return plain(r, from, read_text(r, "unhex(%s)", read_text_literal(r).sql));
        }
        if (read_is(r, "INTERVAL"))
            return read_interval(r);
        if (read_is(r, "DATE") || read_is(r, "TIME") || read_is(r, "TIMESTAMP") ||
            read_is(r, "TIMESTAMP_NTZ") || read_is(r, "TIMESTAMP_LTZ") ||
            read_is(r, "TIMESTAMP_TZ"))
            return read_typed_literal(r);
    }
    if (is_bare_function(r) && !sql_token_is_op(next, '.'))
        return read_call(r);
    if (read_is_reserved(read_peek(r, 0)))
        read_syntax(r);
    refuse_qualified_call(r);
    return read_column(r);
}

static struct expr
read_primary(struct reader *r)
{
    const struct sql_token *t = read_peek(r, 0);

    switch (t->kind) {
    case SQL_NUMBER:
        return read_number(r);
    case SQL_STRING:
    case SQL_DOLLAR_STRING:
        return read_text_literal(r);
    case SQL_BIND:
        return read_bind(r);
    case SQL_NAME:
    case SQL_QUOTED_NAME:
        return read_named(r);
    case SQL_VARIABLE:
        read_unsupported(r, "session variables");
    case SQL_POSITION:
        read_unsupported(r, "columns by position");
    case SQL_STAGE:
        read_unsupported(r, "stages");
    case SQL_OPERATOR:
        if (t->op == '(')
            return read_parens(r);
        if (t->op == '[')
            return read_array(r);
        if (t->op == '{')
            return read_object_literal(r);
        read_syntax(r);
    default:
        read_syntax(r);
    }
}

/* ---- what follows a primary
 * ------------------------------------------------------------------------ */

/* One key of a path; keeps the case it is written in, quoted or not. */
static const char *
read_path_key(struct reader *r, const char *path)
{
    const struct sql_token *t = read_peek(r, 0);
    const char *key;

    if (t->kind == SQL_STRING || t->kind == SQL_DOLLAR_STRING) {
        key = read_string(r);
    } else if (t->kind == SQL_NAME) {
        key = read_copy(r, t->raw);
        r->at++;
    } else {
        key = read_name(r);
    }
    if (strchr(key, '"'))
        read_unsupported(r, "quotes in a path");
    return read_text(r, "%s.\"%s\"", path, key);
}

/* a:b.c["d"][0] as JSON path; `r` is behind the first colon or at a bracket. */
static struct expr
read_path(struct reader *r, struct expr e, bool colon)
{
    const char *path = "$";
    const char *json = read_text(r, "(%s)::JSON", e.sql);

    if (colon)
        path = read_path_key(r, path);
    for (;;) {
        const struct sql_token *t = read_peek(r, 1);
        if (read_is_op(r, '.') && (t->kind == SQL_NAME || t->kind == SQL_QUOTED_NAME)) {
            r->at++;
            path = read_path_key(r, path);
        } else if (read_op(r, '[')) {
            if (read_literal_string(r)) {
                path = read_path_key(r, path);
            } else if (read_peek(r, 0)->kind == SQL_NUMBER) {
                path = read_text(r, "%s[%llu]", path, (unsigned long long)read_count(r));
            } else { /* computed: an array's index */
                json = read_text(r, "json_extract(%s, %s)", json, read_quote(r, str_of(path)));
                json = read_text(
                    r, "json_extract(%s, '$[' || (%s)::BIGINT || ']')", json, read_expr(r).sql);
                path = "$";
            }
            read_need_op(r, ']');
        } else {
            break;
        }
    }
    if (strcmp(path, "$") != 0)
        json = read_text(r, "json_extract(%s, %s)", json, read_quote(r, str_of(path)));
    struct expr out = plain(r, e.from, read_text(r, "CAST(%s AS " TYPES_VAR ")", json));
    out.probed = e.probed;
    return out;
}

static struct expr
read_postfix(struct reader *r)
{
    struct expr e = read_primary(r);

    for (;;) {
        if (read_op(r, SQL_OP_CAST))
            e = read_cast(r, e, read_type(r), false);
        else if (read_op(r, ':'))
            e = read_path(r, e, true);
        else if (read_is_op(r, '['))
            e = read_path(r, e, false);
        else if (read_is(r, "COLLATE"))
            read_unsupported(r, "COLLATE");
        else
            return e;
    }
}

static struct expr
read_unary(struct reader *r)
{
    size_t from = r->at;
    struct expr e;

    if (!read_is_op(r, '-') && !read_is_op(r, '+'))
        return read_postfix(r);
    bool minus = read_is_op(r, '-');
    r->at++;
    read_deeper(r);
    e = read_unary(r);
    r->depth--;
    if (minus)
        e.sql = read_text(r, "(-%s)", e.sql);
    e.from = from;
    e.column = NULL;
    e.text = false;
    return e;
}

/* ---- arithmetic ---------------------------------------------------------------------------------
 */

/* The scale of a quotient: at least 6 more than the dividend's, but not above 12 for that. */
static int
quotient_scale(int scale)
{
    int wanted = scale + 6 < 12 ? scale + 6 : 12;

    return scale > wanted ? scale : wanted;
}

static bool
counts_as_fixed(enum site_type t)
{
    return t == SITE_INTEGER || t == SITE_DECIMAL || t == SITE_NULL;
}

static struct expr
divide(struct reader *r, struct expr a, struct expr b)
{
    struct expr args[2] = { a, b }, out = combine(r, &a, &b, NULL);
    const struct site *s = read_site(r, SITE_REAL, args, 2, &out.sql);

    if (!s) {
        out.probed = true;
        return out;
    }
    out.probed = false;
    enum site_type ta = s->arg[0].type, tb = s->arg[1].type;
    if (counts_as_fixed(ta) && counts_as_fixed(tb))
        out.sql =
            ta == SITE_NULL || tb == SITE_NULL
                ? "CAST(NULL AS DECIMAL(38,6))"
                : read_text(r, "_div_%d(%s, %s)", quotient_scale(s->arg[0].scale), a.sql, b.sql);
    else if ((counts_as_fixed(ta) || ta == SITE_REAL) && (counts_as_fixed(tb) || tb == SITE_REAL))
        out.sql = read_text(r, "_fdiv(%s, %s)", a.sql, b.sql);
    else
        read_unsupported(r, "division of these types");
    return out;
}

static struct expr
read_mul(struct reader *r)
{
    struct expr a = read_unary(r), b;

    for (;;) {
        if (read_op(r, '*')) {
            b = read_unary(r);
            a = combine(r, &a, &b,
                a.integer ? read_text(r, "(%s::BIGINT * %s)", a.sql, b.sql)
                          : read_text(r, "(%s * %s)", a.sql, b.sql));
        } else if (read_op(r, '/')) {
            b = read_unary(r);
            a = divide(r, a, b);
        } else if (read_op(r, '%')) {
            b = read_unary(r);
            a = combine(r, &a, &b, read_text(r, "_mod(%s, %s)", a.sql, b.sql));
        } else {
            return a;
        }
    }
}

/* DATE + INTERVAL is a TIMESTAMP to DuckDB; to Snowflake it stays a DATE when whole days are added.
 */
static struct expr
add_interval(struct reader *r, struct expr a, struct expr b, const char *op)
{
    struct str unit = read_source(r, b.from, b.to);
    struct expr out = combine(r, &a, &b, NULL);
    const struct site *s = read_site(r, SITE_TIMESTAMP, &a, 1, &out.sql);
    bool days = true;

    if (!s) {
        out.probed = true;
        return out;
    }
    const char *text = read_upper(r, unit);
    if (strstr(text, "HOUR") || strstr(text, "MIN") || strstr(text, "SEC"))
        days = false;
    out.sql = read_text(r, "(%s %s %s)", a.sql, op, b.sql);
    if (s->arg[0].type == SITE_DATE && days)
        out.sql = read_text(r, "CAST(%s AS DATE)", out.sql);
    return out;
}

struct expr
read_concat(struct reader *r, struct expr a, struct expr b)
{
    struct expr out = combine(r, &a, &b, NULL), sides[2];
    const char *text[2];

    sides[0] = a;
    sides[1] = b;
    out.probed = false;
    for (size_t i = 0; i < 2; i++) {
        const struct site *s =
            sides[i].text ? NULL : read_site(r, SITE_TEXT, &sides[i], 1, &text[i]);
        if (sides[i].text)
            text[i] = sides[i].sql;
        else if (s)
            text[i] = read_to_text(r, &sides[i], s->arg[0].type);
        else
            out.probed = true;
    }
    out.sql = read_text(r, "(%s || %s)", text[0], text[1]);
    return out;
}

static struct expr
read_add(struct reader *r)
{
    struct expr a = read_mul(r), b;

    for (;;) {
        const char *op = read_is_op(r, '+') ? "+" : read_is_op(r, '-') ? "-" : NULL;
        if (op) {
            r->at++;
            b = read_mul(r);
            if (strncmp(b.sql, "INTERVAL ", 9) == 0)
                a = add_interval(r, a, b, op);
            else
                a = combine(r, &a, &b,
                    read_text(r, a.integer && b.integer ? "(%s::BIGINT %s %s)" : "(%s %s %s)",
                        a.sql, op, b.sql));
        } else if (read_op(r, SQL_OP_CONCAT)) {
            b = read_mul(r);
            a = read_concat(r, a, b);
        } else {
            return a;
        }
    }
}

/* ---- predicates ---------------------------------------------------------------------------------
 */

static const char *
like_escape(struct reader *r)
{
    if (!read_word(r, "ESCAPE"))
        return "";
    return read_text(r, " ESCAPE %s", read_expr(r).sql);
}

/* x LIKE ANY ('a', 'b'): any or all of the list. */
static const char *
read_like_list(struct reader *r, const char *a, const char *op, bool all)
{
    const char *sql = "", *join = "";
    size_t start, end;

    if (read_starts_query(r, 1))
        read_unsupported(r, "LIKE ANY with a query");
    read_need_op(r, '(');
    start = r->at;
    /* ESCAPE stands behind the list but belongs to each of its members */
    end = read_behind_parens(r, start - 1);
    r->at = end;
    const char *escape = like_escape(r);
    size_t after = r->at;
    r->at = start;
    do {
        sql = read_text(r, "%s%s(%s %s %s%s)", sql, join, a, op, read_expr(r).sql, escape);
        join = all ? " AND " : " OR ";
    } while (read_op(r, ','));
    read_need_op(r, ')');
    r->at = after;
    return read_text(r, "(%s)", sql);
}

static const char *
read_like(struct reader *r, const char *a, bool case_matters)
{
    const char *op = case_matters ? "LIKE" : "ILIKE";

    if (read_word(r, "ANY"))
        return read_like_list(r, a, op, false);
    if (read_word(r, "ALL"))
        return read_like_list(r, a, op, true);
    const char *pattern = read_add(r).sql;
    return read_text(r, "(%s %s %s%s)", a, op, pattern, like_escape(r));
}

static const char *
read_in(struct reader *r, const char *a)
{
    const char *list;

    read_need_op(r, '(');
    list = read_starts_query(r, 0) ? read_query(r) : read_expr_list(r);
    read_need_op(r, ')');
    return read_text(r, "(%s IN (%s))", a, list);
}

static const char *
read_is_predicate(struct reader *r, const char *a)
{
    const char *not_word = read_word(r, "NOT") ? " NOT" : "";

    if (read_word(r, "NULL"))
        return read_text(r, "(%s IS%s NULL)", a, not_word);
    if (read_word(r, "TRUE"))
        return read_text(r, "(%s IS%s TRUE)", a, not_word);
    if (read_word(r, "FALSE"))
        return read_text(r, "(%s IS%s FALSE)", a, not_word);
    read_need(r, "DISTINCT");
    read_need(r, "FROM");
    return read_text(r, "(%s IS%s DISTINCT FROM %s)", a, not_word, read_add(r).sql);
}

static const char *
comparison(const struct reader *r)
{
    static const struct {
        int op;
        const char *sql;
    } ops[] = { { '=', "=" }, { '<', "<" }, { '>', ">" }, { SQL_OP_NE, "<>" }, { SQL_OP_LE, "<=" },
        { SQL_OP_GE, ">=" } };

    for (size_t i = 0; i < NELEM(ops); i++)
        if (read_is_op(r, ops[i].op))
            return ops[i].sql;
    return NULL;
}

static const char *
read_quantified(struct reader *r, const char *a, const char *op)
{
    const char *word = read_word(r, "ALL") ? "ALL" : "ANY";

    if (*word == 'A' && word[1] == 'N' && !read_word(r, "ANY"))
        read_need(r, "SOME");
    read_need_op(r, '(');
    const char *q = read_query(r);
    read_need_op(r, ')');
    return read_text(r, "(%s %s %s (%s))", a, op, word, q);
}

static struct expr
read_compare(struct reader *r)
{
    struct expr a = read_add(r);
    const char *op;

    for (;;) {
        bool negated = read_is(r, "NOT") && !sql_token_is(read_peek(r, 1), "NULL");
        size_t start = r->at;
        const char *sql;
        r->at += negated;
        if (!negated && (op = comparison(r))) {
            r->at++;
            if (read_is(r, "ALL") || read_is(r, "ANY") || read_is(r, "SOME"))
                sql = read_quantified(r, a.sql, op);
            else
                sql = read_text(r, "(%s %s %s)", a.sql, op, read_add(r).sql);
        } else if (!negated && read_word(r, "IS")) {
            sql = read_is_predicate(r, a.sql);
        } else if (read_word(r, "IN")) {
            sql = read_in(r, a.sql);
        } else if (read_word(r, "BETWEEN")) {
            const char *low = read_add(r).sql;
            read_need(r, "AND");
            sql = read_text(r, "(%s BETWEEN %s AND %s)", a.sql, low, read_add(r).sql);
        } else if (read_word(r, "LIKE")) {
            sql = read_like(r, a.sql, true);
        } else if (read_word(r, "ILIKE")) {
            sql = read_like(r, a.sql, false);
        } else if (read_word(r, "RLIKE") || read_word(r, "REGEXP")) {
            sql = read_text(r, "regexp_full_match(%s, %s)", a.sql, read_add(r).sql);
        } else {
            r->at = start;
            return a;
        }
        a = (struct expr){
            .sql = negated ? read_text(r, "(NOT %s)", sql) : sql, .from = a.from, .to = r->at
        };
    }
}

static struct expr
read_not(struct reader *r)
{
    size_t from = r->at;

    if (!read_word(r, "NOT"))
        return read_compare(r);
    read_deeper(r);
    const char *sql = read_text(r, "(NOT %s)", read_not(r).sql);
    r->depth--;
    return plain(r, from, sql);
}

static struct expr
read_and(struct reader *r)
{
    struct expr a = read_not(r);

    while (read_word(r, "AND")) {
        const char *sql = read_text(r, "(%s AND %s)", a.sql, read_not(r).sql);
        a = plain(r, a.from, sql);
    }
    return a;
}

static struct expr
read_or(struct reader *r)
{
    struct expr a = read_and(r);

    while (read_word(r, "OR")) {
        const char *sql = read_text(r, "(%s OR %s)", a.sql, read_and(r).sql);
        a = plain(r, a.from, sql);
    }
    return a;
}

struct expr
read_expr(struct reader *r)
{
    read_deeper(r);
    struct expr e = read_or(r);
    e.to = r->at;
    r->depth--;
    return e;
}
