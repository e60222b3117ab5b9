/* The scanner of raw request bytes: any bytes, cut anywhere, give the same verdict; what it took in
 * one go it takes in pieces; counters stay in their bounds. */
#include "front/http_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_scan_limits limits = {
    .max_head = 512, .max_body = 256, .max_headers = 6
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_scan whole, cut;
    size_t at = 0, used_whole, used_cut = 0, piece, used;
    unsigned turn = 0;

    if (size == 0)
        return 0;
    /* The first byte says how to cut the others. */
    http_scan_init(&whole);
    used_whole = http_scan_feed(&whole, &limits, (const char *)data + 1, size - 1);
    http_scan_init(&cut);
    while (at < size - 1 && !cut.refused) {
        piece = 1 + ((data[0] >> (turn++ % 6)) & 3u);
        if (piece > size - 1 - at)
            piece = size - 1 - at;
        used = http_scan_feed(&cut, &limits, (const char *)data + 1 + at, piece);
        used_cut += used;
        at += piece;
    }
    if (whole.refused != cut.refused || whole.reason != cut.reason ||
        whole.requests != cut.requests || whole.state != cut.state || whole.left != cut.left ||
        used_whole != used_cut)
        abort();
    if (!whole.refused && (used_whole != size - 1 || whole.head > limits.max_head))
        abort();
    return 0;
}
