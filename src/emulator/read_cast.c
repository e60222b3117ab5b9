/* read_cast.c - conversions, with Snowflake's rules for each pair of types.
 *
 * Engine threads.  A cast whose source type is not known from its text asks for a probe first. */
#include "emulator/read.h"

#include "must.h"

static const char *
probe_name(enum site_type returns)
{
    switch (returns) {
    case SITE_TEXT:
        return "_site_text";
    case SITE_INTEGER:
        return "_site_int";
    case SITE_BOOLEAN:
        return "_site_bool";
    case SITE_DATE:
        return "_site_date";
    case SITE_TIME:
        return "_site_time";
    case SITE_TIMESTAMP:
    case SITE_TIMESTAMP_TZ:
        return "_site_ts";
    case SITE_TIMESTAMP_LTZ:
        return "_site_ltz";
    case SITE_BINARY:
        return "_site_blob";
    default:
        return "_site_real";
    }
}

static unsigned
site_number(struct reader *r, const char *text)
{
    for (unsigned i = 0; i < r->sites; i++)
        if (r->site_keys[i].select == r->select && strcmp(r->site_keys[i].text, text) == 0)
            return i;
    if (r->sites == SITE_MAX)
        read_unsupported(r, "a statement with so many conversions");
    r->site_keys[r->sites].text = text;
    r->site_keys[r->sites].select = r->select;
    return r->sites++;
}

const struct site *
read_site(
    struct reader *r, enum site_type returns, const struct expr *args, size_t n, const char **probe)
{
    const char *list = "";
    bool inner = false;

    must(n >= 1 && n <= SITE_ARGS);
    for (size_t i = 0; i < n; i++) {
        list = read_text(r, "%s, %s", list, args[i].sql);
        inner |= args[i].probed;
    }
    unsigned number = site_number(r, list);
    if (r->known->site[number].known && !inner)
        return &r->known->site[number];
    r->plan->unresolved = true;
    if (inner) /* what the inner one gives is not known, so neither is this */
        *probe = read_text(r, "%s(-1%s)", probe_name(returns), list);
    else
        *probe = read_text(r, "%s(%u%s)", probe_name(returns), number, list);
    return NULL;
}

const char *
read_to_text(struct reader *r, const struct expr *e, enum site_type type)
{
    switch (type) {
    case SITE_TEXT:
        return e->sql;
    case SITE_REAL:
        return read_text(r, "_real_text(%s)", e->sql);
    case SITE_TIME:
        return read_text(r, "left(CAST(%s AS VARCHAR), 8)", e->sql);
    case SITE_TIMESTAMP:
        return read_text(r, "strftime(%s, '%%Y-%%m-%%d %%H:%%M:%%S.%%g')", e->sql);
    case SITE_BINARY:
        return read_text(r, "hex(%s)", e->sql);
    case SITE_JSON:
        return read_text(r, "((%s)::JSON ->> '$')", e->sql);
    case SITE_TIMESTAMP_LTZ:
    case SITE_TIMESTAMP_TZ:
        read_unsupported(r, "time zones as text");
    case SITE_OTHER:
    case SITE_INTERVAL:
        read_unsupported(r, "conversion of this type to text");
    default:
        return read_text(r, "CAST(%s AS VARCHAR)", e->sql);
    }
}

/* A value as a member of an ARRAY or OBJECT. */
const char *
read_json_value(struct reader *r, struct expr e, bool *probed)
{
    const char *probe = NULL;
    const struct site *s;

    if (e.text || e.integer)
        return e.sql;
    s = read_site(r, SITE_TEXT, &e, 1, &probe);
    if (!s) {
        *probed = true;
        return probe;
    }
    switch (s->arg[0].type) {
    case SITE_JSON:
        return read_text(r, "CAST(%s AS JSON)", e.sql);
    case SITE_TEXT:
    case SITE_INTEGER:
    case SITE_DECIMAL:
    case SITE_REAL:
    case SITE_BOOLEAN:
    case SITE_NULL:
        return e.sql;
    default:
        return read_to_text(r, &e, s->arg[0].type);
    }
}

