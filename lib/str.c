/* str.c - comparing, cutting and reading borrowed bytes.  Any process; allocates nothing. */
#include "str.h"

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool
str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool
str_is_nocase(struct str a, const char *z)
{
    return str_eq_nocase(a, str_of(z));
}

bool
str_starts(struct str a, const char *prefix)
{
    size_t n = strlen(prefix);
    return n == 0 || (a.n >= n && memcmp(a.p, prefix, n) == 0);
}

struct str
str_trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

struct str
str_from(struct str s, size_t skip)
{
    if (!s.p)
        return s;
    if (skip > s.n)
        skip = s.n;
    return (struct str){ s.p + skip, s.n - skip };
}

bool
str_split(struct str *rest, char sep, struct str *part)
{
    if (!rest->p)
        return false;
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!at) {
        *part = *rest;
        *rest = STR_NONE;
        return true;
    }
    *part = (struct str){ rest->p, (size_t)(at - rest->p) };
    *rest = str_from(*rest, part->n + 1);
    return true;
}

int
str_to_u64(struct str s, uint64_t *value)
{
    if (s.n == 0)
        return -1;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (unsigned)(s.p[i] - '0'), &v))
            return -1;
    }
    *value = v;
    return 0;
}

int
str_to_i64(struct str s, int64_t *value)
{
    bool minus = s.n && s.p[0] == '-';
    uint64_t v;
    if (str_to_u64(minus ? str_from(s, 1) : s, &v) != 0)
        return -1;
    if (v > (uint64_t)INT64_MAX + minus)
        return -1;
    *value = minus ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

bool
str_copy(char *to, size_t size, struct str s)
{
    if (size == 0)
        return false;
    size_t n = s.n < size ? s.n : size - 1;
    if (n)
        memcpy(to, s.p, n);
    to[n] = '\0';
    return n == s.n;
}

/* Table 3-7 of the Unicode standard: the first byte tells the length, and for E0, ED, F0 and F4
 * also a narrower range of the second. */
size_t
utf8_char(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    size_t len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n < len)
        return 0;
    unsigned lo = u[0] == 0xe0 ? 0xa0 : u[0] == 0xf0 ? 0x90 : 0x80;
    unsigned hi = u[0] == 0xed ? 0x9f : u[0] == 0xf4 ? 0x8f : 0xbf;
    if (u[1] < lo || u[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool
utf8_is_valid(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t word;
        if (n - i >= sizeof word) {
            memcpy(&word, p + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        size_t len = utf8_char(p + i, n - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

size_t
utf8_cut(const char *p, size_t n, size_t max)
{
    if (n <= max)
        return n;
    /* A character has at most three bytes behind its first; more is no UTF-8: cut anywhere. */
    for (size_t back = 0; back <= 3 && back <= max; back++)
        if (((unsigned char)p[max - back] & 0xc0) != 0x80)
            return max - back;
    return max;
}

unsigned
str_distance(struct str a, struct str b)
{
    enum { LONGEST = 64 };
    if (a.n > LONGEST || b.n > LONGEST)
        return LONGEST;
    unsigned char row[LONGEST + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned char)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned best = diagonal + (a.p[i - 1] != b.p[j - 1]);
            diagonal = row[j];
            if (diagonal + 1 < best)
                best = diagonal + 1;
            if (row[j - 1] + 1u < best)
                best = row[j - 1] + 1u;
            row[j] = (unsigned char)best;
        }
    }
    return row[b.n];
}
