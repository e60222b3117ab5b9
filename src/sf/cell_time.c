/* cell_time.c - days and seconds since 1970 into dates and times.
 *
 * Runs in workers, for cells of results.  All arithmetic is on integers: no value goes through a
 * double, and the time zone of the machine plays no part. */
#include "sf/cell_time.h"

#define DAY_S     86400
#define FIRST_DAY (-719162) /* 0001-01-01 */
#define LAST_DAY  2932896   /* 9999-12-31 */
#define NANOS     1000000000
#define NS_FORM   13 /* an integer with more digits counts nanoseconds (snowflake-api.md 4) */

/* A signed decimal with at most 9 places, as whole seconds and 0 <= ns < 1e9 after them. */
struct instant {
    int64_t s;
    uint32_t ns;
    unsigned places; /* digits that stood after the point */
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
instant_parse(struct str t, struct instant *i)
{
    bool negative = t.n > 0 && t.p[0] == '-';
    size_t at = negative, first = at;
    uint64_t whole = 0;
    for (; at < t.n && is_digit(t.p[at]); at++) {
        if (at - first >= 19)
            return false;
        whole = whole * 10 + (uint64_t)(t.p[at] - '0');
    }
    size_t n = at - first;
    if (n == 0 || whole > INT64_MAX)
        return false;

    uint32_t ns = 0;
    i->places = 0;
    if (at < t.n) {
        if (t.p[at++] != '.')
            return false;
        for (; at < t.n; at++) {
            if (!is_digit(t.p[at]) || ++i->places > 9)
                return false;
            ns = ns * 10 + (uint32_t)(t.p[at] - '0');
        }
        if (i->places == 0)
            return false;
        for (unsigned k = i->places; k < 9; k++)
            ns *= 10;
    } else if (n > NS_FORM) {
        ns = (uint32_t)(whole % NANOS);
        whole /= NANOS;
        i->places = 9;
    }

    /* The sign covers the whole number: -0.000000001 lies in the second before the epoch. */
    i->s = negative ? -(int64_t)whole : (int64_t)whole;
    i->ns = ns;
    if (negative && ns > 0) {
        i->s -= 1;
        i->ns = NANOS - ns;
    }
    return true;
}

/* Floor division, so that times before 1970 fall on the right day. */
static int64_t
days_of(int64_t s, uint32_t *second_of_day)
{
    int64_t day = s / DAY_S, rest = s % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        day -= 1;
    }
    *second_of_day = (uint32_t)rest;
    return day;
}

/* Writes v with leading zeros; returns the place behind it. */
static char *
digits(char *to, uint32_t v, unsigned n)
{
    for (unsigned i = n; i-- > 0; v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + n;
}

/* Days since 1970 to a civil date: the year is taken to begin in March, so that the leap day is
 * its last, and 400-year eras all have 146097 days. */
static bool
put_date(struct buf *out, int64_t day)
{
    if (day < FIRST_DAY || day > LAST_DAY)
        return false;
    uint32_t z = (uint32_t)(day + 719468); /* days since 0000-03-01 */
    uint32_t era = z / 146097, of_era = z % 146097;
    uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * of_year + 2) / 153;
    uint32_t mday = of_year - (153 * march_month + 2) / 5 + 1;
    uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    uint32_t year = era * 400 + year_of_era + (month <= 2);
    char text[10];
    char *p = digits(text, year, 4);
    *p++ = '-';
    p = digits(p, month, 2);
    *p++ = '-';
    digits(p, mday, 2);
    buf_put(out, text, sizeof text);
    return true;
}

/* The digits of the column's scale; more when the value has more, for none may be lost. */
static void
put_clock(struct buf *out, uint32_t second_of_day, const struct instant *i, int scale)
{
    char text[18];
    char *p = digits(text, second_of_day / 3600, 2);
    *p++ = ':';
    p = digits(p, second_of_day / 60 % 60, 2);
    *p++ = ':';
    p = digits(p, second_of_day % 60, 2);

    unsigned places = scale < 0 ? i->places : scale > 9 ? 9 : (unsigned)scale;
    uint32_t fraction = i->ns;
    unsigned needed = 9;
    while (needed > 0 && fraction % 10 == 0) {
        fraction /= 10;
        needed--;
    }
    if (places < needed)
        places = needed;
    if (places > 0) {
        for (unsigned k = needed; k < places; k++)
            fraction *= 10;
        *p++ = '.';
        p = digits(p, fraction, places);
    }
    buf_put(out, text, (size_t)(p - text));
}

bool
cell_date(struct str days, struct buf *out)
{
    bool negative = days.n > 0 && days.p[0] == '-';
    uint64_t n;
    if (str_to_u64(str_from(days, negative), &n) != 0 || n > LAST_DAY)
        return false;
    return put_date(out, negative ? -(int64_t)n : (int64_t)n);
}

bool
cell_time(struct str seconds, int scale, struct buf *out)
{
    struct instant i;
    if (!instant_parse(seconds, &i) || i.s < 0 || i.s >= DAY_S)
        return false;
    put_clock(out, (uint32_t)i.s, &i, scale);
    return true;
}

bool
cell_timestamp(struct str text, int scale, enum cell_zone zone, struct buf *out)
{
    int64_t offset_min = 0;
    if (zone == CELL_TZ) {
        struct str seconds, rest = text;
        uint64_t n;
        if (!str_split(&rest, ' ', &seconds) || str_to_u64(rest, &n) != 0 || n > 2880)
            return false;
        offset_min = (int64_t)n - 1440;
        text = seconds;
    }
    struct instant i;
    if (!instant_parse(text, &i) || i.s / DAY_S > LAST_DAY + 1 || i.s / DAY_S < FIRST_DAY - 1)
        return false;
    uint32_t second_of_day;
    int64_t day = days_of(i.s + offset_min * 60, &second_of_day);
    if (!put_date(out, day))
        return false;
    buf_put_c(out, 'T');
    put_clock(out, second_of_day, &i, scale);
    if (zone == CELL_LTZ) {
        buf_put_c(out, 'Z');
    } else if (zone == CELL_TZ) {
        uint32_t m = (uint32_t)(offset_min < 0 ? -offset_min : offset_min);
        char suffix[6];
        suffix[0] = offset_min < 0 ? '-' : '+';
        char *p = digits(suffix + 1, m / 60, 2);
        *p++ = ':';
        digits(p, m % 60, 2);
        buf_put(out, suffix, sizeof suffix);
    }
    return true;
}
