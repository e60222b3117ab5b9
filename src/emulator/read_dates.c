/* read_dates.c - DATEADD, DATEDIFF, DATE_TRUNC, DATE_PART and their short forms.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

enum part {
    YEAR,
    QUARTER,
    MONTH,
    WEEK,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    MILLISECOND,
    MICROSECOND,
    NANOSECOND,
    DAYOFWEEK,
    DAYOFWEEKISO,
    DAYOFYEAR,
    WEEKISO,
    EPOCH_SECOND,
    EPOCH_MILLISECOND,
    NO_PART
};

static const struct {
    const char *names; /* blank-separated */
    const char *duck;  /* for date_diff, date_trunc, date_part */
    const char *to;    /* the interval of n of them */
} parts[] = {
    [YEAR] = { "YEAR Y YY YYY YYYY YR YEARS YRS", "year", "to_years" },
    [QUARTER] = { "QUARTER Q QTR QTRS QUARTERS", "quarter", "to_months" },
    [MONTH] = { "MONTH MM MON MONS MONTHS", "month", "to_months" },
    [WEEK] = { "WEEK W WK WEEKOFYEAR WOY WY WEEKS", "week", "to_weeks" },
    [DAY] = { "DAY D DD DAYS DAYOFMONTH", "day", "to_days" },
    [HOUR] = { "HOUR H HH HR HOURS HRS", "hour", "to_hours" },
    [MINUTE] = { "MINUTE M MI MIN MINUTES MINS", "minute", "to_minutes" },
    [SECOND] = { "SECOND S SEC SECONDS SECS", "second", "to_seconds" },
    [MILLISECOND] = { "MILLISECOND MS MSEC MILLISECONDS", "millisecond", "to_milliseconds" },
    [MICROSECOND] = { "MICROSECOND US USEC MICROSECONDS", "microsecond", "to_microseconds" },
    [NANOSECOND] = { "NANOSECOND NS NSEC NANOSEC NSECOND NANOSECONDS NANOSECS NSECONDS", NULL,
        NULL },
    [DAYOFWEEK] = { "DAYOFWEEK WEEKDAY DOW DW", "dow", NULL },
    [DAYOFWEEKISO] = { "DAYOFWEEKISO WEEKDAY_ISO DAYOFWEEK_ISO DOW_ISO DW_ISO", "isodow", NULL },
    [DAYOFYEAR] = { "DAYOFYEAR YEARDAY DOY DY", "doy", NULL },
    [WEEKISO] = { "WEEKISO WEEK_ISO WEEKOFYEARISO WEEKOFYEAR_ISO", "week", NULL },
    [EPOCH_SECOND] = { "EPOCH_SECOND EPOCH EPOCH_SECONDS", "epoch", NULL },
    [EPOCH_MILLISECOND] = { "EPOCH_MILLISECOND EPOCH_MILLISECONDS", "epoch_ms", NULL },
};

bool
read_takes_part(const char *function)
{
    static const char *const names[] = { "DATEADD", "TIMEADD", "TIMESTAMPADD", "DATEDIFF",
        "TIMEDIFF", "TIMESTAMPDIFF", "DATE_TRUNC", "DATE_PART", "EXTRACT" };

    for (size_t i = 0; i < NELEM(names); i++)
        if (strcmp(function, names[i]) == 0)
            return true;
    return false;
}

static enum part
part_named(const char *name)
{
    for (size_t i = 0; i < NELEM(parts); i++) {
        struct str rest = str_of(parts[i].names), one;
        while (str_split(&rest, ' ', &one))
            if (str_is_nocase(one, name))
                return (enum part)i;
    }
    return NO_PART;
}

static enum part
need_part(struct reader *r, const char *name)
{
    enum part p = part_named(name);

    if (p == NO_PART) {
        failure_set(r->f, "001045", "22023",
            "SQL compilation error: error line 1 at position 0\n'%.100s' is not a valid date/time "
            "component.",
            name);
        read_fail(r);
    }
    if (!parts[p].duck)
        read_unsupported(r, "nanoseconds in date functions");
    return p;
}

/* The argument as a date or time: text is read as a timestamp.  Sets its type. */
static const char *
as_time(struct reader *r, struct call *c, size_t i, enum site_type returns, enum site_type *type)
{
    const char *probe = NULL;
    const struct site *s;

    if (c->args[i].text) {
        *type = SITE_TIMESTAMP;
        return read_cast(r, c->args[i], read_type_of(SITE_TIMESTAMP), false).sql;
    }
    s = read_site(r, returns, &c->args[i], 1, &probe);
    if (!s) {
        c->probed = true;
        *type = SITE_UNKNOWN;
        return probe;
    }
    *type = s->arg[0].type;
    switch (*type) {
    case SITE_DATE:
    case SITE_TIME:
    case SITE_TIMESTAMP:
    case SITE_TIMESTAMP_LTZ:
        return c->args[i].sql;
    case SITE_NULL:
        *type = SITE_TIMESTAMP;
        return "CAST(NULL AS TIMESTAMP)";
    case SITE_TEXT:
        *type = SITE_TIMESTAMP;
        return read_text(r, "CAST(_no_zone(%s) AS TIMESTAMP)", c->args[i].sql);
    case SITE_TIMESTAMP_TZ:
        read_unsupported(r, "date functions on TIMESTAMP_TZ");
    default:
        failure_set(r->f, "001044", "42P13",
            "SQL compilation error: error line 1 at position 0\nInvalid argument types for "
            "function "
            "'%s'",
            c->name);
        read_fail(r);
    }
}

