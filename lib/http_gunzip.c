/* http_gunzip.c - gzip bodies of answers, with back-pressure.  Worker only; never unpacks more than
 * 16 KiB ahead of the taker. */
#define ZLIB_CONST
#include "http_gunzip.h"

#include "buf.h"

#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 16 * 1024, MOST_KEPT = 64 * 1024 };

struct http_gunzip {
    z_stream s;
    bool begun, ended; /* ended: behind the last byte of a member */
    bool more;         /* unpacked bytes are waiting inside zlib */
    size_t ready;      /* unpacked bytes in out[] that nobody took yet */
    struct buf kept;   /* packed bytes, while the taker pauses */
    char out[PIECE];
};

struct http_gunzip *
http_gunzip_new(void)
{
    struct http_gunzip *z = malloc(sizeof *z);
    if (!z)
        return NULL;
    memset(&z->s, 0, sizeof z->s);
    z->begun = z->ended = z->more = false;
    z->ready = 0;
    buf_init(&z->kept, MOST_KEPT);
    if (inflateInit2(&z->s, 16 + MAX_WBITS) != Z_OK) { /* gzip only */
        free(z);
        return NULL;
    }
    return z;
}

void
http_gunzip_free(struct http_gunzip *z)
{
    if (!z)
        return;
    inflateEnd(&z->s);
    buf_fini(&z->kept);
    free(z);
}

/* Fills out[].  0, or -1 when this is no gzip. */
static int
unpack(struct http_gunzip *z)
{
    if (z->ended) {
        /* RFC 1952: several members may follow each other. */
        if (inflateReset(&z->s) != Z_OK)
            return -1;
        z->ended = false;
    }
    z->begun = true;
    z->s.next_out = (unsigned char *)z->out;
    z->s.avail_out = sizeof z->out;
    int r = inflate(&z->s, Z_NO_FLUSH);
    z->ready = sizeof z->out - z->s.avail_out;
    z->ended = r == Z_STREAM_END;
    z->more = !z->ended && z->s.avail_out == 0;
    /* Z_BUF_ERROR: `more` was a guess, there is nothing. */
    return r == Z_OK || r == Z_STREAM_END || (r == Z_BUF_ERROR && z->s.avail_in == 0) ? 0 : -1;
}

static enum http_gunzip_result
run(struct http_gunzip *z, enum http_flow (*take)(void *arg, struct str bytes), void *arg)
{
    for (;;) {
        if (z->ready) {
            enum http_flow flow = take(arg, (struct str){ z->out, z->ready });
            if (flow == HTTP_PAUSE)
                return HTTP_GUNZIP_PAUSED;
            if (flow != HTTP_GO)
                return HTTP_GUNZIP_STOPPED;
            z->ready = 0;
        }
        if (z->s.avail_in == 0 && !z->more)
            return HTTP_GUNZIP_OK;
        if (unpack(z) != 0)
            return HTTP_GUNZIP_BAD;
    }
}

enum http_gunzip_result
http_gunzip_feed(struct http_gunzip *z, struct str bytes,
    enum http_flow (*take)(void *arg, struct str bytes), void *arg)
{
    bool from_kept = z->kept.len > 0;
    if (from_kept) {
        buf_put_str(&z->kept, bytes);
        if (z->kept.failed)
            return HTTP_GUNZIP_BAD;
        bytes = buf_str(&z->kept);
    }
    z->s.next_in = (const unsigned char *)bytes.p;
    z->s.avail_in = (unsigned)bytes.n;
    enum http_gunzip_result r = run(z, take, arg);
    size_t left = z->s.avail_in;
    if (from_kept)
        buf_drop_front(&z->kept, bytes.n - left);
    else if (r == HTTP_GUNZIP_PAUSED)
        buf_put_str(&z->kept, str_from(bytes, bytes.n - left));
    return z->kept.failed ? HTTP_GUNZIP_BAD : r;
}

bool
http_gunzip_whole(const struct http_gunzip *z)
{
    return !z->begun || z->ended;
}
