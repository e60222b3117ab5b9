/* encode.h - base64, base64url, hex, UUIDs, random bytes, SHA-256, HMAC (OpenSSL underneath). */
#ifndef ENCODE_H
#define ENCODE_H

#include "buf.h"
#include "err.h"

void base64_put(struct buf *out, const void *p, size_t n);    /* RFC 4648 §4, padded */
void base64url_put(struct buf *out, const void *p, size_t n); /* §5, no padding */
int base64_decode(struct buf *out, struct str text);          /* canonical only; 0 or -1 */
int base64url_decode(struct buf *out, struct str text);
void hex_put(struct buf *out, const void *p, size_t n); /* lower case */

void random_bytes(void *p, size_t n); /* never fails: aborts without entropy */
uint64_t random_u64(void);

#define UUID_TEXT 37
void uuid_v4(char out[UUID_TEXT]);

void sha256(unsigned char out[32], const void *p, size_t n);
void hmac_sha256(unsigned char out[32], struct str key, const void *p, size_t n);
/* Constant time in the content; lengths may differ (then false). */
bool secret_eq(struct str a, struct str b);
uint64_t hash64(struct str s); /* FNV-1a finished by a mixer: tables, not security */

#endif
