/* session.c - makes and checks session ids.
 *
 * Workers (and the supervisor, which only makes the key).  An id is base64url over
 *
 *     version 1 | revision 1 | issued 8 | random 16 | principal 16 | client 0..40 | HMAC-SHA256 32
 *
 * Nothing in it is looked at before the signature was found good. */
#include "mcp/session.h"

#include "clock.h"
#include "encode.h"
#include "mcp/revision.h"

#include <stdlib.h>

enum {
    VERSION = 1,
    AT_REVISION = 1,
    AT_ISSUED = 2,
    AT_RANDOM = 10,
    AT_PRINCIPAL = 26,
    AT_CLIENT = 42,
    MAC = 32,
    RAW_MIN = AT_CLIENT + MAC,
    RAW_MAX = RAW_MIN + SESSION_CLIENT_MAX,
    TEXT_MAX = (RAW_MAX * 4 + 2) / 3,
    CLOCK_SKEW_S = 300, /* hosts that share a key need not agree to the second */
    SEEN = 256,         /* sessions a worker remembers, by hash */
    PRINCIPAL_MAX = 64, /* of a longer name nothing is remembered */
};

/* An id that was found good, and for whom. */
struct seen {
    unsigned char id_n, principal_n, raw_n;
    char id[TEXT_MAX], principal[PRINCIPAL_MAX];
    unsigned char raw[RAW_MAX];
};

struct session_book {
    unsigned char key[SESSION_KEY_BYTES];
    struct seen seen[SEEN];
    struct seen other; /* what cannot be remembered, for the length of one call */
};

static void
principal_digest(unsigned char out[16], struct str principal)
{
    unsigned char digest[32];

    sha256(digest, principal.p, principal.n);
    memcpy(out, digest, 16);
}

static void
sign(unsigned char mac[MAC], const unsigned char key[SESSION_KEY_BYTES], struct str text)
{
    hmac_sha256(mac, (struct str){ (const char *)key, SESSION_KEY_BYTES }, text.p, text.n);
}

static int
read_key(unsigned char key[SESSION_KEY_BYTES], const char *path, struct err *e)
{
    struct secret *file = secret_read_file(path, e);
    if (!file)
        return err_prefix(e, "server.session_key_file");
    struct str bytes = secret_str(file);
    int result = 0;
    if (bytes.n < SESSION_KEY_BYTES)
        result = err_set(e, "server.session_key_file: %s holds %zu bytes, at least %d are needed",
            path, bytes.n, SESSION_KEY_BYTES);
    else /* a key of its own: the file may come to sign other things too */
        hmac_sha256(key, bytes, "mcp session id", 14);
    secret_free(file);
    return result;
}

struct session_book *
session_book_new(const struct config *c, struct err *e)
{
    struct session_book *b = calloc(1, sizeof *b);

    if (!b) {
        err_set(e, "out of memory");
        return NULL;
    }
    random_bytes(b->key, sizeof b->key);
    if (c->server_key_file && read_key(b->key, c->server_key_file, e) != 0) {
        session_book_free(b);
        return NULL;
    }
    return b;
}

void
session_book_free(struct session_book *b)
{
    if (!b)
        return;
    explicit_bzero(b, sizeof *b);
    free(b);
}

void
session_book_inherit(struct session_book *b, const struct session_book *from)
{
    memcpy(b->key, from->key, sizeof b->key);
}

void
session_issue(struct session_book *b, const struct session_facts *f, struct buf *out)
{
    unsigned char raw[RAW_MAX] = { VERSION, (unsigned char)f->revision };
    uint64_t issued = (uint64_t)f->issued_s;
    size_t client = utf8_cut(f->client.p, f->client.n, SESSION_CLIENT_MAX);

    for (int i = 0; i < 8; i++)
        raw[AT_ISSUED + i] = (unsigned char)(issued >> (56 - 8 * i));
    random_bytes(raw + AT_RANDOM, 16);
    principal_digest(raw + AT_PRINCIPAL, f->principal);
    if (client)
        memcpy(raw + AT_CLIENT, f->client.p, client);
    size_t body = AT_CLIENT + client;
    sign(raw + body, b->key, (struct str){ (const char *)raw, body });
    base64url_put(out, raw, body + MAC);
}

/* The bytes of an id whose signature and principal are good; 0: refuse it. */
static size_t
verify(
    const struct session_book *b, struct str id, struct str principal, unsigned char raw[RAW_MAX])
{
    unsigned char mac[MAC], who[16];
    size_t n = 0;
    struct buf decoded;

    buf_init(&decoded, RAW_MAX + 4);
    if (base64url_decode(&decoded, id) != 0 || decoded.failed || decoded.len < RAW_MIN ||
        decoded.len > RAW_MAX)
        goto out;
    memcpy(raw, decoded.p, decoded.len);
    size_t body = decoded.len - MAC;
    sign(mac, b->key, (struct str){ decoded.p, body });
    if (!secret_eq((struct str){ (const char *)mac, MAC }, (struct str){ decoded.p + body, MAC }))
        goto out;
    if (raw[0] != VERSION || raw[AT_REVISION] >= MCP_REVISION__COUNT ||
        !revision_is_legacy((enum mcp_revision)raw[AT_REVISION]))
        goto out;
    principal_digest(who, principal);
    if (memcmp(who, raw + AT_PRINCIPAL, sizeof who) == 0)
        n = decoded.len;
out:
    buf_fini(&decoded);
    return n;
}

static bool
is_seen(const struct seen *s, struct str id, struct str principal)
{
    return s->raw_n && secret_eq((struct str){ s->id, s->id_n }, id) &&
           str_eq((struct str){ s->principal, s->principal_n }, principal);
}

/* The entry of a good id, verified now or earlier; NULL: refuse it. */
static const struct seen *
look_up(struct session_book *b, struct str id, struct str principal)
{
    bool fits = principal.n <= PRINCIPAL_MAX;
    struct seen *s = fits ? &b->seen[hash64(id) % SEEN] : &b->other;

    if (fits && is_seen(s, id, principal))
        return s;
    unsigned char raw[RAW_MAX];
    size_t n = verify(b, id, principal, raw);
    if (n == 0)
        return NULL; /* what was good in this place stays */
    memcpy(s->raw, raw, n);
    s->raw_n = (unsigned char)n;
    if (fits) {
        memcpy(s->id, id.p, id.n);
        s->id_n = (unsigned char)id.n;
        if (principal.n)
            memcpy(s->principal, principal.p, principal.n);
        s->principal_n = (unsigned char)principal.n;
    }
    return s;
}

bool
session_open(struct session_book *b, struct str id, uint64_t lifetime_s, struct session_facts *f)
{
    if (!id.p || id.n > TEXT_MAX)
        return false;
    const struct seen *s = look_up(b, id, f->principal);
    if (!s)
        return false;
    uint64_t issued = 0;
    for (int i = 0; i < 8; i++)
        issued = issued << 8 | s->raw[AT_ISSUED + i];
    int64_t age_s = clock_wall_s() - (int64_t)issued;
    if (age_s < -CLOCK_SKEW_S || (age_s > 0 && (uint64_t)age_s >= lifetime_s))
        return false;
    f->revision = (enum mcp_revision)s->raw[AT_REVISION];
    f->issued_s = (int64_t)issued;
    f->client = (struct str){ (const char *)s->raw + AT_CLIENT, s->raw_n - AT_CLIENT - MAC };
    return true;
}
