/* Strict HTTP/1 framing, a byte at a time: RFC 9112 without its leniencies, and nothing that two
 * readers could understand differently (request smuggling).  Runs in workers and the metrics child
 * on every byte that a client sends; must never allocate, block, or read past what it was given. */
#include "front/http_scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum state {
    S_START, /* before a request; one empty line is ignored */
    S_START_LF,
    S_METHOD,
    S_TARGET,
    S_VERSION,
    S_LINE_LF,
    S_FIELD, /* first byte of a header line */
    S_NAME,
    S_BLANKS, /* in front of a value */
    S_VALUE,
    S_FIELD_LF,
    S_HEAD_LF,
    S_BODY,
    S_CHUNK_SIZE,
    S_CHUNK_SIZE_LF,
    S_CHUNK_DATA,
    S_CHUNK_CR,
    S_CHUNK_LF,
    S_TRAILER, /* first byte of a trailer line */
    S_TRAILER_NAME,
    S_TRAILER_VALUE,
    S_TRAILER_VALUE_LF,
    S_END_LF,
    S_REFUSED
};

enum { FIELD_OTHER, FIELD_HOST, FIELD_LENGTH, FIELD_CODING, FIELD_EXPECT };
enum { TARGET_NONE, TARGET_PATH, TARGET_STAR, TARGET_ABSOLUTE };

enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

/* Classes of bytes: RFC 9110 token and field value, RFC 3986 URI without fragment, reg-name. */
#define T_ (TOKEN | VALUE)
#define A_ (TOKEN | VALUE | TARGET | HOST)
static const uint8_t classes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = A_,
    ['"'] = VALUE,
    ['#'] = T_,
    ['$'] = A_,
    ['%'] = A_,
    ['&'] = A_,
    ['\''] = A_,
    ['('] = VALUE | TARGET | HOST,
    [')'] = VALUE | TARGET | HOST,
    ['*'] = A_,
    ['+'] = A_,
    [','] = VALUE | TARGET | HOST,
    ['-'] = A_,
    ['.'] = A_,
    ['/'] = VALUE | TARGET,
    ['0'] = A_,
    ['1'] = A_,
    ['2'] = A_,
    ['3'] = A_,
    ['4'] = A_,
    ['5'] = A_,
    ['6'] = A_,
    ['7'] = A_,
    ['8'] = A_,
    ['9'] = A_,
    [':'] = VALUE | TARGET | HOST,
    [';'] = VALUE | TARGET | HOST,
    ['<'] = VALUE,
    ['='] = VALUE | TARGET | HOST,
    ['>'] = VALUE,
    ['?'] = VALUE | TARGET,
    ['@'] = VALUE | TARGET,
    ['A'] = A_,
    ['B'] = A_,
    ['C'] = A_,
    ['D'] = A_,
    ['E'] = A_,
    ['F'] = A_,
    ['G'] = A_,
    ['H'] = A_,
    ['I'] = A_,
    ['J'] = A_,
    ['K'] = A_,
    ['L'] = A_,
    ['M'] = A_,
    ['N'] = A_,
    ['O'] = A_,
    ['P'] = A_,
    ['Q'] = A_,
    ['R'] = A_,
    ['S'] = A_,
    ['T'] = A_,
    ['U'] = A_,
    ['V'] = A_,
    ['W'] = A_,
    ['X'] = A_,
    ['Y'] = A_,
    ['Z'] = A_,
    ['['] = VALUE | TARGET | HOST,
    ['\\'] = VALUE,
    [']'] = VALUE | TARGET | HOST,
    ['^'] = T_,
    ['_'] = A_,
    ['`'] = T_,
    ['a'] = A_,
    ['b'] = A_,
    ['c'] = A_,
    ['d'] = A_,
    ['e'] = A_,
    ['f'] = A_,
    ['g'] = A_,
    ['h'] = A_,
    ['i'] = A_,
    ['j'] = A_,
    ['k'] = A_,
    ['l'] = A_,
    ['m'] = A_,
    ['n'] = A_,
    ['o'] = A_,
    ['p'] = A_,
    ['q'] = A_,
    ['r'] = A_,
    ['s'] = A_,
    ['t'] = A_,
    ['u'] = A_,
    ['v'] = A_,
    ['w'] = A_,
    ['x'] = A_,
    ['y'] = A_,
    ['z'] = A_,
    ['{'] = VALUE,
    ['|'] = T_,
    ['}'] = VALUE,
    ['~'] = A_,
    [0x80 ... 0xff] = VALUE,
};
#undef T_
#undef A_

