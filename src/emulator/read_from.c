/* read_from.c - what stands behind FROM: tables, joins, FLATTEN, GENERATOR, VALUES.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

#include <stdlib.h>

static const char *read_table(struct reader *r);

static bool
is_cte(const struct reader *r, const char *name)
{
    for (const struct scope *s = r->ctes; s; s = s->outer)
        if (strcmp(s->name, name) == 0)
            return true;
    return false;
}

/* [AS] alias [(columns)], as " AS alias(columns)", or "". */
static const char *
read_alias(struct reader *r)
{
    const char *alias, *columns = "", *comma = "";

    if (!read_word(r, "AS") && (!read_is_name(r) || read_is_reserved(read_peek(r, 0))))
        return "";
    alias = read_ident(r, read_name(r));
    if (read_op(r, '(')) {
        do {
            columns = read_text(r, "%s%s%s", columns, comma, read_ident(r, read_name(r)));
            comma = ", ";
        } while (read_op(r, ','));
        read_need_op(r, ')');
        return read_text(r, " AS %s(%s)", alias, columns);
    }
    return read_text(r, " AS %s", alias);
}

/* ---- table functions ------------------------------------------------------------------ */

/* Named arguments: name => expression. */
struct named {
    const char *name;
    struct expr value;
};

static size_t
read_named_arguments(struct reader *r, struct named *out, size_t most)
{
    size_t n = 0;

    if (read_op(r, ')'))
        return 0;
    do {
        if (n == most)
            read_syntax(r);
        out[n].name = "";
        if (read_is_name(r) && sql_token_is_op(read_peek(r, 1), SQL_OP_NAMED)) {
            out[n].name = read_name(r);
            r->at++;
        }
        out[n++].value = read_expr(r);
    } while (read_op(r, ','));
    read_need_op(r, ')');
    return n;
}

static const struct expr *
named(const struct named *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i].value;
    return NULL;
}

static bool
is_true(const struct expr *e)
{
    return e && strcmp(e->sql, "TRUE") == 0;
}

/* Behind "FLATTEN(".  The columns are Snowflake's; *outer: also rows without elements. */
static const char *
read_flatten(struct reader *r, bool *outer)
{
    struct named a[6];
    size_t n = read_named_arguments(r, a, NELEM(a));
    const struct expr *input = named(a, n, "INPUT"), *path = named(a, n, "PATH");
    const char *json;

    if (!input && n > 0 && !*a[0].name)
        input = &a[0].value;
    if (!input)
        read_syntax(r);
    if (is_true(named(a, n, "RECURSIVE")) || named(a, n, "MODE"))
        read_unsupported(r, "FLATTEN with RECURSIVE or MODE");
    *outer = is_true(named(a, n, "OUTER"));
    json = read_text(r, "CAST(%s AS JSON)", input->sql);
    if (path) {
        if (!path->text)
            read_unsupported(r, "FLATTEN with a computed path");
        json = read_text(r, "json_extract(%s, '$.' || %s)", json, path->sql);
    }
    return read_text(r,
        "(SELECT 1 AS \"SEQ\", CASE WHEN json_type(_j) = 'OBJECT' THEN key END AS \"KEY\", "
        "CASE WHEN json_type(_j) = 'OBJECT' THEN key ELSE '[' || key || ']' END AS \"PATH\", "
        "CASE WHEN json_type(_j) = 'ARRAY' THEN CAST(key AS BIGINT) END AS \"INDEX\", "
        "CAST(value AS " TYPES_VAR ") AS \"VALUE\", CAST(_j AS " TYPES_VAR ") AS \"THIS\" "
        "FROM (SELECT %s AS _j) _i, LATERAL (SELECT key, value FROM json_each(_i._j)) _e "
        "WHERE json_type(_j) IN ('ARRAY', 'OBJECT'))",
        json);
}

static double
constant(struct reader *r, const struct expr *e)
{
    struct str s = read_source(r, e->from, e->to);
    char text[40], *end;
    double v;

    if (!str_copy(text, sizeof text, s))
        read_syntax(r);
    v = strtod(text, &end);
    if (*end || v < 0)
        read_unsupported(r, "GENERATOR with an expression");
    return v;
}

