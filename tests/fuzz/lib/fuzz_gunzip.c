/* fuzz_gunzip.c - the gzip decoder of http_client with a taker that pauses, against one call of
 * zlib.  The first two bytes say how large the pieces are and how often the taker pauses. */
#define ZLIB_CONST
#include "buf.h"
#include "http_gunzip.h"
#include "must.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

struct taker {
    struct buf got;
    unsigned every, calls;
};

static enum http_flow
take(void *arg, struct str bytes)
{
    struct taker *t = arg;
    must(bytes.n > 0 && bytes.n <= 16384);
    if (t->every && ++t->calls % (t->every + 1) != 0)
        return HTTP_PAUSE;
    buf_put_str(&t->got, bytes);
    return t->got.failed ? HTTP_ENOUGH : HTTP_GO;
}

/* All members at once: true when the bytes are whole gzip members and nothing else. */
static bool
reference(struct buf *out, const uint8_t *p, size_t n)
{
    z_stream s = { .next_in = p, .avail_in = (unsigned)n };
    int r = Z_OK;
    must(inflateInit2(&s, 16 + MAX_WBITS) == Z_OK);
    while (r == Z_OK && !out->failed) {
        char *room = buf_room(out, 65536);
        if (!room)
            break;
        s.next_out = (unsigned char *)room;
        s.avail_out = 65536;
        r = inflate(&s, Z_NO_FLUSH);
        buf_grew(out, 65536 - s.avail_out);
        if (r == Z_STREAM_END && s.avail_in > 0)
            r = inflateReset(&s);
    }
    inflateEnd(&s);
    return r == Z_STREAM_END && !out->failed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t piece = data[0] + 1u;
    struct taker t = { .every = data[1] % 4 };
    data += 2;
    size -= 2;
    struct buf expected;
    buf_init(&t.got, MOST);
    buf_init(&expected, MOST + 65536);
    bool good = reference(&expected, data, size);

    struct http_gunzip *z = http_gunzip_new();
    must(z);
    enum http_gunzip_result r = HTTP_GUNZIP_OK;
    for (size_t at = 0; at < size && r == HTTP_GUNZIP_OK; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        r = http_gunzip_feed(z, (struct str){ (const char *)data + at, n }, take, &t);
        while (r == HTTP_GUNZIP_PAUSED)
            r = http_gunzip_feed(z, STR_NONE, take, &t);
    }
    bool whole = r == HTTP_GUNZIP_OK && http_gunzip_whole(z);
    if (good && expected.len <= MOST)
        must(whole && str_eq(buf_str(&t.got), buf_str(&expected)));
    if (whole && size > 0)
        must(good);
    http_gunzip_free(z);
    buf_fini(&t.got);
    buf_fini(&expected);
    return 0;
}
