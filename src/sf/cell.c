/* cell.c - one value as text for people or as JSON for programs.
 *
 * Runs in workers, for every cell of every result.  No number goes through a double: digits are
 * copied.  Nothing here can fail: what does not parse is passed on as it came, and what is not
 * UTF-8 is mended, so that the output is always valid. */
#include "sf/sf.h"

#include "json_text.h"
#include "sf/cell_time.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* ---- strings ------------------------------------------------------------------------------ */

static bool
all_ascii(struct str s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, 8);
        if (word & 0x8080808080808080u)
            return false;
    }
    for (; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static unsigned
hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        v = v * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

/* Reads the escape at s.p[at] (a backslash).  Returns how many bytes it takes; *cp is what it
 * stands for, U+FFFD for half a surrogate pair. */
static size_t
escape_at(struct str s, size_t at, unsigned *cp)
{
    char c = at + 1 < s.n ? s.p[at + 1] : '\\';
    switch (c) {
    case 'b':
        *cp = '\b';
        return 2;
    case 'f':
        *cp = '\f';
        return 2;
    case 'n':
        *cp = '\n';
        return 2;
    case 'r':
        *cp = '\r';
        return 2;
    case 't':
        *cp = '\t';
        return 2;
    case 'u':
        break;
    default:
        *cp = (unsigned char)c;
        return at + 1 < s.n ? 2 : 1;
    }
    if (at + 6 > s.n) {
        *cp = 0xfffd;
        return s.n - at;
    }
    unsigned high = hex4(s.p + at + 2);
    *cp = high;
    if (high < 0xd800 || high > 0xdfff)
        return 6;
    *cp = 0xfffd;
    if (high > 0xdbff || at + 12 > s.n || s.p[at + 6] != '\\' || s.p[at + 7] != 'u')
        return 6;
    unsigned low = hex4(s.p + at + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return 6;
    *cp = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

static void
put_utf8(struct buf *out, unsigned cp)
{
    char b[4];
    size_t n = 0;
    if (cp < 0x80) {
        b[n++] = (char)cp;
    } else if (cp < 0x800) {
        b[n++] = (char)(0xc0 | cp >> 6);
        b[n++] = (char)(0x80 | (cp & 0x3f));
    } else {
        if (cp < 0x10000) {
            b[n++] = (char)(0xe0 | cp >> 12);
        } else {
            b[n++] = (char)(0xf0 | cp >> 18);
            b[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
        }
        b[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
        b[n++] = (char)(0x80 | (cp & 0x3f));
    }
    buf_put(out, b, n);
}

static void
put_mended(struct buf *out, struct str s)
{
    if (all_ascii(s) || utf8_is_valid(s.p, s.n)) {
        buf_put_str(out, s);
        return;
    }
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_char(s.p + i, s.n - i);
        buf_put(out, n ? s.p + i : REPLACEMENT, n ? n : 3);
        i += n ? n : 1;
    }
}

/* The inside of a JSON string, decoded. */
static void
put_decoded(struct buf *out, const struct sf_cell *cell)
{
    struct str s = cell->json;
    if (!cell->escaped) {
        put_mended(out, s);
        return;
    }
    for (size_t i = 0; i < s.n;) {
        const char *slash = memchr(s.p + i, '\\', s.n - i);
        size_t plain = slash ? (size_t)(slash - s.p) - i : s.n - i;
        put_mended(out, (struct str){ s.p + i, plain });
        i += plain;
        if (i < s.n) {
            unsigned cp;
            i += escape_at(s, i, &cp);
            put_utf8(out, cp);
        }
    }
}

/* The inside of a JSON string, as it is but for what no reader would accept. */
static void
put_string(struct buf *out, const struct sf_cell *cell)
{
    struct str s = cell->json;
    if (!cell->escaped && all_ascii(s)) { /* nearly always */
        char *p = buf_room(out, s.n + 2);
        if (p) {
            *p = '"';
            memcpy(p + 1, s.p, s.n);
            p[s.n + 1] = '"';
            buf_grew(out, s.n + 2);
        }
        return;
    }
    buf_put_c(out, '"');
    if (!cell->escaped) {
        put_mended(out, s);
    } else {
        size_t from = 0;
        for (size_t i = 0; i < s.n;) {
            const char *slash = memchr(s.p + i, '\\', s.n - i);
            if (!slash)
                break;
            i = (size_t)(slash - s.p);
            unsigned cp;
            size_t n = escape_at(s, i, &cp);
            if (cp == 0xfffd && n == 6) { /* half a surrogate pair, or U+FFFD itself */
                put_mended(out, (struct str){ s.p + from, i - from });
                buf_put_z(out, REPLACEMENT);
                from = i + n;
            }
            i += n;
        }
        put_mended(out, str_from(s, from));
    }
    buf_put_c(out, '"');
}

/* ---- numbers and booleans ------------------------------------------------------------------ */

#define EXACT_DIGITS 15  /* any decimal of so many digits survives a double */
#define EXACT_POWER  290 /* beyond it a double may underflow or overflow */

/* The digits of a JSON number that count, and its decimal exponent as written. */
static unsigned
significant_digits(struct str s, int *exponent)
{
    unsigned digits = 0, zeros = 0;
    bool point = false;
    size_t i = 0;
    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.') {
            point = true;
        } else if (s.p[i] == '0') {
            if (digits == 0)
                continue;
            /* Zeros at the end of a fraction do not count; others do. */
            if (point)
                zeros++;
            else
                digits++;
        } else if (s.p[i] != '-') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    *exponent = 0;
    if (i < s.n) {
        bool negative = s.p[++i] == '-';
        if (s.p[i] == '-' || s.p[i] == '+')
            i++;
        for (; i < s.n && *exponent < 10000; i++)
            *exponent = *exponent * 10 + (s.p[i] - '0');
        if (negative)
            *exponent = -*exponent;
    }
    return digits;
}

static bool
is_short_integer(struct str s)
{
    if (s.n == 0 || s.n > EXACT_DIGITS || (s.p[0] == '0' && s.n > 1))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static void
put_number(const struct sf_column *col, const struct sf_cell *cell, struct buf *out)
{
    struct str s = cell->json;
    int exponent = 0;
    if (is_short_integer(s)) { /* nearly always */
        buf_put_str(out, s);
        return;
    }
    /* Long fractions push the value down like an exponent does: both are bounded. */
    bool literal = !cell->escaped && s.n <= EXACT_POWER && json_is_number(s) &&
                   (significant_digits(s, &exponent) <= EXACT_DIGITS || col->type == SF_REAL) &&
                   exponent >= -EXACT_POWER && exponent <= EXACT_POWER;
    if (literal)
        buf_put_str(out, s);
    else
        put_string(out, cell);
}

/* "true", "false" or NULL. */
static const char *
boolean_text(struct str s)
{
    if (str_is(s, "1") || str_is_nocase(s, "true"))
        return "true";
    if (str_is(s, "0") || str_is_nocase(s, "false"))
        return "false";
    return NULL;
}

/* ---- by type ------------------------------------------------------------------------------- */

/* False: not a date or time, or not a text that reads as one. */
static bool
put_temporal(const struct sf_column *col, const struct sf_cell *cell, struct buf *out)
{
    switch (col->type) {
    case SF_DATE:
        return cell_date(cell->json, out);
    case SF_TIME:
        return cell_time(cell->json, col->scale, out);
    case SF_TIMESTAMP_NTZ:
        return cell_timestamp(cell->json, col->scale, CELL_NTZ, out);
    case SF_TIMESTAMP_LTZ:
        return cell_timestamp(cell->json, col->scale, CELL_LTZ, out);
    case SF_TIMESTAMP_TZ:
        return cell_timestamp(cell->json, col->scale, CELL_TZ, out);
    default:
        return false;
    }
}

void
sf_cell_text(const struct sf_column *col, const struct sf_cell *cell, struct buf *out)
{
    if (cell->null)
        return;
    const char *boolean = col->type == SF_BOOLEAN ? boolean_text(cell->json) : NULL;
    if (boolean)
        buf_put_z(out, boolean);
    else if (!put_temporal(col, cell, out))
        put_decoded(out, cell);
}

void
sf_cell_json(const struct sf_column *col, const struct sf_cell *cell, struct buf *out)
{
    if (cell->null) {
        buf_put(out, "null", 4);
        return;
    }
    switch (col->type) {
    case SF_FIXED:
    case SF_REAL:
    case SF_DECFLOAT:
        put_number(col, cell, out);
        return;
    case SF_BOOLEAN: {
        const char *boolean = boolean_text(cell->json);
        if (boolean)
            buf_put_z(out, boolean);
        else
            put_string(out, cell);
        return;
    }
    case SF_DATE:
    case SF_TIME:
    case SF_TIMESTAMP_NTZ:
    case SF_TIMESTAMP_LTZ:
    case SF_TIMESTAMP_TZ: {
        size_t before = out->len;
        buf_put_c(out, '"');
        if (put_temporal(col, cell, out)) {
            buf_put_c(out, '"');
            return;
        }
        if (out->len > before)
            buf_truncate(out, before);
        break;
    }
    default:
        break;
    }
    put_string(out, cell);
}