/* Behind "GENERATOR(".  TIMELIMIT makes a table that takes so many seconds. */
static const char *
read_generator(struct reader *r)
{
    struct named a[2];
    size_t n = read_named_arguments(r, a, NELEM(a));
    const struct expr *rows = named(a, n, "ROWCOUNT"), *seconds = named(a, n, "TIMELIMIT");

    if (!rows && !seconds)
        read_syntax(r);
    if (!seconds)
        return read_text(r, "(SELECT * FROM range(%.0f) AS _g(\"_N\"))", constant(r, rows));
    if (!rows)
        return read_text(r, "(SELECT * FROM _ticks(%f) AS _g(\"_N\"))", constant(r, seconds));
    return read_text(r, "(SELECT * FROM _ticks(%f) AS _g(\"_N\") LIMIT %.0f)", constant(r, seconds),
        constant(r, rows));
}

static const char *
read_split_to_table(struct reader *r)
{
    struct named a[2];

    if (read_named_arguments(r, a, NELEM(a)) != 2)
        read_syntax(r);
    return read_text(r,
        "(SELECT 1 AS \"SEQ\", CAST(generate_subscripts(_l, 1) AS BIGINT) AS \"INDEX\", "
        "unnest(_l) AS \"VALUE\" FROM (SELECT string_split(%s, %s) AS _l))",
        a[0].value.sql, a[1].value.sql);
}

/* Behind the name of a history function. */
static const char *
read_history(struct reader *r)
{
    struct named a[8];
    size_t n = read_named_arguments(r, a, NELEM(a));
    const struct expr *limit = named(a, n, "RESULT_LIMIT"), *user = named(a, n, "USER_NAME");
    const struct expr *end = named(a, n, "END_TIME_RANGE_END");
    const char *where = "true";

    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i].name, "RESULT_LIMIT") != 0 && strcmp(a[i].name, "USER_NAME") != 0 &&
            strcmp(a[i].name, "END_TIME_RANGE_START") != 0 &&
            strcmp(a[i].name, "END_TIME_RANGE_END") != 0)
            read_syntax(r);
    if (named(a, n, "END_TIME_RANGE_START"))
        where = read_text(r, "(\"END_TIME\" IS NULL OR \"END_TIME\" >= %s)",
            named(a, n, "END_TIME_RANGE_START")->sql);
    if (end)
        where = read_text(r, "%s AND \"END_TIME\" <= %s", where, end->sql);
    if (user)
        where = read_text(r, "%s AND \"USER_NAME\" = %s", where, user->sql);
    return read_text(r,
        "(SELECT * FROM _history(%s) WHERE %s ORDER BY \"START_TIME\" DESC LIMIT %s)",
        read_quote(r, str_of(r->job->history ? r->job->history : "[]")), where,
        limit ? limit->sql : "100");
}

/* Inside TABLE( or behind LATERAL: a function's name is next. */
static const char *
read_table_function(struct reader *r, bool *outer)
{
    size_t at = 0;

    *outer = false;
    while (sql_token_is_op(read_peek(r, at + 1), '.'))
        at += 2;
    if (!sql_token_is_op(read_peek(r, at + 1), '('))
        read_unsupported(r, "TABLE() of this");
    const struct sql_token *name = read_peek(r, at);
    bool of_schema = at >= 2 && sql_token_is(read_peek(r, at - 2), "INFORMATION_SCHEMA");
    const char *shown = read_upper(r, read_source(r, r->at, r->at + at + 1));
    r->at += at + 2;
    if (at == 0 && sql_token_is(name, "FLATTEN"))
        return read_flatten(r, outer);
    if (at == 0 && sql_token_is(name, "GENERATOR"))
        return read_generator(r);
    if (at == 0 &&
        (sql_token_is(name, "SPLIT_TO_TABLE") || sql_token_is(name, "STRTOK_SPLIT_TO_TABLE")))
        return read_split_to_table(r);
    if (of_schema &&
        (sql_token_is(name, "QUERY_HISTORY_BY_USER") || sql_token_is(name, "QUERY_HISTORY")))
        return read_history(r);
    if (of_schema || sql_token_is(name, "RESULT_SCAN") || sql_token_is(name, "TO_QUERY"))
        read_unsupported(r, shown);
    failure_set(
        r->f, "002141", "42601", "SQL compilation error:\nUnknown table function %s", shown);
    read_fail(r);
}

/* ---- tables --------------------------------------------------------------------------- */

