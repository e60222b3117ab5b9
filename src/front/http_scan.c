/* Strict HTTP/1 framing, a byte at a time: RFC 9112 without its leniencies, and nothing that two
 * readers could understand differently (request smuggling).  Runs in workers and the metrics child
 * on every byte that a client sends; must never allocate, block, or read past what it was given. */
#include "front/http_scan_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static void
begin_request(struct http_scan *s)
{
    uint64_t requests = s->requests, blanks = s->blanks;

    *s = (struct http_scan){ .requests = requests, .blanks = blanks, .state = S_START };
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
        scan_refuse(s, 400, twice);
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
        if (!(scan_classes[c] & HOST) || s->gap)
            scan_refuse(s, 400, "malformed Host header");
    } else if (s->field == FIELD_LENGTH) {
        if (c < '0' || c > '9' || s->gap) {
            scan_refuse(s, 400, "malformed Content-Length header");
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
        scan_refuse(s, 400, "malformed Content-Length header");
    else if (s->field == FIELD_CODING &&
             !(s->value_len == 7 && memcmp(s->value, "chunked", 7) == 0))
        scan_refuse(s, 501, "only the transfer coding chunked is understood");
    else if (s->field == FIELD_EXPECT &&
             !(s->value_len == 12 && memcmp(s->value, "100-continue", 12) == 0))
        scan_refuse(s, 417, "expectation not understood");
    else
        s->state = S_FIELD_LF;
}

static void
end_head(struct http_scan *s, const struct http_scan_limits *limits)
{
    bool has_body = s->chunked || s->body > 0;

    if (s->minor >= 1 && !s->host)
        scan_refuse(s, 400, "Host header missing");
    else if (s->chunked && s->length)
        scan_refuse(s, 400, "both Content-Length and Transfer-Encoding");
    else if (s->chunked && s->minor == 0)
        scan_refuse(s, 400, "Transfer-Encoding in an HTTP/1.0 request");
    else if (has_body && s->method == SCAN_HEAD)
        scan_refuse(s, 400, "HEAD with a body");
    else if (s->body > limits->max_body)
        scan_refuse(s, 413, "request body too large");
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
    int digit = scan_hex(c);

    if (digit >= 0 && s->chunk_digits < 16) {
        s->left = s->left << 4 | (unsigned)digit;
        s->chunk_digits++;
    } else if (c == '\r' && s->chunk_digits > 0) {
        s->state = S_CHUNK_SIZE_LF;
    } else {
        /* Extensions too: evhttp would not take them, and no client of ours sends them. */
        scan_refuse(s, 400, "malformed chunk size");
    }
}

static void
end_chunk_size(struct http_scan *s, const struct http_scan_limits *limits)
{
    if (s->left > limits->max_body - s->body) {
        scan_refuse(s, 413, "request body too large");
        return;
    }
    s->body += s->left;
    s->state = s->left ? S_CHUNK_DATA : S_TRAILER;
}

static void
begin_field(
    struct http_scan *s, const struct http_scan_limits *limits, unsigned char c, int name_state)
{
    if (!(scan_classes[c] & TOKEN)) {
        scan_refuse(s, 400,
            c == ' ' || c == '\t' ? "folded header line"
            : c == ':'            ? "empty header name"
                                  : "malformed header line");
        return;
    }
    if (++s->fields > limits->max_headers) {
        scan_refuse(s, 431, "too many header lines");
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
        scan_refuse(s, 400, "carriage return without line feed");
        return false;
    }
    s->state = (uint8_t)next;
    return true;
}

/* One byte of anything but body data. */
static void
step(struct http_scan *s, const struct http_scan_limits *limits, unsigned char c)
{
    switch ((enum scan_state)s->state) {
    case S_START:
        if (c == '\r' && !s->blank_line) {
            s->state = S_START_LF;
            break;
        }
        s->state = S_METHOD;
        /* fall through */
    case S_METHOD:
        if (c == ' ')
            scan_end_method(s);
        else if (!(scan_classes[c] & TOKEN))
            scan_refuse(s, 400, "malformed request line");
        else if (s->name_len == sizeof s->name)
            scan_refuse(s, 405, "method not allowed");
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
            scan_end_target(s);
        else
            scan_target_byte(s, c);
        break;
    case S_VERSION:
        scan_version_byte(s, c);
        break;
    case S_LINE_LF:
        if (expect_lf(s, c, S_FIELD) && (s->major != 1 || s->minor > 1))
            scan_refuse(s, 505, "HTTP version not supported");
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
        } else if (!(scan_classes[c] & TOKEN)) {
            scan_refuse(s, 400, "malformed header name");
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
        else if (!(scan_classes[c] & VALUE))
            scan_refuse(s, 400, "character not allowed in a header value");
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
            scan_refuse(s, 400, "no line end behind the data of a chunk");
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
        else if (!(scan_classes[c] & TOKEN))
            scan_refuse(s, 400, "malformed header name");
        break;
    case S_TRAILER_VALUE:
        if (c == '\r')
            s->state = S_TRAILER_VALUE_LF;
        else if (!(scan_classes[c] & VALUE))
            scan_refuse(s, 400, "character not allowed in a header value");
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
    while (i < n && (scan_classes[(unsigned char)p[i]] & VALUE))
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

        for (; i < n && (scan_classes[(unsigned char)p[i]] & TOKEN); i++)
            if (len < sizeof s->name)
                s->name[len++] = lower(p[i]);
        s->name_len = (uint8_t)len;
    } else if (s->state == S_TARGET && s->target == TARGET_PATH && !s->percent) {
        while (i < n && (scan_classes[(unsigned char)p[i]] & TARGET) && p[i] != '%')
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

    while (i < n && (scan_classes[(unsigned char)p[i]] & TOKEN))
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
                scan_refuse(s, 414, "request target too long");
            else
                scan_refuse(s, 431, "request headers too large");
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
