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

int
session_key_init(unsigned char key[SESSION_KEY_BYTES], const struct config *c, struct err *e)
{
    if (!c->server_key_file) {
        random_bytes(key, SESSION_KEY_BYTES);
        return 0;
    }
    struct secret *file = secret_read_file(c->server_key_file, e);
    if (!file)
        return err_prefix(e, "server.session_key_file");
    struct str bytes = secret_str(file);
    int result = 0;
    if (bytes.n < SESSION_KEY_BYTES)
        result = err_set(e, "server.session_key_file: %s holds %zu bytes, at least %d are needed",
            c->server_key_file, bytes.n, SESSION_KEY_BYTES);
    else /* a key of its own: the file may come to sign other things too */
        hmac_sha256(key, bytes, "mcp session id", 14);
    secret_free(file);
    return result;
}

void
session_issue(
    const unsigned char key[SESSION_KEY_BYTES], const struct session_facts *f, struct buf *out)
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
    sign(raw + body, key, (struct str){ (const char *)raw, body });
    base64url_put(out, raw, body + MAC);
}

bool
session_open(const unsigned char key[SESSION_KEY_BYTES], struct str id, uint64_t lifetime_s,
    struct session_facts *f, struct buf *client)
{
    unsigned char mac[MAC], who[16];
    bool good = false;

    if (!id.p || id.n > TEXT_MAX)
        return false;
    struct buf raw;
    buf_init(&raw, RAW_MAX + 4);
    if (base64url_decode(&raw, id) != 0 || raw.failed || raw.len < RAW_MIN || raw.len > RAW_MAX)
        goto out;
    const unsigned char *p = (const unsigned char *)raw.p;
    size_t body = raw.len - MAC;
    sign(mac, key, (struct str){ raw.p, body });
    if (!secret_eq((struct str){ (const char *)mac, MAC }, (struct str){ raw.p + body, MAC }))
        goto out;
    if (p[0] != VERSION || p[AT_REVISION] >= MCP_REVISION__COUNT ||
        !revision_is_legacy((enum mcp_revision)p[AT_REVISION]))
        goto out;
    principal_digest(who, f->principal);
    if (memcmp(who, p + AT_PRINCIPAL, sizeof who) != 0)
        goto out;
    uint64_t issued = 0;
    for (int i = 0; i < 8; i++)
        issued = issued << 8 | p[AT_ISSUED + i];
    int64_t age_s = clock_wall_s() - (int64_t)issued;
    if (age_s < -CLOCK_SKEW_S || (age_s > 0 && (uint64_t)age_s >= lifetime_s))
        goto out;
    f->revision = (enum mcp_revision)p[AT_REVISION];
    f->issued_s = (int64_t)issued;
    size_t at = client->len;
    buf_put(client, raw.p + AT_CLIENT, body - AT_CLIENT);
    f->client = str_from(buf_str(client), at);
    good = true;
out:
    buf_fini(&raw);
    return good;
}
