/* encode.c - text forms of bytes, randomness and digests.  Any process. */
#include "encode.h"

#include "must.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/random.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put64(struct buf *out, const void *bytes, size_t n, const char *alphabet, bool pad)
{
    const unsigned char *p = bytes;
    char *to = n <= SIZE_MAX / 2 ? buf_room(out, (n + 2) / 3 * 4) : NULL;
    if (!to) {
        out->failed = true;
        return;
    }
    char *at = to;
    size_t i = 0;
    for (; n - i >= 3; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (unsigned)p[i + 1] << 8 | p[i + 2];
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        *at++ = alphabet[v >> 6 & 63];
        *at++ = alphabet[v & 63];
    }
    if (n - i > 0) {
        bool two = n - i == 2;
        unsigned v = (unsigned)p[i] << 16 | (two ? (unsigned)p[i + 1] << 8 : 0);
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        if (two)
            *at++ = alphabet[v >> 6 & 63];
        else if (pad)
            *at++ = '=';
        if (pad)
            *at++ = '=';
    }
    buf_grew(out, (size_t)(at - to));
}

void
base64_put(struct buf *out, const void *p, size_t n)
{
    put64(out, p, n, base64_alphabet, true);
}

void
base64url_put(struct buf *out, const void *p, size_t n)
{
    put64(out, p, n, base64url_alphabet, false);
}

static int
digit64(char c, const char *alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

/* `text` without padding.  One text per value: bits that are left over must be zero. */
static int
decode64(struct buf *out, struct str text, const char *alphabet)
{
    if (text.n % 4 == 1)
        return -1;
    size_t before = out->len;
    char *to = buf_room(out, text.n / 4 * 3 + 2);
    if (!to)
        return -1;
    char *at = to;
    unsigned acc = 0, bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int d = digit64(text.p[i], alphabet);
        if (d < 0)
            goto bad;
        acc = acc << 6 | (unsigned)d;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *at++ = (char)(acc >> bits & 255);
        }
    }
    if (acc & ((1u << bits) - 1))
        goto bad;
    buf_grew(out, (size_t)(at - to));
    return 0;
bad:
    buf_truncate(out, before);
    return -1;
}

int
base64_decode(struct buf *out, struct str text)
{
    if (text.n % 4 != 0)
        return -1;
    for (int i = 0; i < 2 && text.n && text.p[text.n - 1] == '='; i++)
        text.n--;
    return decode64(out, text, base64_alphabet);
}

int
base64url_decode(struct buf *out, struct str text)
{
    return decode64(out, text, base64url_alphabet);
}

void
hex_put(struct buf *out, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    char *to = n <= SIZE_MAX / 2 ? buf_room(out, n * 2) : NULL;
    if (!to) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[p[i] >> 4];
        to[2 * i + 1] = digits[p[i] & 15];
    }
    buf_grew(out, n * 2);
}

/* The kernel's generator: no state of our own that a fork could copy. */
void
random_bytes(void *p, size_t n)
{
    char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        must(got > 0);
        at += got;
        n -= (size_t)got;
    }
}

uint64_t
random_u64(void)
{
    uint64_t v;
    random_bytes(&v, sizeof v);
    return v;
}

void
uuid_v4(char out[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char b[16];
    random_bytes(b, sizeof b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[b[i] >> 4];
        *out++ = digits[b[i] & 15];
    }
    *out = '\0';
}

void
sha256(unsigned char out[32], const void *p, size_t n)
{
    must(SHA256(p, n, out) != NULL);
}

void
hmac_sha256(unsigned char out[32], struct str key, const void *p, size_t n)
{
    unsigned len = 32;
    must(key.n <= INT_MAX);
    must(HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, p, n, out, &len) != NULL);
}

bool
secret_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

uint64_t
hash64(struct str s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    /* FNV leaves the high bits of short keys poor, and tables use some of both ends. */
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}
