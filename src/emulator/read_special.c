/* read_special.c - functions whose DuckDB text depends on more than their place in a template:
 * on the types of their arguments, on their number, or on who asks.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "emulator/catalog.h"
#include "must.h"

#include <stdio.h>

/* Snowflake's date format as strftime's; what it does not know is refused. */
static const char *
date_format(struct reader *r, const char *format)
{
    static const struct {
        const char *from, *to;
    } pieces[] = { { "YYYY", "%Y" }, { "YY", "%y" }, { "MMMM", "%B" }, { "MON", "%b" },
        { "MM", "%m" }, { "DD", "%d" }, { "DY", "%a" }, { "HH24", "%H" }, { "HH12", "%I" },
        { "AM", "%p" }, { "PM", "%p" }, { "MI", "%M" }, { "SS", "%S" }, { "FF3", "%g" },
        { "FF6", "%f" } };
    const char *out = "";

    while (*format) {
        size_t i = 0;
        struct str rest = str_of(format);
        while (
            i < NELEM(pieces) && (rest.n < strlen(pieces[i].from) ||
                                     !str_eq_nocase((struct str){ rest.p, strlen(pieces[i].from) },
                                         str_of(pieces[i].from))))
            i++;
        if (i < NELEM(pieces)) {
            out = read_text(r, "%s%s", out, pieces[i].to);
            format += strlen(pieces[i].from);
        } else if (*format == '"' && strchr(format + 1, '"')) {
            const char *end = strchr(format + 1, '"');
            out = read_text(r, "%s%.*s", out, (int)(end - format - 1), format + 1);
            format = end + 1;
        } else if (strchr("-/ .:,;_T", *format)) {
            out = read_text(r, "%s%c", out, *format++);
        } else {
            read_unsupported(r, "this format");
        }
    }
    return read_quote(r, str_of(out));
}

/* The literal text of an argument: formats must be known to be rewritten. */
static const char *
literal(struct reader *r, const struct expr *e)
{
    if (!e->text)
        read_unsupported(r, "a format that is no literal");
    const size_t at = r->at;
    r->at = e->from;
    const char *text = read_string(r);
    r->at = at;
    return text;
}

static const char *
text_of(struct reader *r, struct call *c)
{
    const char *probe = NULL;
    const struct site *s = read_site(r, SITE_TEXT, c->args, 1, &probe);

    if (!s) {
        c->probed = true;
        return probe;
    }
    if (c->n == 1)
        return read_to_text(r, &c->args[0], s->arg[0].type);
    if (s->arg[0].type != SITE_DATE && s->arg[0].type != SITE_TIMESTAMP)
        read_unsupported(r, "formats for this type");
    return read_text(
        r, "strftime(%s, %s)", c->args[0].sql, date_format(r, literal(r, &c->args[1])));
}

static int
number_argument(struct reader *r, const struct expr *e)
{
    uint64_t n;

    if (!e->integer || str_to_u64(read_source(r, e->from, e->to), &n) != 0 || n > 38)
        read_unsupported(r, "precision or scale that is no literal");
    return (int)n;
}

static const char *
number_of(struct reader *r, struct call *c, bool try_only)
{
    struct sql_type t = {
        .duck = "DECIMAL(38,0)", .declared = "NUMBER(38,0)", .kind = SITE_DECIMAL
    };
    int precision = 38, scale = 0;

    if (c->n > 1)
        precision = number_argument(r, &c->args[1]);
    if (c->n > 2)
        scale = number_argument(r, &c->args[2]);
    if (scale > precision || precision < 1)
        read_unsupported(r, "this precision and scale");
    t.duck = read_text(r, "DECIMAL(%d,%d)", precision, scale);
    t.declared = read_text(r, "NUMBER(%d,%d)", precision, scale);
    t.scale = scale;
    struct expr e = read_cast(r, c->args[0], t, try_only);
    c->probed = e.probed;
    return e.sql;
}

static const char *
simple_cast(struct reader *r, struct call *c, enum site_type kind, bool try_only)
{
    struct expr e = read_cast(r, c->args[0], read_type_of(kind), try_only);

    c->probed = e.probed;
    return e.sql;
}