static const struct {
    const char *name;
    uint8_t len, method;
} methods[] = {
    { "POST", 4, SCAN_POST },
    { "GET", 3, SCAN_GET },
    { "HEAD", 4, SCAN_HEAD },
    { "PUT", 3, SCAN_PUT },
    { "PATCH", 5, SCAN_PATCH },
    { "DELETE", 6, SCAN_DELETE },
    { "OPTIONS", 7, SCAN_OPTIONS },
    { "TRACE", 5, SCAN_TRACE },
    { "CONNECT", 7, SCAN_CONNECT },
};

static void
refuse(struct http_scan *s, unsigned status, const char *reason)
{
    s->refused = (uint16_t)status;
    s->reason = reason;
    s->state = S_REFUSED;
}

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static int
hex(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
begin_request(struct http_scan *s)
{
    uint64_t requests = s->requests, blanks = s->blanks;

    *s = (struct http_scan){ .requests = requests, .blanks = blanks, .state = S_START };
}

static void
end_method(struct http_scan *s)
{
    size_t i;

    for (i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (s->name_len == methods[i].len && memcmp(s->name, methods[i].name, s->name_len) == 0)
            s->method = methods[i].method;
    if (s->name_len == 0)
        refuse(s, 400, "malformed request line");
    else if (s->method == SCAN_UNKNOWN_METHOD || s->method == SCAN_TRACE ||
             s->method == SCAN_CONNECT)
        refuse(s, 405, "method not allowed");
    else
        s->state = S_TARGET;
    s->name_len = 0;
}

/* One byte of the target.  `name` collects the scheme of an absolute one. */
static void
target_byte(struct http_scan *s, unsigned char c)
{
    int digit;

    if (!(classes[c] & TARGET)) {
        refuse(s, 400, "character not allowed in the request target");
        return;
    }
    if (s->percent) {
        digit = hex(c);
        s->percent_value = (uint8_t)(s->percent_value << 4 | (digit & 15));
        if (digit < 0 || (--s->percent == 0 && s->percent_value == 0))
            refuse(s, 400, "bad percent encoding in the request target");
        return;
    }
    if (c == '%') {
        s->percent = 2;
        s->percent_value = 0;
    }
    switch (s->target) {
    case TARGET_NONE:
        s->target = c == '/' ? TARGET_PATH : c == '*' ? TARGET_STAR : TARGET_ABSOLUTE;
        break;
    case TARGET_PATH:
        return;
    case TARGET_STAR:
        refuse(s, 400, "malformed request target");
        return;
    }
    if (s->target != TARGET_ABSOLUTE)
        return;
    if (s->value_len == 0) { /* still in "http://" */
        s->name[s->name_len++] = (char)(c | 0x20);
        if ((s->name_len == 7 && memcmp(s->name, "http://", 7) == 0) ||
            (s->name_len == 8 && memcmp(s->name, "https://", 8) == 0))
            s->value_len = 1;
        else if (s->name_len >= 8)
            refuse(s, 400, "malformed request target");
    } else if (s->value_len == 1) { /* in the authority */
        if (c == '/' || c == '?')
            s->value_len = 2;
        else if (!(classes[c] & HOST))
            refuse(s, 400, "malformed request target");
        else
            s->authority = true;
    }
}

static void
end_target(struct http_scan *s)
{
    bool whole = s->target == TARGET_PATH ||
                 (s->target == TARGET_STAR && s->method == SCAN_OPTIONS) ||
                 (s->target == TARGET_ABSOLUTE && s->authority);

    if (!whole || s->percent)
        refuse(s, 400, "malformed request target");
    else
        s->state = S_VERSION;
    s->name_len = s->value_len = 0;
}

static void
version_byte(struct http_scan *s, unsigned char c)
{
    static const char prefix[] = "HTTP/";
    unsigned at = s->version_at++;
    bool digit = c >= '0' && c <= '9';

    if (at < 5 ? c == (unsigned char)prefix[at] : at == 6 ? c == '.' : at <= 7 && digit) {
        if (at == 5)
            s->major = (uint8_t)(c - '0');
        else if (at == 7)
            s->minor = (uint8_t)(c - '0');
    } else if (c == '\r' && at == 8) {
        s->state = S_LINE_LF;
    } else {
        refuse(s, 400, "malformed request line");
    }
}

static bool
is_name(const struct http_scan *s, const char *name)
{
    return memcmp(s->name, name, s->name_len) == 0;
}

static void
end_name(struct http_scan *s)
{
    bool *seen = NULL;
    const char *twice = NULL;

    s->field = FIELD_OTHER;
    if (s->name_len == 4 && is_name(s, "host")) {
        s->field = FIELD_HOST;
        seen = &s->host;
        twice = "more than one Host header";
    } else if (s->name_len == 14 && is_name(s, "content-length")) {
        s->field = FIELD_LENGTH;
        seen = &s->length;
        twice = "more than one Content-Length header";
    } else if (s->name_len == 17 && is_name(s, "transfer-encoding")) {
        s->field = FIELD_CODING;
        seen = &s->chunked;
        twice = "more than one Transfer-Encoding header";
    } else if (s->name_len == 6 && is_name(s, "expect")) {
        s->field = FIELD_EXPECT;
        seen = &s->expect;
        twice = "more than one Expect header";
    }
    if (seen && *seen) {
        refuse(s, 400, twice);
        return;
    }
    if (seen)
        *seen = true;
    s->name_len = s->value_len = 0;
    s->gap = false;
    s->state = S_BLANKS;
}

/* One byte (not a blank) of the value of a header that matters to framing. */
static void
value_byte(struct http_scan *s, const struct http_scan_limits *limits, unsigned char c)
{
    if (s->field == FIELD_HOST) {
        if (!(classes[c] & HOST) || s->gap)
            refuse(s, 400, "malformed Host header");
    } else if (s->field == FIELD_LENGTH) {
        if (c < '0' || c > '9' || s->gap) {
            refuse(s, 400, "malformed Content-Length header");
            return;
        }
        s->value_len = 1;
        /* Past the limit the exact number does not matter: it only must not wrap around. */
        if (s->body <= limits->max_body)
            s->body = s->body * 10 + (unsigned)(c - '0');
    } else if (s->gap || s->value_len == sizeof s->value) {
        s->value_len = sizeof s->value;
        s->value[0] = '\0'; /* matches nothing */
    } else {
        s->value[s->value_len++] = lower((char)c);
    }
}

static void
end_value(struct http_scan *s)
{
    if (s->field == FIELD_LENGTH && s->value_len == 0)
        refuse(s, 400, "malformed Content-Length header");
    else if (s->field == FIELD_CODING &&
             !(s->value_len == 7 && memcmp(s->value, "chunked", 7) == 0))
        refuse(s, 501, "only the transfer coding chunked is understood");
    else if (s->field == FIELD_EXPECT &&
             !(s->value_len == 12 && memcmp(s->value, "100-continue", 12) == 0))
        refuse(s, 417, "expectation not understood");
    else
        s->state = S_FIELD_LF;
}

static void
end_head(struct http_scan *s, const struct http_scan_limits *limits)
{
    bool has_body = s->chunked || s->body > 0;

    if (s->minor >= 1 && !s->host)
        refuse(s, 400, "Host header missing");
    else if (s->chunked && s->length)
        refuse(s, 400, "both Content-Length and Transfer-Encoding");
    else if (s->chunked && s->minor == 0)
        refuse(s, 400, "Transfer-Encoding in an HTTP/1.0 request");
    else if (has_body && s->method == SCAN_HEAD)
        refuse(s, 400, "HEAD with a body");
    else if (s->body > limits->max_body)
        refuse(s, 413, "request body too large");
    else if (s->chunked) {
        s->state = S_CHUNK_SIZE;
        s->body = s->left = 0;
        s->chunk_digits = 0;
    } else if (s->body > 0) {
        s->state = S_BODY;
        s->left = s->body;
    } else {
        s->requests++;
        begin_request(s);
    }
}

static void
chunk_size_byte(struct http_scan *s, unsigned char c)
{
    int digit = hex(c);

    if (digit >= 0 && s->chunk_digits < 16) {
        s->left = s->left << 4 | (unsigned)digit;
        s->chunk_digits++;
    } else if (c == '\r' && s->chunk_digits > 0) {
        s->state = S_CHUNK_SIZE_LF;
    } else {
        /* Extensions too: evhttp would not take them, and no client of ours sends them. */
        refuse(s, 400, "malformed chunk size");
    }
}

static void
end_chunk_size(struct http_scan *s, const struct http_scan_limits *limits)
{
    if (s->left > limits->max_body - s->body) {
        refuse(s, 413, "request body too large");
        return;
    }
    s->body += s->left;
    s->state = s->left ? S_CHUNK_DATA : S_TRAILER;
}

static void
begin_field(
    struct http_scan *s, const struct http_scan_limits *limits, unsigned char c, int name_state)
{
    if (!(classes[c] & TOKEN)) {
        refuse(s, 400,
            c == ' ' || c == '\t' ? "folded header line"
            : c == ':'            ? "empty header name"
                                  : "malformed header line");
        return;
    }
    if (++s->fields > limits->max_headers) {
        refuse(s, 431, "too many header lines");
        return;
    }
    s->name[0] = lower((char)c);
    s->name_len = 1;
    s->state = (uint8_t)name_state;
}

static bool
expect_lf(struct http_scan *s, unsigned char c, int next)
{
    if (c != '\n') {
        refuse(s, 400, "carriage return without line feed");
        return false;
    }
    s->state = (uint8_t)next;
    return true;
}

/* One byte of anything but body data. */
static void
step(struct http_scan *s, const struct http_scan_limits *limits, unsigned char c)
{
    switch ((enum state)s->state) {
    case S_START:
        if (c == '\r' && !s->blank_line) {
            s->state = S_START_LF;
            break;
        }
        s->state = S_METHOD;
        /* fall through */
    case S_METHOD:
        if (c == ' ')
            end_method(s);
        else if (!(classes[c] & TOKEN))
            refuse(s, 400, "malformed request line");
        else if (s->name_len == sizeof s->name)
            refuse(s, 405, "method not allowed");
        else
            s->name[s->name_len++] = (char)c;
        break;
    case S_START_LF:
        s->blank_line = true;
        s->head = 0;
        if (expect_lf(s, c, S_START))
            s->blanks++;
        break;
    case S_TARGET:
        if (c == ' ')
            end_target(s);
        else
            target_byte(s, c);
        break;
    case S_VERSION:
        version_byte(s, c);
        break;
    case S_LINE_LF:
        if (expect_lf(s, c, S_FIELD) && (s->major != 1 || s->minor > 1))
            refuse(s, 505, "HTTP version not supported");
        break;
    case S_FIELD:
        if (c == '\r')
            s->state = S_HEAD_LF;
        else
            begin_field(s, limits, c, S_NAME);
        break;
    case S_NAME:
        if (c == ':') {
            end_name(s);
        } else if (!(classes[c] & TOKEN)) {
            refuse(s, 400, "malformed header name");
        } else if (s->name_len < sizeof s->name) {
            s->name[s->name_len++] = lower((char)c);
        }
        break;
    case S_BLANKS:
        if (c == ' ' || c == '\t')
            break;
        s->state = S_VALUE;
        /* fall through */
    case S_VALUE:
        if (c == '\r')
            end_value(s);
        else if (!(classes[c] & VALUE))
            refuse(s, 400, "character not allowed in a header value");
        else if (s->field == FIELD_OTHER)
            break;
        else if (c == ' ' || c == '\t')
            s->gap = true;
        else
            value_byte(s, limits, c);
        break;
    case S_FIELD_LF:
        expect_lf(s, c, S_FIELD);
        break;
    case S_HEAD_LF:
        if (expect_lf(s, c, S_FIELD))
            end_head(s, limits);
        break;
    case S_CHUNK_SIZE:
        chunk_size_byte(s, c);
        break;
    case S_CHUNK_SIZE_LF:
        if (expect_lf(s, c, S_CHUNK_SIZE))
            end_chunk_size(s, limits);
        break;
    case S_CHUNK_CR:
        if (c != '\r')
            refuse(s, 400, "no line end behind the data of a chunk");
        else
            s->state = S_CHUNK_LF;
        break;
    case S_CHUNK_LF:
        if (expect_lf(s, c, S_CHUNK_SIZE)) {
            s->chunk_digits = 0;
            s->left = 0;
        }
        break;
    case S_TRAILER:
        if (c == '\r')
            s->state = S_END_LF;
        else
            begin_field(s, limits, c, S_TRAILER_NAME);
        break;
    case S_TRAILER_NAME:
        if (c == ':')
            s->state = S_TRAILER_VALUE;
        else if (!(classes[c] & TOKEN))
            refuse(s, 400, "malformed header name");
        break;
    case S_TRAILER_VALUE:
        if (c == '\r')
            s->state = S_TRAILER_VALUE_LF;
        else if (!(classes[c] & VALUE))
            refuse(s, 400, "character not allowed in a header value");
        break;
    case S_TRAILER_VALUE_LF:
        expect_lf(s, c, S_TRAILER);
        break;
    case S_END_LF:
        if (expect_lf(s, c, S_START)) {
            s->requests++;
            begin_request(s);
        }
        break;
    case S_BODY:
    case S_CHUNK_DATA:
    case S_REFUSED:
        break;
    }
}

static bool
counts_as_head(const struct http_scan *s)
{
    return s->state < S_BODY || s->state >= S_TRAILER;
}

/* Bytes of a value from p on: 0x20-0x7e, 0x80-0xff, tab. */
static size_t
value_run(const char *p, size_t n)
{
    size_t i = 0;

#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(0x20), del = _mm_set1_epi8(0x7f), tab = _mm_set1_epi8('\t');

    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i control = _mm_andnot_si128(_mm_cmpeq_epi8(v, tab),
            _mm_cmpeq_epi8(_mm_max_epu8(v, space), space)); /* v <= 0x20, but for tabs ... */
        __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, space), control),
            _mm_cmpeq_epi8(v, del)); /* ... and blanks */

        if (_mm_movemask_epi8(bad))
            break;
    }
