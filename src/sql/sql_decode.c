/* sql_decode.c - what a token stands for: names folded or unquoted, strings without their escapes.
 *
 * Runs in the workers and in the emulator.  Must never guess at an escape that is written badly:
 * the guard compares the outcome with its deny lists. */
#include "sql/sql_lex.h"

#include <strings.h>

struct reader {
    struct str in; /* between the quotes */
    size_t pos;
    bool failed;
};

static int
digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `n` digits of `base`; sets failed when they are not there. */
static uint32_t
read_digits(struct reader *r, size_t n, int base)
{
    uint32_t v = 0;

    for (size_t i = 0; i < n; i++) {
        int d = r->pos < r->in.n ? digit_value((unsigned char)r->in.p[r->pos]) : -1;
        if (d < 0 || d >= base) {
            r->failed = true;
            return 0;
        }
        v = v * (uint32_t)base + (uint32_t)d;
        r->pos++;
    }
    return v;
}

static uint32_t
read_u16_escape(struct reader *r)
{
    uint32_t v = read_digits(r, 4, 16);

    if (r->failed || v < 0xD800 || v > 0xDFFF)
        return v;
    if (v > 0xDBFF || r->in.n - r->pos < 6 || r->in.p[r->pos] != '\\' ||
        r->in.p[r->pos + 1] != 'u') {
        r->failed = true;
        return 0;
    }
    r->pos += 2;
    uint32_t low = read_digits(r, 4, 16);
    if (r->failed || low < 0xDC00 || low > 0xDFFF) {
        r->failed = true;
        return 0;
    }
    return 0x10000 + ((v - 0xD800) << 10) + (low - 0xDC00);
}

static size_t
put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3F));
    to[2] = (char)(0x80 | (c >> 6 & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* What stands behind a backslash; the backslash itself is consumed already. */
static size_t
decode_escape(struct reader *r, char *to)
{
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    unsigned char c = (unsigned char)r->in.p[r->pos];
    const char *at = c ? strchr(letters, c) : NULL;

    if (c == 'u') {
        r->pos++;
        return put_utf8(to, read_u16_escape(r));
    }
    if (c == 'x') {
        r->pos++;
        return put_utf8(to, read_digits(r, 2, 16));
    }
    if (c >= '0' && c <= '7') {
        bool three = r->in.n - r->pos >= 3 && (r->in.p[r->pos + 1] & ~7) == '0' &&
                     (r->in.p[r->pos + 2] & ~7) == '0';
        if (three)
            return put_utf8(to, read_digits(r, 3, 8));
        if (c == '0') {
            r->pos++;
            to[0] = 0;
            return 1;
        }
    }
    to[0] = at ? values[at - letters] : (char)c; /* unknown: the backslash falls away */
    r->pos++;
    return 1;
}

static long
decode_string(struct str in, char *to)
{
    struct reader r = { .in = in };
    size_t n = 0;

    while (r.pos < in.n && !r.failed) {
        char c = in.p[r.pos++];
        if (c == '\\')
            n += decode_escape(&r, to + n);
        else
            to[n++] = c;
        if (c == '\'')
            r.pos++; /* its twin */
    }
    return r.failed ? -1 : (long)n;
}

static long
decode_quoted_name(struct str in, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < in.n; i++) {
        to[n++] = in.p[i];
        if (in.p[i] == '"')
            i++; /* its twin */
    }
    return (long)n;
}

long
sql_decode(const struct sql_token *t, char *to, size_t size)
{
    struct str s = t->raw;

    if (size < s.n)
        return -1;
    switch (t->kind) {
    case SQL_NAME:
        for (size_t i = 0; i < s.n; i++)
            to[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
        return (long)s.n;
    case SQL_QUOTED_NAME:
        return decode_quoted_name((struct str){ s.p + 1, s.n - 2 }, to);
    case SQL_STRING:
        return decode_string((struct str){ s.p + 1, s.n - 2 }, to);
    case SQL_DOLLAR_STRING:
        memcpy(to, s.p + 2, s.n - 4);
        return (long)s.n - 4;
    default:
        return -1;
    }
}

static int
append(struct buf *out, const struct sql_token *t)
{
    char *to = buf_room(out, t->raw.n);
    long n = to ? sql_decode(t, to, t->raw.n) : -1;

    if (n < 0)
        return -1;
    buf_grew(out, (size_t)n);
    return 0;
}

int
sql_name_fold(struct buf *out, const struct sql_token *t)
{
    return t->kind == SQL_NAME || t->kind == SQL_QUOTED_NAME ? append(out, t) : -1;
}

int
sql_string_value(struct buf *out, const struct sql_token *t)
{
    return t->kind == SQL_STRING || t->kind == SQL_DOLLAR_STRING ? append(out, t) : -1;
}

bool
sql_token_is(const struct sql_token *t, const char *word)
{
    return t->kind == SQL_NAME && strncasecmp(t->raw.p, word, t->raw.n) == 0 &&
           word[t->raw.n] == '\0';
}
