/* json_text.c - finds raw values in a checked text and writes escaped text.  Any process.  Never
 * trusts the text with its memory: on unchecked text the answers are poor, but nothing is read
 * beyond its end. */
#include "json_text.h"

#include "json_scan.h"

static size_t
skip_blanks(const char *p, size_t n, size_t i)
{
    while (i < n && json_is_blank(p[i]))
        i++;
    return i;
}

/* From an opening quote to behind the closing one; n when there is none. */
static size_t
skip_string(const char *p, size_t n, size_t i)
{
    i++;
    while ((i += json_plain_run(p + i, n - i)) < n) {
        if (p[i] == '"')
            return i + 1;
        i += p[i] == '\\' ? 2 : 1;
        if (i > n)
            return n;
    }
    return n;
}

/* From the first byte of a value to behind its last. */
static size_t
skip_value(const char *p, size_t n, size_t i)
{
    if (i >= n)
        return n;
    if (p[i] == '"')
        return skip_string(p, n, i);
    if (p[i] != '{' && p[i] != '[') {
        while (i < n && !json_is_blank(p[i]) && p[i] != ',' && p[i] != ']' && p[i] != '}')
            i++;
        return i;
    }
    size_t depth = 0;
    while (i < n) {
        char c = p[i];
        if (c == '"') {
            i = skip_string(p, n, i);
            continue;
        }
        i++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return i;
    }
    return n;
}

/* To the first byte of the next element or key behind *at, or false at the end. */
static bool
step(struct str s, char open, size_t *at)
{
    size_t i = skip_blanks(s.p, s.n, *at);
    if (i >= s.n || s.p[i] != (*at == 0 ? open : ','))
        return false;
    i = skip_blanks(s.p, s.n, i + 1);
    if (i >= s.n || s.p[i] == ']' || s.p[i] == '}')
        return false;
    *at = i;
    return true;
}

bool
json_next_element(struct str array, size_t *at, struct str *element)
{
    size_t i = *at;
    if (!step(array, '[', &i))
        return false;
    size_t end = skip_value(array.p, array.n, i);
    *element = (struct str){ array.p + i, end - i };
    *at = end;
    return end > i;
}

bool
json_next_member(struct str object, size_t *at, struct str *key_raw, struct str *value)
{
    size_t i = *at;
    if (!step(object, '{', &i) || object.p[i] != '"')
        return false;
    size_t end = skip_string(object.p, object.n, i);
    *key_raw = (struct str){ object.p + i, end - i };
    i = skip_blanks(object.p, object.n, end);
    if (i >= object.n || object.p[i] != ':')
        return false;
    i = skip_blanks(object.p, object.n, i + 1);
    end = skip_value(object.p, object.n, i);
    *value = (struct str){ object.p + i, end - i };
    *at = end;
    return end > i;
}

static bool
key_is(struct str key_raw, struct str key)
{
    struct str inside = { key_raw.p + 1, key_raw.n < 2 ? 0 : key_raw.n - 2 };
    if (!inside.n || !memchr(inside.p, '\\', inside.n))
        return str_eq(inside, key);
    if (inside.n < key.n)
        return false; /* unescaping never makes it longer */
    struct buf b;
    buf_init(&b, inside.n);
    json_unescape(&b, key_raw);
    bool same = !b.failed && str_eq(buf_str(&b), key);
    buf_fini(&b);
    return same;
}

struct str
json_member(struct str object, const char *key)
{
    struct str k = str_of(key), raw, value;
    size_t at = 0;
    while (json_next_member(object, &at, &raw, &value))
        if (key_is(raw, k))
            return value;
    return STR_NONE;
}

enum json_type
json_type_of(struct str raw)
{
    size_t i = skip_blanks(raw.p, raw.n, 0);
    if (i >= raw.n)
        return JSON_ABSENT;
    switch (raw.p[i]) {
    case 'n':
        return JSON_NULL;
    case 't':
    case 'f':
        return JSON_BOOL;
    case '"':
        return JSON_STRING;
    case '[':
        return JSON_ARRAY;
    case '{':
        return JSON_OBJECT;
    case '-':
        return JSON_NUMBER;
    default:
        return raw.p[i] >= '0' && raw.p[i] <= '9' ? JSON_NUMBER : JSON_ABSENT;
    }
}

