/* read_expr.c - expressions: operators by precedence, literals, paths, CASE, predicates.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

#define MOST_DEPTH 200

static struct expr read_or(struct reader *r);
static struct expr read_unary(struct reader *r);

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

/* ---- lists, CASE, CAST ---------------------------------------------------------------- */

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
    struct expr out = read_plain(r, from, read_text(r, "(%s)", inner));
    out.probed = e.probed;
    return out;
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
    e = read_plain(r, from, read_text(r, "%s END", sql));
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

/* ---- names: columns, functions, CURRENT_DATE ------------------------------------------ */

static struct expr
read_column(struct reader *r)
{
    size_t from = r->at, n = 0;
    const char *name = NULL, *sql = NULL;

    do {
        if (read_is_op(r, '*') && sql) { /* t.* is for select lists and count() */
            r->at++;
            return read_plain(r, from, read_text(r, "%s.*", sql));
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
    struct expr e = read_plain(r, from, sql);
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
            return read_plain(r, from, read_text(r, "EXISTS (%s)", q));
        }
        if (!read_is_reserved(read_peek(r, 0)) || read_is(r, "LEFT") || read_is(r, "RIGHT") ||
            read_is(r, "LIKE") || read_is(r, "INSERT") || read_is(r, "RLIKE"))
            return read_call(r);
    }
    if (read_is(r, "CASE"))
        return read_case(r);
    if (read_is(r, "NULL") || read_is(r, "TRUE") || read_is(r, "FALSE")) {
        struct str raw = r->tokens[r->at++].raw;
        return read_plain(r, from, read_upper(r, raw));
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
    struct expr literal;

    if (read_literal(r, &literal))
        return literal;
    switch (t->kind) {
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
        read_syntax(r);
    default:
        read_syntax(r);
    }
}

/* ---- what follows a primary ----------------------------------------------------------- */

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
    struct expr out = read_plain(r, e.from, read_text(r, "CAST(%s AS " TYPES_VAR ")", json));
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

/* ---- arithmetic ----------------------------------------------------------------------- */

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

struct expr
read_sum(struct reader *r)
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

/* ---- logic ---------------------------------------------------------------------------- */

static struct expr
read_not(struct reader *r)
{
    size_t from = r->at;

    if (!read_word(r, "NOT"))
        return read_predicate(r);
    read_deeper(r);
    const char *sql = read_text(r, "(NOT %s)", read_not(r).sql);
    r->depth--;
    return read_plain(r, from, sql);
}

static struct expr
read_and(struct reader *r)
{
    struct expr a = read_not(r);

    while (read_word(r, "AND")) {
        const char *sql = read_text(r, "(%s AND %s)", a.sql, read_not(r).sql);
        a = read_plain(r, a.from, sql);
    }
    return a;
}

static struct expr
read_or(struct reader *r)
{
    struct expr a = read_and(r);

    while (read_word(r, "OR")) {
        const char *sql = read_text(r, "(%s OR %s)", a.sql, read_and(r).sql);
        a = read_plain(r, a.from, sql);
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
