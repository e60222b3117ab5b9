/* buf.c - the growing byte buffer.  Any process; never grows past the maximum given at birth. */
#include "buf.h"

#include "must.h"

#include <stdio.h>
#include <stdlib.h>

void
buf_init(struct buf *b, size_t max_bytes)
{
    /* A quarter of the address space is as good as "no limit" and keeps every sum below from
     * overflowing. */
    *b = (struct buf){ .max = max_bytes < SIZE_MAX / 4 ? max_bytes : SIZE_MAX / 4 };
}

void
buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ .max = b->max };
}

void
buf_wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_fini(b);
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = '\0';
}

char *
buf_room(struct buf *b, size_t n)
{
    /* cap counts the byte for the final NUL, so content fits while len + n < cap. */
    if (b->failed)
        return NULL;
    if (n < b->cap - b->len)
        return b->p + b->len;
    if (b->len > b->max || n > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->len + n + 1;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    b->p[b->len] = '\0';
    return b->p + b->len;
}

void
buf_grew(struct buf *b, size_t n)
{
    must(n < b->cap - b->len);
    b->len += n;
    b->p[b->len] = '\0';
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
    char *to = buf_room(b, n);
    if (!to || n == 0)
        return;
    memcpy(to, p, n);
    b->len += n;
    b->p[b->len] = '\0';
}

void
buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void
buf_put_z(struct buf *b, const char *z)
{
    buf_put(b, z, strlen(z));
}

void
buf_put_c(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t i = sizeof digits;
    do
        digits[--i] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    buf_put(b, digits + i, sizeof digits - i);
}

void
buf_put_i64(struct buf *b, int64_t v)
{
    char digits[21];
    size_t i = sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        digits[--i] = (char)('0' + u % 10);
    while ((u /= 10) != 0);
    if (v < 0)
        digits[--i] = '-';
    buf_put(b, digits + i, sizeof digits - i);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    if (b->failed)
        return;
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->p ? b->p + b->len : NULL, room, fmt, ap);
    if (n >= 0 && (size_t)n >= room) {
        /* What did not fit has already overwritten the NUL. */
        if (b->p)
            b->p[b->len] = '\0';
        char *to = buf_room(b, (size_t)n);
        n = to ? vsnprintf(to, (size_t)n + 1, fmt, again) : 0;
    }
    va_end(again);
    if (n < 0)
        b->failed = true;
    else
        b->len += (size_t)n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void
buf_truncate(struct buf *b, size_t len)
{
    must(len <= b->len);
    b->len = len;
    if (b->p)
        b->p[len] = '\0';
}

void
buf_drop_front(struct buf *b, size_t n)
{
    must(n <= b->len);
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->len - n + 1);
    b->len -= n;
}

const char *
buf_text(struct buf *b)
{
    return b->p ? b->p : "";
}

char *
buf_take(struct buf *b, size_t *len)
{
    char *p = NULL;
    if (buf_room(b, 0))
        p = b->p;
    else
        free(b->p);
    if (len)
        *len = p ? b->len : 0;
    *b = (struct buf){ .max = b->max };
    return p;
}