static const char *
read_sample(struct reader *r, const char *sql)
{
    bool rows = false;
    double n;

    if (!read_word(r, "SAMPLE") && !read_word(r, "TABLESAMPLE"))
        return sql;
    if (!read_word(r, "BERNOULLI") && !read_word(r, "ROW") && !read_word(r, "SYSTEM"))
        read_word(r, "BLOCK");
    read_need_op(r, '(');
    struct expr e = read_expr(r);
    n = constant(r, &e);
    rows = read_word(r, "ROWS");
    read_need_op(r, ')');
    if (read_is(r, "SEED") || read_is(r, "REPEATABLE"))
        read_unsupported(r, "SAMPLE with a seed");
    return read_text(r, rows ? "%s USING SAMPLE %.0f ROWS" : "%s USING SAMPLE %f PERCENT", sql, n);
}

static const char *
read_information_schema_table(struct reader *r, const struct object *o)
{
    const char *sql = read_information_schema(r, o->database, o->name);
    const struct object database = { o->database, NULL, NULL };

    if (sql) {
        read_check(r,
            read_text(
                r, "SELECT count(*) FROM _db WHERE %s", read_object_where(r, &database, NULL)),
            "002003", "02000",
            read_text(r, "SQL compilation error:\nDatabase '%s' does not exist or not authorized.",
                read_object_shown(r, &database)));
        return sql;
    }
    failure_set(r->f, "002003", "42S02",
        "SQL compilation error:\nObject '%s' does not exist or not authorized.",
        read_object_shown(r, o));
    read_fail(r);
}

static const char *
read_named_table(struct reader *r)
{
    const struct sql_token *next = read_peek(r, 1);
    bool single = !sql_token_is_op(next, '.');
    const char *sql, *own_alias = "";

    if (read_is(r, "IDENTIFIER") && sql_token_is_op(next, '('))
        read_unsupported(r, "IDENTIFIER()");
    if (single) {
        const char *name = read_name(r);
        r->at--;
        if (is_cte(r, name)) {
            r->at++;
            sql = read_ident(r, name);
            return read_text(r, "%s%s", sql, read_alias(r));
        }
    }
    struct object o = read_object(r);
    if (read_is_op(r, '('))
        read_syntax(r);
    if (read_is(r, "AT") || read_is(r, "BEFORE") || read_is(r, "CHANGES"))
        read_unsupported(r, "time travel");
    if (strcmp(o.schema, "INFORMATION_SCHEMA") == 0) {
        sql = read_information_schema_table(r, &o);
        own_alias = read_text(r, " AS %s", read_ident(r, o.name));
    } else {
        sql = read_object_sql(r, &o);
        read_note_table(r, &o);
    }
    if (read_is(r, "PIVOT") || read_is(r, "UNPIVOT") || read_is(r, "MATCH_RECOGNIZE"))
        read_unsupported(r, read_upper(r, read_peek(r, 0)->raw));
    const char *sampled = read_sample(r, sql);
    if (sampled != sql)
        sql = read_text(r, "(SELECT * FROM %s)", sampled);
    const char *alias = read_alias(r);
    if (!*alias)
        alias = sampled != sql ? read_text(r, " AS %s", read_ident(r, o.name)) : own_alias;
    if (read_is(r, "SAMPLE") || read_is(r, "TABLESAMPLE"))
        sql = read_text(r, "(SELECT * FROM %s)", read_sample(r, sql));
    return read_text(r, "%s%s", sql, alias);
}

static const char *
read_values_table(struct reader *r, bool parens)
{
    const char *q = read_query(r);

    if (parens)
        read_need_op(r, ')');
    return read_text(r, "(%s)%s", q, read_alias(r));
}

static const char *
read_parenthesized(struct reader *r)
{
    const char *inner;

    if (sql_token_is(read_peek(r, 1), "VALUES")) {
        r->at++;
        return read_values_table(r, true);
    }
    if (read_starts_query(r, 0)) {
        r->at++;
        inner = read_query(r);
    } else {
        r->at++;
        read_deeper(r);
        inner = read_from_item(r);
        r->depth--;
        read_need_op(r, ')');
        return read_text(r, "(%s)", inner);
    }
    read_need_op(r, ')');
    if (read_is(r, "PIVOT") || read_is(r, "UNPIVOT"))
        read_unsupported(r, read_upper(r, read_peek(r, 0)->raw));
    return read_text(r, "(%s)%s", inner, read_alias(r));
}

/* FLATTEN with or without LATERAL: *outer asks for a left join. */
static const char *
read_lateral(struct reader *r, bool *outer)
{
    const char *sql;

    if (read_word(r, "TABLE")) {
        read_need_op(r, '(');
        sql = read_table_function(r, outer);
        read_need_op(r, ')');
    } else {
        sql = read_table_function(r, outer);
    }
    return read_text(r, "LATERAL %s%s", sql, read_alias(r));
}

