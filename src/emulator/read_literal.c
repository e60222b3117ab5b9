/* read_literal.c - literals and bound values: what stands for itself.
 *
 * Engine threads.  A bound value becomes a literal here, quoted and checked against its type. */
#include "emulator/read.h"

#include "must.h"

#include <stdio.h>
#include <stdlib.h>

struct expr
read_plain(const struct reader *r, size_t from, const char *sql)
{
    return (struct expr){ .sql = sql, .from = from, .to = r->at };
}

static struct expr
read_number(struct reader *r)
{
    size_t from = r->at++, digits = 0;
    struct str raw = r->tokens[from].raw;
    bool exponent = memchr(raw.p, 'e', raw.n) || memchr(raw.p, 'E', raw.n);
    bool point = memchr(raw.p, '.', raw.n) != NULL;
    struct expr e = read_plain(r, from, read_copy(r, raw));

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
    struct expr e = read_plain(r, from, read_quote(r, str_of(value)));

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
        return read_text(
            r, "(make_timestamp(%lld) AT TIME ZONE 'UTC')", (long long)whole_microseconds(r, n));
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
            return read_plain(r, from, bind_sql(r, &r->job->binds[i]));
        }
    }
    failure_set(r->f, "002049", "42601",
        "SQL compilation error: error line %u at position %u\nBind variable %.*s not set.", t->line,
        t->column - 1, (int)(t->raw.n < 50 ? t->raw.n : 50), t->raw.p);
    read_fail(r);
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
    struct expr e =
        read_plain(r, from, read_text(r, "CAST(json_array(%s) AS " TYPES_ARR ")", list));
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
    struct expr e =
        read_plain(r, from, read_text(r, "CAST(json_object(%s) AS " TYPES_OBJ ")", list));
    e.probed = probed;
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
    return read_plain(r, from, read_text(r, "INTERVAL %s", read_quote(r, str_of(copy))));
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

/* x'00FF' is one token to Snowflake and two to the lexer. */
static struct expr
read_binary_literal(struct reader *r)
{
    size_t from = r->at++;

    return read_plain(r, from, read_text(r, "unhex(%s)", read_text_literal(r).sql));
}

static bool
is_time_type(const struct reader *r)
{
    static const char *const words[] = { "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NTZ",
        "TIMESTAMP_LTZ", "TIMESTAMP_TZ" };

    for (size_t i = 0; i < NELEM(words); i++)
        if (read_is(r, words[i]))
            return true;
    return false;
}

bool
read_literal(struct reader *r, struct expr *out)
{
    const struct sql_token *t = read_peek(r, 0), *next = read_peek(r, 1);
    bool text_next = next->kind == SQL_STRING || next->kind == SQL_DOLLAR_STRING;

    if (t->kind == SQL_NUMBER)
        *out = read_number(r);
    else if (t->kind == SQL_STRING || t->kind == SQL_DOLLAR_STRING)
        *out = read_text_literal(r);
    else if (t->kind == SQL_BIND)
        *out = read_bind(r);
    else if (sql_token_is_op(t, '['))
        *out = read_array(r);
    else if (sql_token_is_op(t, '{'))
        *out = read_object_literal(r);
    else if (text_next && sql_token_is(t, "X") && next->offset == t->offset + 1)
        *out = read_binary_literal(r);
    else if (text_next && sql_token_is(t, "INTERVAL"))
        *out = read_interval(r);
    else if (text_next && is_time_type(r))
        *out = read_typed_literal(r);
    else
        return false;
    return true;
}
