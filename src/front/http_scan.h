/* http_scan.h - a strict reader of HTTP/1 framing that runs over the raw bytes of a connection
 * before evhttp parses them.
 *
 * evhttp accepts what a server must refuse (perf.md 5: bare LF, folded lines, `Host :`, NUL, two
 * lengths, lengths with signs, bodies on HEAD, loose chunk framing) and buffers some of it without
 * limit.  Only requests that this scanner took whole may be handled.  It keeps nothing but
 * counters: bytes may come in any pieces, and each cutting gives the same verdict.  No I/O, no
 * memory. */
#ifndef FRONT_HTTP_SCAN_H
#define FRONT_HTTP_SCAN_H

#include "str.h"

struct http_scan_limits {
    size_t max_head; /* request line and headers, line ends included */
    size_t max_body;
    unsigned max_headers; /* header lines; trailer lines count too */
};

enum http_scan_method {
    SCAN_UNKNOWN_METHOD,
    SCAN_GET,
    SCAN_HEAD,
    SCAN_POST,
    SCAN_PUT,
    SCAN_PATCH,
    SCAN_DELETE,
    SCAN_OPTIONS,
    SCAN_TRACE,
    SCAN_CONNECT
};

struct http_scan {
    uint64_t requests; /* complete requests seen */
    uint64_t blanks;   /* empty lines in front of requests, that are to be ignored */
    uint64_t left;     /* bytes of body, or of the chunk, still to come */
    uint64_t body;     /* bytes of body announced so far */
    uint32_t head;     /* bytes of the head (and of trailers) so far */
    uint16_t fields;
    uint16_t refused;   /* the HTTP status to answer with; 0: nothing wrong so far */
    const char *reason; /* with it: constant text */
    uint8_t state, method, target, version_at, major, minor;
    uint8_t percent, percent_value; /* inside %XX: digits still due */
    uint8_t field;                  /* which header the current line is */
    uint8_t name_len, value_len;
    uint8_t chunk_digits;
    bool host, length, chunked, expect, gap, authority, blank_line;
    char name[18], value[14];
};

void http_scan_init(struct http_scan *s);
/* Reads on.  Returns the bytes read: all of them, or fewer when s->refused was set (nothing after
 * that may be looked at). */
size_t http_scan_feed(
    struct http_scan *s, const struct http_scan_limits *limits, const char *p, size_t n);
/* Between two requests (an empty line may have come). */
bool http_scan_idle(const struct http_scan *s);

#endif