static const char *
read_table(struct reader *r)
{
    bool outer = false;

    if (read_peek(r, 0)->kind == SQL_STAGE)
        read_unsupported(r, "stages");
    if (read_is_op(r, '('))
        return read_parenthesized(r);
    if (read_is(r, "VALUES"))
        return read_values_table(r, false);
    if (read_word(r, "LATERAL")) {
        if (read_is_op(r, '(')) {
            r->at++;
            const char *q = read_query(r);
            read_need_op(r, ')');
            return read_text(r, "LATERAL (%s)%s", q, read_alias(r));
        }
        const char *sql = read_lateral(r, &outer);
        if (outer)
            read_unsupported(r, "FLATTEN with OUTER in this place");
        return sql;
    }
    if (read_is(r, "TABLE") && sql_token_is_op(read_peek(r, 1), '(')) {
        const char *sql = read_lateral(r, &outer);
        if (outer)
            read_unsupported(r, "FLATTEN with OUTER in this place");
        return sql;
    }
    if (!read_is_name(r))
        read_syntax(r);
    return read_named_table(r);
}

/* ", LATERAL FLATTEN(... OUTER => TRUE)" is a left join. */
static bool
at_flatten(const struct reader *r)
{
    return (sql_token_is_op(read_peek(r, 0), ',') &&
            ((sql_token_is(read_peek(r, 1), "LATERAL") && !sql_token_is_op(read_peek(r, 2), '(')) ||
                (sql_token_is(read_peek(r, 1), "TABLE") && sql_token_is_op(read_peek(r, 2), '('))));
}

static const char *
join_kind(struct reader *r)
{
    if (read_words(r, "NATURAL JOIN"))
        return "NATURAL JOIN";
    if (read_words(r, "CROSS JOIN"))
        return "CROSS JOIN";
    if (read_word(r, "JOIN") || read_words(r, "INNER JOIN"))
        return "JOIN";
    if (read_words(r, "LEFT OUTER JOIN") || read_words(r, "LEFT JOIN"))
        return "LEFT JOIN";
    if (read_words(r, "RIGHT OUTER JOIN") || read_words(r, "RIGHT JOIN"))
        return "RIGHT JOIN";
    if (read_words(r, "FULL OUTER JOIN") || read_words(r, "FULL JOIN"))
        return "FULL JOIN";
    if (read_is(r, "ASOF") || read_is(r, "NATURAL") || read_is(r, "DIRECTED"))
        read_unsupported(r, "this kind of join");
    return NULL;
}

static const char *
read_using(struct reader *r)
{
    const char *list = "", *comma = "";

    read_need_op(r, '(');
    do {
        list = read_text(r, "%s%s%s", list, comma, read_ident(r, read_name(r)));
        comma = ", ";
    } while (read_op(r, ','));
    read_need_op(r, ')');
    return list;
}

const char *
read_from_item(struct reader *r)
{
    const char *sql = read_table(r), *kind;
    bool outer;

    for (;;) {
        if (at_flatten(r)) {
            r->at++;
            read_word(r, "LATERAL");
            const char *table = read_lateral(r, &outer);
            sql = read_text(r, outer ? "%s LEFT JOIN %s ON true" : "%s CROSS JOIN %s", sql, table);
            continue;
        }
        kind = join_kind(r);
        if (!kind)
            return sql;
        if ((read_is(r, "LATERAL") && !sql_token_is_op(read_peek(r, 1), '(')) ||
            (read_is(r, "TABLE") && sql_token_is_op(read_peek(r, 1), '('))) {
            read_word(r, "LATERAL");
            const char *table = read_lateral(r, &outer);
            sql = read_text(r,
                outer || strcmp(kind, "LEFT JOIN") == 0 ? "%s LEFT JOIN %s ON true"
                                                        : "%s CROSS JOIN %s",
                sql, table);
            continue;
        }
        sql = read_text(r, "%s %s %s", sql, kind, read_table(r));
        if (read_word(r, "ON"))
            sql = read_text(r, "%s ON %s", sql, read_expr(r).sql);
        else if (read_word(r, "USING"))
            sql = read_text(r, "%s USING (%s)", sql, read_using(r));
        else if (strcmp(kind, "JOIN") == 0)
            sql = read_text(r, "%s ON true", sql);
    }
}