/* TO_DATE(text, format) and its like. */
static const char *
time_of(struct reader *r, struct call *c, enum site_type kind, bool try_only)
{
    if (c->n == 1)
        return simple_cast(r, c, kind, try_only);
    const char *sql = read_text(r, "%s(%s, %s)", try_only ? "try_strptime" : "strptime",
        c->args[0].sql, date_format(r, literal(r, &c->args[1])));
    return read_text(r, "CAST(%s AS %s)", sql, kind == SITE_DATE ? "DATE" : "TIMESTAMP");
}

static const char *
average(struct reader *r, struct call *c)
{
    const char *probe = NULL, *d = c->distinct ? "DISTINCT " : "", *x = c->args[0].sql;
    struct expr inner = c->args[0];
    const struct site *s;

    /* any_value: the probe must stay an aggregate */
    inner.sql = read_text(r, "any_value(%s)", x);
    s = read_site(r, SITE_REAL, &inner, 1, &probe);
    if (!s) {
        c->probed = true;
        if (read_is(r, "OVER")) { /* the window goes to the aggregate inside */
            size_t keep = strlen(probe) - 1;
            return read_text(r, "%.*s" OVER_MARK ")", (int)keep, probe);
        }
        return probe;
    }
    if (s->arg[0].type == SITE_REAL)
        return read_text(r, "avg(%s%s)" OVER_MARK, d, x);
    if (s->arg[0].type != SITE_INTEGER && s->arg[0].type != SITE_DECIMAL &&
        s->arg[0].type != SITE_NULL)
        read_unsupported(r, "the average of this type");
    int scale = s->arg[0].scale, more = scale + 6 < 12 ? scale + 6 : 12;
    return read_text(r, "_div_%d(sum(%s%s)" OVER_MARK ", nullif(count(%s%s)" OVER_MARK ", 0))",
        more > scale ? more : scale, d, x, d, x);
}

/* Of whole numbers and decimals: three more decimals than they have. */
static const char *
median(struct reader *r, struct call *c)
{
    struct expr inner = c->args[0];
    const char *probe = NULL;
    const struct site *s;

    inner.sql = read_text(r, "any_value(%s)", c->args[0].sql);
    s = read_site(r, SITE_REAL, &inner, 1, &probe);
    if (read_is(r, "OVER"))
        read_unsupported(r, "MEDIAN with OVER");
    if (!s) {
        c->probed = true;
        return probe;
    }
    if (s->arg[0].type == SITE_REAL)
        return read_text(r, "median(%s)", c->args[0].sql);
    if (s->arg[0].type != SITE_INTEGER && s->arg[0].type != SITE_DECIMAL)
        read_unsupported(r, "the median of this type");
    int scale = s->arg[0].scale + 3 < 37 ? s->arg[0].scale + 3 : 37;
    return read_text(r, "quantile_cont(CAST(%s AS DECIMAL(38,%d)), 0.5)", c->args[0].sql, scale);
}

static const char *
count(struct reader *r, struct call *c)
{
    const char *nulls = "", *all = "";

    if (c->star || c->n == 0) {
        if (!c->star)
            read_syntax(r);
        return "count(*)" OVER_MARK;
    }
    if (c->n == 1)
        return read_text(
            r, "count(%s%s)" OVER_MARK, c->distinct ? "DISTINCT " : "", c->args[0].sql);
    for (size_t i = 0; i < c->n; i++) {
        nulls = read_text(r, "%s%s%s IS NULL", nulls, i > 0 ? " OR " : "", c->args[i].sql);
        all = read_text(r, "%s%s%s", all, i > 0 ? ", " : "", c->args[i].sql);
    }
    return read_text(r, "count(%sCASE WHEN %s THEN NULL ELSE (%s) END)" OVER_MARK,
        c->distinct ? "DISTINCT " : "", nulls, all);
}

/* NULL as soon as one of them is; DuckDB's skip NULLs. */
static const char *
extreme(struct reader *r, struct call *c)
{
    const char *nulls = "", *all = "";

    for (size_t i = 0; i < c->n; i++) {
        nulls = read_text(r, "%s%s%s IS NULL", nulls, i > 0 ? " OR " : "", c->args[i].sql);
        all = read_text(r, "%s%s%s", all, i > 0 ? ", " : "", c->args[i].sql);
    }
    return read_text(r, "CASE WHEN %s THEN NULL ELSE %s(%s) END", nulls,
        strcmp(c->name, "GREATEST") == 0 ? "greatest" : "least", all);
}