static _Noreturn void
cannot(struct reader *r, const struct expr *e, const struct sql_type *to)
{
    struct str source = read_source(r, e->from, e->to);

    failure_set(r->f, "001007", "22023",
        "SQL compilation error:\ninvalid type [CAST(%.*s AS %s)] for parameter 'TO_%.*s'",
        (int)(source.n < 200 ? source.n : 200), source.p, to->declared,
        (int)strcspn(to->declared, "("), to->declared);
    read_fail(r);
}

static bool
session_is_utc(const struct reader *r)
{
    return !r->job->timezone || strcmp(r->job->timezone, "UTC") == 0;
}

static const char *
to_number(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to,
    const char *cast)
{
    switch (from) {
    case SITE_REAL:
        return to->kind == SITE_REAL
                   ? e->sql
                   : read_text(r, "%s(round(%s, %d) AS %s)", cast, e->sql, to->scale, to->duck);
    case SITE_JSON:
        return read_text(r, "%s(((%s)::JSON ->> '$') AS %s)", cast, e->sql, to->duck);
    case SITE_TEXT:
        return read_text(r, "%s(trim(%s) AS %s)", cast, e->sql, to->duck);
    case SITE_INTEGER:
    case SITE_DECIMAL:
    case SITE_BOOLEAN:
    case SITE_NULL:
        return read_text(r, "%s(%s AS %s)", cast, e->sql, to->duck);
    default:
        cannot(r, e, to);
    }
}

static const char *
to_boolean(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to,
    const char *cast)
{
    switch (from) {
    case SITE_TEXT:
        return read_text(
            r, strcmp(cast, "CAST") == 0 ? "_to_boolean(%s)" : "_try_to_boolean(%s)", e->sql);
    case SITE_JSON:
        return read_text(r, "%s(((%s)::JSON ->> '$') AS BOOLEAN)", cast, e->sql);
    case SITE_INTEGER:
    case SITE_DECIMAL:
    case SITE_REAL:
        return read_text(r, "((%s) <> 0)", e->sql);
    case SITE_BOOLEAN:
    case SITE_NULL:
        return read_text(r, "%s(%s AS BOOLEAN)", cast, e->sql);
    default:
        cannot(r, e, to);
    }
}

/* Any source as a TIMESTAMP without zone, on which the other kinds of time stand. */
static const char *
to_wall_clock(struct reader *r, const struct expr *e, enum site_type from,
    const struct sql_type *to, const char *cast)
{
    switch (from) {
    case SITE_TEXT:
        return read_text(r, "%s(_no_zone(%s) AS TIMESTAMP)", cast, e->sql);
    case SITE_JSON:
        return read_text(r, "%s(_no_zone((%s)::JSON ->> '$') AS TIMESTAMP)", cast, e->sql);
    case SITE_INTEGER:
        return read_text(r, "_epoch(%s)", e->sql);
    case SITE_TIMESTAMP_TZ:
        return read_text(r, "_wall(%s)", e->sql);
    case SITE_DATE:
    case SITE_TIMESTAMP:
    case SITE_TIMESTAMP_LTZ:
    case SITE_NULL:
        return read_text(r, "CAST(%s AS TIMESTAMP)", e->sql);
    default:
        cannot(r, e, to);
    }
}

static const char *
to_ltz(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to,
    const char *cast)
{
    switch (from) {
    case SITE_TEXT:
        return read_text(r, "%s(%s AS TIMESTAMPTZ)", cast, e->sql);
    case SITE_JSON:
        return read_text(r, "%s(((%s)::JSON ->> '$') AS TIMESTAMPTZ)", cast, e->sql);
    case SITE_INTEGER:
        return read_text(r, "(_epoch(%s) AT TIME ZONE 'UTC')", e->sql);
    case SITE_TIMESTAMP_LTZ:
        return e->sql;
    case SITE_TIMESTAMP_TZ:
        return read_text(r, "(_utc(%s) AT TIME ZONE 'UTC')", e->sql);
    default:
        return read_text(r, "CAST(%s AS TIMESTAMPTZ)", to_wall_clock(r, e, from, to, cast));
    }
}

