/* key.h - the RSA key of a key-pair login: from its text to signed tokens (OpenSSL and libjwt). */
#ifndef SF_KEY_H
#define SF_KEY_H

#include "buf.h"
#include "err.h"

struct key;

/* `text`: PEM (plain or encrypted PKCS#8, or the older RSA form), with real or written-out line
 * ends, or such a PEM in base64.  `passphrase` may be STR_NONE.  Never asks anybody.
 * NULL with *e: what is wrong, without the setting's name. */
struct key *key_parse(struct str text, struct str passphrase, struct err *e);
void key_free(struct key *k);

/* "SHA256:" and the base64 of the SHA-256 over the public key; lent. */
const char *key_fingerprint(const struct key *k);

/* Appends a signed RS256 token with these claims.  0, or -1 with *e. */
int key_sign_jwt(const struct key *k, const char *issuer, const char *subject, int64_t issued_s,
    int64_t expires_s, struct buf *token, struct err *e);

#endif