/* CONCAT, and CONCAT_WS with its separator first. */
static const char *
concat(struct reader *r, struct call *c, size_t first)
{
    struct expr all = c->args[first], empty = { .sql = "''", .text = true };

    if (c->n == first + 1)
        all = read_concat(r, all, empty);
    for (size_t i = first + 1; i < c->n; i++) {
        if (first > 0)
            all = read_concat(r, all, c->args[0]);
        all = read_concat(r, all, c->args[i]);
    }
    c->probed = all.probed;
    return all.sql;
}

static const char *
decode(struct reader *r, struct call *c)
{
    const char *sql = "CASE";
    size_t i = 1;

    for (; i + 1 < c->n; i += 2)
        sql = read_text(r, "%s WHEN %s IS NOT DISTINCT FROM %s THEN %s", sql, c->args[0].sql,
            c->args[i].sql, c->args[i + 1].sql);
    if (i < c->n)
        sql = read_text(r, "%s ELSE %s", sql, c->args[i].sql);
    return read_text(r, "%s END", sql);
}

static const char *
object_construct(struct reader *r, struct call *c)
{
    const char *all = "";
    bool keep = strstr(c->name, "KEEP_NULL") != NULL;

    if (c->n % 2 != 0)
        read_syntax(r);
    for (size_t i = 0; i < c->n; i++)
        all = read_text(r, "%s%s%s", all, i > 0 ? ", " : "",
            i % 2 == 0 ? c->args[i].sql : read_json_value(r, c->args[i], &c->probed));
    all = read_text(r, "json_object(%s)", all);
    if (!keep)
        all = read_text(r, "CAST(_without_nulls(CAST(%s AS VARCHAR)) AS JSON)", all);
    return read_text(r, "CAST(%s AS " TYPES_OBJ ")", all);
}

static const char *
array_construct(struct reader *r, struct call *c)
{
    const char *all = "";

    for (size_t i = 0; i < c->n; i++)
        all = read_text(
            r, "%s%s%s", all, i > 0 ? ", " : "", read_json_value(r, c->args[i], &c->probed));
    return read_text(r, "CAST(json_array(%s) AS " TYPES_ARR ")", all);
}

static const char *
object_aggregate(struct reader *r, struct call *c)
{
    return read_text(r, "CAST(json_group_object(%s, %s)" OVER_MARK " AS " TYPES_OBJ ")",
        c->args[0].sql, read_json_value(r, c->args[1], &c->probed));
}

static const char *
list_aggregate(struct reader *r, struct call *c)
{
    const char *order = c->within ? read_text(r, " ORDER BY %s", c->within) : "";
    const char *d = c->distinct ? "DISTINCT " : "";

    if (strcmp(c->name, "ARRAY_AGG") == 0) {
        const char *x = read_json_value(r, c->args[0], &c->probed);
        return read_text(r,
            "CAST(to_json(coalesce(list(%s%s%s) FILTER (WHERE %s IS NOT NULL)" OVER_MARK
            ", [])) AS " TYPES_ARR ")",
            d, x, order, x);
    }
    return read_text(r, "coalesce(string_agg(%sCAST(%s AS VARCHAR), %s%s)" OVER_MARK ", '')", d,
        c->args[0].sql, c->n > 1 ? c->args[1].sql : "''", order);
}

static const char *
percentile(struct reader *r, struct call *c)
{
    if (!c->within)
        read_syntax(r);
    return read_text(r, "%s(%s) WITHIN GROUP (ORDER BY %s)" OVER_MARK,
        strcmp(c->name, "PERCENTILE_CONT") == 0 ? "percentile_cont" : "percentile_disc",
        c->args[0].sql, c->within);
}

static const char *
uniform(struct reader *r, struct call *c)
{
    const char *low = c->args[0].sql, *high = c->args[1].sql, *by = c->args[2].sql;
    bool whole = c->args[0].integer && c->args[1].integer;

    if (!whole && strstr(by, "_random()"))
        return read_text(r, "(%s + (%s - %s) * random())", low, high, low);
    if (!whole)
        read_unsupported(r, "UNIFORM over a generator that is not RANDOM");
    if (strstr(by, "_random()"))
        return read_text(
            r, "(%s + CAST(floor(random() * (%s - %s + 1)) AS BIGINT))", low, high, low);
    return read_text(
        r, "(%s + CAST(hash(%s) %% CAST(%s - %s + 1 AS UBIGINT) AS BIGINT))", low, by, high, low);
}