#endif
    while (i < n && (classes[(unsigned char)p[i]] & VALUE))
        i++;
    return i;
}

/* The bulk of a head is names, and values that do not matter here: passes over those of the next
 * bytes that step() would take without changing its state. */
static size_t
skip_plain(struct http_scan *s, const struct http_scan_limits *limits, const char *p, size_t n)
{
    size_t i = 0;

    if (n > limits->max_head - s->head)
        n = limits->max_head - s->head;
    if (s->state == S_VALUE && s->field == FIELD_OTHER) {
        i = value_run(p, n);
    } else if (s->state == S_NAME) {
        unsigned len = s->name_len;

        for (; i < n && (classes[(unsigned char)p[i]] & TOKEN); i++)
            if (len < sizeof s->name)
                s->name[len++] = lower(p[i]);
        s->name_len = (uint8_t)len;
    } else if (s->state == S_TARGET && s->target == TARGET_PATH && !s->percent) {
        while (i < n && (classes[(unsigned char)p[i]] & TARGET) && p[i] != '%')
            i++;
    } else {
        return 0;
    }
    s->head += (uint32_t)i;
    return i;
}

/* The names that end_name() knows, by length and first letter. */
static bool
may_be_framing(const char *name, size_t n)
{
    char first = lower(name[0]);

    return n == 4    ? first == 'h'
           : n == 6  ? first == 'e'
           : n == 14 ? first == 'c'
                     : n == 17 && first == 't';
}

