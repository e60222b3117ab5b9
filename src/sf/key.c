/* key.c - reads the private key and signs with it.
 *
 * The key is parsed in the supervisor, before fork, and used in workers, who inherit it.  It is
 * never written anywhere but into OpenSSL's own memory, and nobody is ever asked for a pass
 * phrase. */
#include "sf/key.h"

#include "encode.h"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum { MIN_BITS = 2048, MAX_TEXT = 65536 };

struct key {
    EVP_PKEY *pkey;
    char fingerprint[64];
};

static int
give_passphrase(char *to, int size, int writing, void *arg)
{
    const struct str *pass = arg;
    if (!pass->p || pass->n > (size_t)size)
        return -1;
    memcpy(to, pass->p, pass->n);
    return (int)pass->n;
}

static bool
contains(struct str s, const char *z)
{
    return memmem(s.p, s.n, z, strlen(z)) != NULL;
}

/* Turns what came into PEM text with real line ends. */
static int
normalise(struct str text, struct buf *pem, struct err *e)
{
    if (contains(text, "-----BEGIN")) {
        /* An environment variable often carries the line ends written out as \n. */
        for (size_t i = 0; i < text.n; i++) {
            if (text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] == 'n') {
                buf_put_c(pem, '\n');
                i++;
            } else {
                buf_put_c(pem, text.p[i]);
            }
        }
        return pem->failed ? err_set(e, "out of memory") : 0;
    }
    struct buf packed;
    buf_init(&packed, MAX_TEXT);
    for (size_t i = 0; i < text.n; i++)
        if (!strchr(" \t\r\n", text.p[i]))
            buf_put_c(&packed, text.p[i]);
    int bad = base64_decode(pem, buf_str(&packed));
    buf_wipe(&packed);
    if (bad || !contains(buf_str(pem), "-----BEGIN"))
        return err_set(
            e, "the key is neither a PEM text (-----BEGIN PRIVATE KEY-----) nor one in base64");
    return 0;
}

static int
fingerprint(struct key *k)
{
    unsigned char *der = NULL, hash[32];
    int n = i2d_PUBKEY(k->pkey, &der);
    if (n <= 0)
        return -1;
    sha256(hash, der, (size_t)n);
    OPENSSL_free(der);
    memcpy(k->fingerprint, "SHA256:", 7);
    EVP_EncodeBlock((unsigned char *)k->fingerprint + 7, hash, sizeof hash);
    return 0;
}

static const char *
openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "no reason given";
}

static EVP_PKEY *
read_pem(struct str pem, struct str passphrase, struct err *e)
{
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase) : NULL;
    BIO_free(bio);
    if (pkey)
        return pkey;
    if (contains(pem, "BEGIN PUBLIC KEY") || contains(pem, "BEGIN CERTIFICATE"))
        err_set(e, "the key is a public key or certificate: the private key is needed");
    else if (contains(pem, "ENCRYPTED") && !passphrase.p)
        err_set(e, "the key is encrypted: set snowflake.private_key_passphrase or "
                   "snowflake.private_key_passphrase_file");
    else if (contains(pem, "ENCRYPTED"))
        err_set(e,
            "the key cannot be decrypted: the pass phrase is wrong or the cipher is not supported "
            "(%s)",
            openssl_reason());
    else
        err_set(e, "the key cannot be read as a PEM private key (%s)", openssl_reason());
    ERR_clear_error();
    return NULL;
}

struct key *
key_parse(struct str text, struct str passphrase, struct err *e)
{
    if (text.n > MAX_TEXT) {
        err_set(e, "the key is longer than %d bytes", MAX_TEXT);
        return NULL;
    }
    struct buf pem;
    buf_init(&pem, MAX_TEXT);
    struct key *k = calloc(1, sizeof *k);
    if (!k) {
        err_set(e, "out of memory");
    } else if (normalise(text, &pem, e) != 0) {
        goto fail;
    } else if (!(k->pkey = read_pem(buf_str(&pem), passphrase, e))) {
        goto fail;
    } else if (EVP_PKEY_get_base_id(k->pkey) != EVP_PKEY_RSA) {
        err_set(e, "the key is not an RSA key: Snowflake's key pairs are RSA of at least %d bits",
            MIN_BITS);
        goto fail;
    } else if (EVP_PKEY_get_bits(k->pkey) < MIN_BITS) {
        err_set(e, "the key has only %d bits: at least %d are needed", EVP_PKEY_get_bits(k->pkey),
            MIN_BITS);
        goto fail;
    } else if (fingerprint(k) != 0) {
        err_set(e, "the key has no public part that can be encoded (%s)", openssl_reason());
        goto fail;
    }
    buf_wipe(&pem);
    return k;

fail:
    buf_wipe(&pem);
    key_free(k);
    return NULL;
}

void
key_free(struct key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

const char *
key_fingerprint(const struct key *k)
{
    return k->fingerprint;
}

/* The key as libjwt wants it: unencrypted PEM, in memory that is wiped when freed. */
static BIO *
plain_pem(const struct key *k)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1)
        return bio;
    BIO_free(bio);
    return NULL;
}

int
key_sign_jwt(const struct key *k, const char *issuer, const char *subject, int64_t issued_s,
    int64_t expires_s, struct buf *token, struct err *e)
{
    jwt_t *jwt = NULL;
    char *encoded = NULL;
    char *pem = NULL;
    BIO *bio = plain_pem(k);
    long n = bio ? BIO_get_mem_data(bio, &pem) : 0;
    int bad = n <= 0 || jwt_new(&jwt) != 0 || jwt_add_grant(jwt, "iss", issuer) != 0 ||
              jwt_add_grant(jwt, "sub", subject) != 0 ||
              jwt_add_grant_int(jwt, "iat", (long)issued_s) != 0 ||
              jwt_add_grant_int(jwt, "exp", (long)expires_s) != 0 ||
              jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)pem, (int)n) != 0;
    if (!bad)
        encoded = jwt_encode_str(jwt);
    if (encoded)
        buf_put_z(token, encoded);
    free(encoded);
    if (jwt)
        jwt_free(jwt);
    BIO_free(bio);
    if (!encoded || token->failed)
        return err_set(e, "the login token could not be signed");
    return 0;
}