static const char *
get(struct reader *r, struct call *c)
{
    if (c->args[1].text)
        return read_text(r,
            "CAST(json_extract(CAST(%s AS JSON), '$.\"' || %s || '\"') AS " TYPES_VAR ")",
            c->args[0].sql, c->args[1].sql);
    return read_text(r,
        "CAST(json_extract(CAST(%s AS JSON), '$[' || CAST(%s AS BIGINT) || ']') AS " TYPES_VAR ")",
        c->args[0].sql, c->args[1].sql);
}

static const char *
text_or_null(struct reader *r, const char *s)
{
    return s ? read_quote(r, str_of(s)) : "CAST(NULL AS VARCHAR)";
}

static const char *
context(struct reader *r, struct call *c)
{
    const struct engine_job *j = r->job;

    if (strcmp(c->name, "CURRENT_USER") == 0)
        return text_or_null(r, j->user);
    if (strcmp(c->name, "CURRENT_ROLE") == 0)
        return text_or_null(r, j->role);
    if (strcmp(c->name, "CURRENT_WAREHOUSE") == 0)
        return text_or_null(r, j->warehouse);
    if (strcmp(c->name, "CURRENT_DATABASE") == 0)
        return text_or_null(r, j->database);
    if (strcmp(c->name, "CURRENT_SCHEMA") == 0)
        return text_or_null(r, j->schema);
    if (strcmp(c->name, "CURRENT_SCHEMAS") == 0)
        return read_quote(r, str_of(read_text(r, "[\"%s.%s\"]", j->database ? j->database : "",
                                 j->schema ? j->schema : "")));
    if (strcmp(c->name, "CURRENT_ACCOUNT") == 0 || strcmp(c->name, "CURRENT_ACCOUNT_NAME") == 0)
        return text_or_null(r, j->account);
    if (strcmp(c->name, "CURRENT_STATEMENT") == 0)
        return text_or_null(r, j->sql);
    if (strcmp(c->name, "CURRENT_AVAILABLE_ROLES") == 0)
        return "(SELECT CAST(to_json(list(name ORDER BY name)) AS VARCHAR) FROM _roles)";
    if (strcmp(c->name, "IS_ROLE_IN_SESSION") == 0)
        return read_text(r, "(%s = %s)", c->args[0].sql, text_or_null(r, j->role));
    return NULL;
}

/* GET_DDL('TABLE', 'DB.SCHEMA.NAME') */
static const char *
get_ddl(struct reader *r, struct call *c)
{
    const char *kind = read_upper(r, str_of(literal(r, &c->args[0])));
    const char *name = literal(r, &c->args[1]);
    struct sql_token tokens[8];
    struct sql_lexer lexer;
    size_t n = 0;
    struct reader inner = *r;

    sql_lex_init(&lexer, str_of(name));
    while (n < NELEM(tokens) && sql_lex_next(&lexer, &tokens[n]))
        n++;
    if (n == NELEM(tokens) || tokens[n].kind != SQL_END)
        read_syntax(r);
    inner.tokens = tokens;
    inner.at = 0;
    struct object o = read_object(&inner);
    if (strcmp(kind, "TABLE") != 0 && strcmp(kind, "VIEW") != 0)
        read_unsupported(r, "GET_DDL of this kind of object");
    return read_text(r, "coalesce((SELECT ddl FROM _ddl WHERE %s AND kind = '%s'), error(%s))",
        read_object_where(r, &o, "name"), kind,
        read_quote(
            r, str_of(read_text(r,
                   "~002003~42S02~SQL compilation error:\n%s '%s' does not exist or "
                   "not authorized.",
                   strcmp(kind, "VIEW") == 0 ? "View" : "Table", read_object_shown(r, &o)))));
}