bool
json_is_number(struct str s)
{
    return s.n > 0 && json_number_length(s.p, s.n) == s.n;
}

static void
put_utf8(struct buf *out, unsigned c)
{
    char t[4];
    if (c < 0x80) {
        buf_put_c(out, (char)c);
    } else if (c < 0x800) {
        t[0] = (char)(0xc0 | c >> 6);
        t[1] = (char)(0x80 | (c & 63));
        buf_put(out, t, 2);
    } else if (c < 0x10000) {
        t[0] = (char)(0xe0 | c >> 12);
        t[1] = (char)(0x80 | (c >> 6 & 63));
        t[2] = (char)(0x80 | (c & 63));
        buf_put(out, t, 3);
    } else {
        t[0] = (char)(0xf0 | c >> 18);
        t[1] = (char)(0x80 | (c >> 12 & 63));
        t[2] = (char)(0x80 | (c >> 6 & 63));
        t[3] = (char)(0x80 | (c & 63));
        buf_put(out, t, 4);
    }
}

/* The escape at p, "\\" first; what it stands for is appended.  Returns its length. */
static size_t
put_unescaped(struct buf *out, const char *p, size_t n)
{
    static const char names[] = "bfnrt", means[] = "\b\f\n\r\t";
    if (n < 2)
        return n;
    if (p[1] != 'u') {
        const char *at = memchr(names, p[1], 5);
        buf_put_c(out, at ? means[at - names] : p[1]);
        return 2;
    }
    int c = json_hex4(p + 2, n - 2);
    if (c >= 0xd800 && c < 0xdc00 && n >= 12 && p[6] == '\\' && p[7] == 'u') {
        int low = json_hex4(p + 8, n - 8);
        if (low >= 0xdc00 && low < 0xe000) {
            put_utf8(out, 0x10000u + ((unsigned)(c - 0xd800) << 10) + (unsigned)(low - 0xdc00));
            return 12;
        }
    }
    bool lone = c < 0 || (c >= 0xd800 && c < 0xe000);
    put_utf8(out, lone ? 0xfffd : (unsigned)c);
    return n < 6 ? n : 6;
}

void
json_unescape(struct buf *out, struct str raw)
{
    if (raw.n < 2)
        return;
    const char *p = raw.p + 1;
    size_t n = raw.n - 2;
    while (n) {
        const char *slash = memchr(p, '\\', n);
        size_t run = slash ? (size_t)(slash - p) : n;
        buf_put(out, p, run);
        p += run;
        n -= run;
        if (n) {
            size_t len = put_unescaped(out, p, n);
            p += len;
            n -= len;
        }
    }
}

static void
put_escape(struct buf *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_form[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    char t[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };
    if (c == '"' || c == '\\') {
        t[1] = (char)c;
        buf_put(out, t, 2);
    } else if (short_form[c]) {
        t[1] = short_form[c];
        buf_put(out, t, 2);
    } else {
        buf_put(out, t, 6);
    }
}

void
json_put_string_body(struct buf *out, struct str s)
{
    size_t i = 0, run = 0; /* run: start of what is good as it stands */
    if (s.n == 0)
        return;
    while ((i += json_plain_run(s.p + i, s.n - i)) < s.n) {
        size_t len = (unsigned char)s.p[i] >= 0x80 ? utf8_char(s.p + i, s.n - i) : 0;
        if (len) {
            i += len;
            continue;
        }
        buf_put(out, s.p + run, i - run);
        if ((unsigned char)s.p[i] >= 0x80)
            buf_put(out, "\xef\xbf\xbd", 3);
        else
            put_escape(out, (unsigned char)s.p[i]);
        run = ++i;
    }
    buf_put(out, s.p + run, s.n - run);
}

void
json_put_string(struct buf *out, struct str s)
{
    /* One growth for the usual string, and the quotes without a call each. */
    char *p = buf_room(out, s.n + 2);
    if (!p)
        return;
    *p = '"';
    buf_grew(out, 1);
    json_put_string_body(out, s);
    buf_put_c(out, '"');
}