static const char *
to_tz(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to,
    const char *cast)
{
    if (from == SITE_TIMESTAMP_TZ)
        return e->sql;
    if (!session_is_utc(r))
        read_unsupported(r, "TIMESTAMP_TZ outside of UTC");
    if (from == SITE_TEXT)
        return read_text(r, strcmp(cast, "CAST") == 0 ? "_to_tz(%s)" : "_try_to_tz(%s)", e->sql);
    return read_text(r, "_tz(%s, 0)", to_wall_clock(r, e, from, to, cast));
}

static const char *
to_json(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to)
{
    const char *json;

    switch (from) {
    case SITE_JSON:
        json = e->sql;
        break;
    case SITE_TEXT:
        if (strcmp(to->duck, TYPES_VAR) != 0)
            cannot(r, e, to);
        json = read_text(r, "to_json(%s)", e->sql);
        break;
    case SITE_NULL:
    case SITE_INTEGER:
    case SITE_DECIMAL:
    case SITE_REAL:
    case SITE_BOOLEAN:
    case SITE_OTHER:
        json = read_text(r, "to_json(%s)", e->sql);
        break;
    default:
        json = read_text(r, "to_json(%s)", read_to_text(r, e, from));
    }
    return read_text(r, "CAST(%s AS %s)", json, to->duck);
}

static const char *
to_binary(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to)
{
    if (from == SITE_BINARY || from == SITE_NULL)
        return e->sql;
    if (from != SITE_TEXT)
        cannot(r, e, to);
    return read_text(r, "unhex(%s)", e->sql);
}

static const char *
convert(struct reader *r, const struct expr *e, enum site_type from, const struct sql_type *to,
    const char *cast)
{
    switch (to->kind) {
    case SITE_TEXT: {
        const char *text = read_to_text(r, e, from);
        return to->length > 0 ? read_text(r, "left(%s, %llu)", text, (unsigned long long)to->length)
                              : read_text(r, "CAST(%s AS VARCHAR)", text);
    }
    case SITE_DECIMAL:
    case SITE_REAL:
        return to_number(r, e, from, to, cast);
    case SITE_BOOLEAN:
        return to_boolean(r, e, from, to, cast);
    case SITE_DATE:
        return read_text(r, "CAST(%s AS DATE)", to_wall_clock(r, e, from, to, cast));
    case SITE_TIME:
        if (from == SITE_TEXT || from == SITE_TIME)
            return read_text(r, "%s(%s AS TIME)", cast, e->sql);
        return read_text(r, "CAST(%s AS TIME)", to_wall_clock(r, e, from, to, cast));
    case SITE_TIMESTAMP:
        return to_wall_clock(r, e, from, to, cast);
    case SITE_TIMESTAMP_LTZ:
        return to_ltz(r, e, from, to, cast);
    case SITE_TIMESTAMP_TZ:
        return to_tz(r, e, from, to, cast);
    case SITE_BINARY:
        return to_binary(r, e, from, to);
    default:
        return to_json(r, e, from, to);
    }
}

struct expr
read_cast(struct reader *r, struct expr e, struct sql_type to, bool try_only)
{
    struct expr out = { .from = e.from, .to = r->at };
    enum site_type from;

    if (e.text || e.integer) {
        from = e.text ? SITE_TEXT : SITE_INTEGER;
    } else {
        const struct site *site = read_site(r, to.kind, &e, 1, &out.sql);
        if (!site) {
            out.probed = true;
            return out;
        }
        from = site->arg[0].type;
    }
    if (try_only && from != SITE_TEXT && from != SITE_NULL) {
        failure_set(r->f, "001065", "22023",
            "SQL compilation error:\nFunction TRY_CAST cannot be used with arguments of this type");
        read_fail(r);
    }
    out.sql = convert(r, &e, from, &to, try_only ? "TRY_CAST" : "CAST");
    return out;
}