static const char *
system_wait(struct reader *r, struct call *c)
{
    double factor = 1;
    uint64_t n;

    if (!c->args[0].integer || str_to_u64(read_source(r, c->args[0].from, c->args[0].to), &n) != 0)
        read_unsupported(r, "SYSTEM$WAIT with an expression");
    if (c->n > 1) {
        const char *unit = read_upper(r, str_of(literal(r, &c->args[1])));
        factor = strcmp(unit, "MILLISECONDS") == 0 ? 0.001
                 : strcmp(unit, "MINUTES") == 0    ? 60
                 : strcmp(unit, "HOURS") == 0      ? 3600
                                                   : 1;
    }
    return read_text(r,
        "(SELECT 'waited %llu seconds' FROM (SELECT count(*) AS n FROM _ticks(%f)) WHERE n >= 0)",
        (unsigned long long)n, (double)n * factor);
}

static const char *
div0(struct reader *r, struct call *c)
{
    read_unsupported(r, c->name);
}

static const char *
typeof_text(struct reader *r, struct call *c)
{
    return read_text(r, "(_declared(typeof(%s)) || '[LOB]')", c->args[0].sql);
}

static const struct {
    const char *prefix; /* TRY_ before it, and what follows the name, is handled by the maker */
    enum site_type kind;
} casts[] = {
    { "TO_DOUBLE", SITE_REAL },
    { "TO_BOOLEAN", SITE_BOOLEAN },
    { "TO_TIMESTAMP_LTZ", SITE_TIMESTAMP_LTZ },
    { "TO_TIMESTAMP_TZ", SITE_TIMESTAMP_TZ },
    { "TO_TIME", SITE_TIME },
    { "TIME", SITE_TIME },
    { "TO_BINARY", SITE_BINARY },
    { "TO_VARIANT", SITE_JSON },
};

static const struct {
    const char *name;
    enum site_type kind;
} times[] = {
    { "TO_DATE", SITE_DATE },
    { "DATE", SITE_DATE },
    { "TO_TIMESTAMP", SITE_TIMESTAMP },
    { "TO_TIMESTAMP_NTZ", SITE_TIMESTAMP },
};

static const struct {
    const char *name;
    const char *(*make)(struct reader *r, struct call *c);
} makers[] = {
    { "TO_CHAR", text_of },
    { "TO_VARCHAR", text_of },
    { "AVG", average },
    { "COUNT", count },
    { "MEDIAN", median },
    { "GREATEST", extreme },
    { "LEAST", extreme },
    { "DECODE", decode },
    { "OBJECT_CONSTRUCT", object_construct },
    { "OBJECT_CONSTRUCT_KEEP_NULL", object_construct },
    { "ARRAY_CONSTRUCT", array_construct },
    { "OBJECT_AGG", object_aggregate },
    { "LISTAGG", list_aggregate },
    { "STRING_AGG", list_aggregate },
    { "ARRAY_AGG", list_aggregate },
    { "PERCENTILE_CONT", percentile },
    { "PERCENTILE_DISC", percentile },
    { "UNIFORM", uniform },
    { "GET", get },
    { "GET_DDL", get_ddl },
    { "SYSTEM$WAIT", system_wait },
    { "SYSTEM$TYPEOF", typeof_text },
    { "DIV0", div0 },
};

const char *
read_special(struct reader *r, struct call *c)
{
    bool try_only = strncmp(c->name, "TRY_", 4) == 0;
    const char *name = try_only ? c->name + 4 : c->name;

    if (strcmp(name, "TO_NUMBER") == 0 || strcmp(name, "TO_DECIMAL") == 0 ||
        strcmp(name, "TO_NUMERIC") == 0)
        return number_of(r, c, try_only);
    if (strcmp(name, "CONCAT") == 0)
        return concat(r, c, 0);
    if (strcmp(name, "CONCAT_WS") == 0)
        return concat(r, c, 1);
    for (size_t i = 0; i < NELEM(casts); i++)
        if (strcmp(name, casts[i].prefix) == 0)
            return simple_cast(r, c, casts[i].kind, try_only);
    for (size_t i = 0; i < NELEM(times); i++)
        if (strcmp(name, times[i].name) == 0)
            return time_of(r, c, times[i].kind, try_only);
    for (size_t i = 0; i < NELEM(makers); i++)
        if (strcmp(name, makers[i].name) == 0)
            return makers[i].make(r, c);
    return context(r, c);
}
