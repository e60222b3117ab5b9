/* http_scan_internal.h - the two halves of the scanner: the request line (http_scan_line.c),
 * headers and body (http_scan.c). */
#ifndef FRONT_HTTP_SCAN_INTERNAL_H
#define FRONT_HTTP_SCAN_INTERNAL_H

#include "front/http_scan.h"

enum scan_state {
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

/* What a byte may be part of. */
extern const uint8_t scan_classes[256];

static inline void
scan_refuse(struct http_scan *s, unsigned status, const char *reason)
{
    s->refused = (uint16_t)status;
    s->reason = reason;
    s->state = S_REFUSED;
}

/* -1: no hexadecimal digit. */
static inline int
scan_hex(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* http_scan_line.c: the bytes between the blanks, and the blanks that end them. */
void scan_end_method(struct http_scan *s);
void scan_target_byte(struct http_scan *s, unsigned char c);
void scan_end_target(struct http_scan *s);
void scan_version_byte(struct http_scan *s, unsigned char c);

#endif