static const char *
date_add(struct reader *r, struct call *c, enum part p, size_t amount, size_t when)
{
    enum site_type type;
    const char *d = as_time(r, c, when, SITE_TIMESTAMP, &type), *n = c->args[amount].sql, *sql;

    if (type == SITE_UNKNOWN)
        return d;
    if (!parts[p].to)
        read_unsupported(r, "this date part in DATEADD");
    n = read_text(r, p <= DAY ? "CAST(%s AS INTEGER)" : "CAST(%s AS BIGINT)", n);
    if (p == QUARTER)
        n = read_text(r, "3 * %s", n);
    sql = read_text(r, "(%s + %s(%s))", d, parts[p].to, n);
    return type == SITE_DATE && p <= DAY ? read_text(r, "CAST(%s AS DATE)", sql) : sql;
}

static const char *
date_diff(struct reader *r, struct call *c, enum part p)
{
    enum site_type ta, tb;
    const char *a = as_time(r, c, 1, SITE_TIMESTAMP, &ta);
    const char *b = as_time(r, c, 2, SITE_TIMESTAMP, &tb);

    if (ta == SITE_UNKNOWN || tb == SITE_UNKNOWN)
        return read_text(r, "_site_int(-1, %s, %s)", a, b);
    if (ta != tb) {
        a = read_text(r, "CAST(%s AS TIMESTAMP)", a);
        b = read_text(r, "CAST(%s AS TIMESTAMP)", b);
    }
    if (p == WEEK) /* Mondays in between; DuckDB counts whole weeks */
        return read_text(r,
            "((CAST(date_trunc('week', %s) AS DATE) - CAST(date_trunc('week', %s) AS DATE)) // 7)",
            b, a);
    return read_text(r, "date_diff('%s', %s, %s)", parts[p].duck, a, b);
}

static const char *
date_truncate(struct reader *r, struct call *c, enum part p, size_t when)
{
    enum site_type type;
    const char *d = as_time(r, c, when, SITE_TIMESTAMP, &type);

    if (type == SITE_UNKNOWN)
        return d;
    if (type == SITE_TIME)
        read_unsupported(r, "DATE_TRUNC of TIME");
    const char *sql = read_text(r, "date_trunc('%s', %s)", parts[p].duck, d);
    return type == SITE_DATE ? read_text(r, "CAST(%s AS DATE)", sql) : sql;
}

static const char *
date_part(struct reader *r, struct call *c, enum part p, size_t when)
{
    enum site_type type;
    const char *d = as_time(r, c, when, SITE_TIMESTAMP, &type);

    if (type == SITE_UNKNOWN)
        return read_text(r, "_site_int(-1, %s)", d);
    if (p == EPOCH_MILLISECOND)
        return read_text(r, "epoch_ms(%s)", d);
    if (p == MILLISECOND || p == MICROSECOND)
        read_unsupported(r, "this date part");
    return read_text(r, "CAST(floor(date_part('%s', %s)) AS BIGINT)", parts[p].duck, d);
}

const char *
read_special_date(struct reader *r, struct call *c)
{
    if (c->part) {
        enum part p = need_part(r, c->part);
        if (strstr(c->name, "ADD"))
            return date_add(r, c, p, 1, 2);
        if (strstr(c->name, "DIFF"))
            return date_diff(r, c, p);
        if (strcmp(c->name, "DATE_TRUNC") == 0)
            return date_truncate(r, c, p, 1);
        return date_part(r, c, p, 1);
    }
    if (strcmp(c->name, "ADD_MONTHS") == 0) {
        enum site_type type;
        const char *d = as_time(r, c, 0, SITE_TIMESTAMP, &type);
        if (type == SITE_UNKNOWN)
            return d;
        /* the last day of a month stays the last day */
        d = read_text(r,
            "CASE WHEN CAST(%s AS DATE) = last_day(%s) THEN last_day(%s + to_months(CAST(%s AS "
            "INTEGER))) ELSE CAST(%s + to_months(CAST(%s AS INTEGER)) AS DATE) END",
            d, d, d, c->args[1].sql, d, c->args[1].sql);
        if (type != SITE_DATE)
            read_unsupported(r, "ADD_MONTHS on anything but a DATE");
        return d;
    }
    enum part p = c->n == 1 ? part_named(c->name) : NO_PART;
    if (p == NO_PART || strcmp(c->name, "DATE") == 0 || strcmp(c->name, "TIME") == 0)
        return NULL;
    return date_part(r, c, p, 0);
}
