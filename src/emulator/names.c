/* names.c - spells case-sensitive names so that a case-insensitive catalogue keeps them apart.
 *
 * Any thread. */
#include "emulator/names.h"

#define MARK '\x1f' /* cannot stand in a name of ours: see names_put */

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* DuckDB's own databases and schemas; and unknown columns of these names would be functions or row
 * numbers to it. */
static bool
means_something_to_duckdb(struct str s)
{
    static const char *const words[] = { "USER", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE",
        "CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
        "LOCALTIME", "LOCALTIMESTAMP", "ROWID", "MEMORY", "SYSTEM", "TEMP", "MAIN", "PG_CATALOG" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(s, words[i]))
            return true;
    return false;
}

/* The suffix: MARK, one hexadecimal digit for four characters, lowest bit first, and MARK. */
static void
put_suffix(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t last = s.n;

    while (last > 0 && !is_lower(s.p[last - 1]))
        last--;
    if (last == 0 && !means_something_to_duckdb(s))
        return;
    buf_put_c(out, MARK);
    for (size_t i = 0; i < last; i += 4) {
        unsigned bits = 0;
        for (size_t k = 0; k < 4 && i + k < last; k++)
            bits |= (unsigned)is_lower(s.p[i + k]) << k;
        buf_put_c(out, hex[bits]);
    }
    buf_put_c(out, MARK);
}

void
names_put(struct buf *out, struct str exact)
{
    for (size_t i = 0; i < exact.n; i++)
        buf_put_c(out, exact.p[i] == MARK ? ' ' : exact.p[i]);
    put_suffix(out, exact);
}

void
names_put_quoted(struct buf *out, struct str exact)
{
    buf_put_c(out, '"');
    for (size_t i = 0; i < exact.n; i++) {
        buf_put_c(out, exact.p[i] == MARK ? ' ' : exact.p[i]);
        if (exact.p[i] == '"')
            buf_put_c(out, '"');
    }
    put_suffix(out, exact);
    buf_put_c(out, '"');
}

void
names_show(char *text)
{
    char *to = text;

    for (const char *p = text; *p;) {
        if (*p != MARK) {
            *to++ = *p++;
            continue;
        }
        for (p++; *p && *p != MARK; p++)
            ;
        p += *p == MARK;
    }
    *to = '\0';
}
