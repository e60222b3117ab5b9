/* buf.h - a growing byte buffer with a hard maximum from birth.
 *
 * Failure is sticky: past the maximum or without memory the buffer keeps what it had, `failed` is
 * set, further appends do nothing.  Append freely, test once.  Always NUL-terminated behind len
 * (buf_text).  One owner; buf_fini() frees, buf_wipe() overwrites first. */
#ifndef BUF_H
#define BUF_H

#include "str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t len, cap, max;
    bool failed;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);
void buf_wipe(struct buf *b);
void buf_clear(struct buf *b); /* empty again, memory kept, failure forgotten */

void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_put_z(struct buf *b, const char *z);
void buf_put_c(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* At least n writable bytes behind len, or NULL (failed).  Then buf_grew() by what was written. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

void buf_truncate(struct buf *b, size_t len); /* len <= b->len */
void buf_drop_front(struct buf *b, size_t n);
const char *buf_text(struct buf *b); /* NUL-terminated; "" when empty */

static inline struct str
buf_str(const struct buf *b)
{
    return (struct str){ b->p ? b->p : "", b->len };
}

/* The bytes as a malloc'd string of the caller's (NUL-terminated); b is empty afterwards.
 * NULL when b had failed. len may be NULL. */
char *buf_take(struct buf *b, size_t *len);

#endif