/* A header line that is here whole and matters nothing to framing: most are.  0: not so, step()
 * will tell. */
static size_t
skip_line(struct http_scan *s, const struct http_scan_limits *limits, const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && (classes[(unsigned char)p[i]] & TOKEN))
        i++;
    if (i == 0 || i == n || p[i] != ':' || may_be_framing(p, i))
        return 0;
    i++;
    i += value_run(p + i, n - i);
    if (n - i < 2 || p[i] != '\r' || p[i + 1] != '\n')
        return 0;
    i += 2;
    if (i > limits->max_head - s->head || s->fields >= limits->max_headers)
        return 0;
    s->fields++;
    s->head += (uint32_t)i;
    return i;
}

void
http_scan_init(struct http_scan *s)
{
    s->requests = s->blanks = 0;
    begin_request(s);
}

size_t
http_scan_feed(struct http_scan *s, const struct http_scan_limits *limits, const char *p, size_t n)
{
    size_t at = 0, run;

    while (at < n && s->state != S_REFUSED) {
        if (s->state == S_BODY || s->state == S_CHUNK_DATA) {
            run = n - at < s->left ? n - at : (size_t)s->left;
            at += run;
            s->left -= run;
            if (s->left > 0)
                break;
            if (s->state == S_CHUNK_DATA) {
                s->state = S_CHUNK_CR;
            } else {
                s->requests++;
                begin_request(s);
            }
            continue;
        }
        if (s->state == S_FIELD && (run = skip_line(s, limits, p + at, n - at)) > 0) {
            at += run;
            continue;
        }
        if (counts_as_head(s) && ++s->head > limits->max_head) {
            if (s->state == S_TARGET)
                refuse(s, 414, "request target too long");
            else
                refuse(s, 431, "request headers too large");
            break;
        }
        step(s, limits, (unsigned char)p[at]);
        at++;
        at += skip_plain(s, limits, p + at, n - at);
    }
    return at;
}

bool
http_scan_idle(const struct http_scan *s)
{
    return s->state == S_START || s->state == S_START_LF;
}
