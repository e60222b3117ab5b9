/* identity.c - host, names and credential from the settings, all checked before fork.
 *
 * Runs in the supervisor (and in --check-config); the result is inherited by the workers, who only
 * read it.  No secret is ever part of an error text. */
#include "sf/identity.h"

#include "sf/account.h"

#include <ctype.h>
#include <stdlib.h>

enum { MAX_NAME = 1024 };

/* ---- where --------------------------------------------------------------------------------- */

static bool
is_loopback(struct str host)
{
    return str_is_nocase(host, "localhost") || str_is(host, "::1") || str_starts(host, "127.");
}

static int
explicit_host(const char *setting, struct buf *host, struct err *e)
{
    struct str h = str_trim(str_of(setting));
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = (struct str){ h.p + 1, h.n - 2 };
    bool ok = h.n > 0;
    for (size_t i = 0; i < h.n; i++)
        ok = ok && (isalnum((unsigned char)h.p[i]) || (h.p[i] && strchr("-._:", h.p[i])));
    /* One colon is host:port; an IPv6 address has two at least. */
    const char *colon = ok ? memchr(h.p, ':', h.n) : NULL;
    if (colon && !memchr(colon + 1, ':', h.n - (size_t)(colon + 1 - h.p)))
        ok = false;
    if (!ok)
        return err_set(e,
            "snowflake.host: '%s' is not a host name: give the name alone; scheme and port are "
            "snowflake.protocol and snowflake.port",
            setting);
    buf_put_str(host, h);
    return 0;
}

static int
settle_url(struct sf_identity *i, const struct config *c, struct err *e)
{
    struct buf host, url;
    buf_init(&host, MAX_NAME);
    buf_init(&url, MAX_NAME);
    int bad = -1;
    if (c->sf_host && *c->sf_host)
        bad = explicit_host(c->sf_host, &host, e);
    else if (c->sf_account && *c->sf_account)
        bad = account_host(str_of(c->sf_account), &host, e);
    else
        err_set(e, "snowflake.account is not set: where is Snowflake?");
    if (bad)
        goto out;

    bool http = c->sf_protocol == SF_PROTOCOL_HTTP;
    if (http && !is_loopback(buf_str(&host))) {
        bad = err_set(e,
            "snowflake.protocol: http is accepted for loopback hosts only, and snowflake.host is "
            "%s",
            buf_text(&host));
        goto out;
    }
    bool v6 = memchr(host.p, ':', host.len) != NULL;
    buf_printf(&url, "%s://%s%s%s", http ? "http" : "https", v6 ? "[" : "", buf_text(&host),
        v6 ? "]" : "");
    if (c->sf_port != (http ? 80 : 443))
        buf_printf(&url, ":%u", (unsigned)c->sf_port);
    i->base_url = buf_take(&url, NULL);
    bad = i->base_url ? 0 : err_set(e, "out of memory");
out:
    buf_fini(&host);
    buf_fini(&url);
    return bad;
}

/* ---- as whom ------------------------------------------------------------------------------- */

static int
settle_names(struct sf_identity *i, const struct config *c, struct err *e)
{
    if (!c->sf_account || !*c->sf_account)
        return err_set(e, "snowflake.account is not set: a key-pair login needs it");
    struct str user = str_trim(str_of(c->sf_user));
    if (user.n == 0)
        return err_set(e, "snowflake.user is not set: a key-pair login needs it");
    struct buf subject, issuer;
    buf_init(&subject, MAX_NAME);
    buf_init(&issuer, MAX_NAME);
    int bad = account_claim(str_of(c->sf_account), &subject, e);
    if (!bad) {
        buf_put_c(&subject, '.');
        for (size_t k = 0; k < user.n; k++)
            buf_put_c(&subject, (char)toupper((unsigned char)user.p[k]));
        buf_printf(&issuer, "%s.%s", buf_text(&subject), key_fingerprint(i->key));
        if (subject.failed || issuer.failed)
            bad = err_set(e, "snowflake.user is too long");
    }
    if (!bad) {
        i->subject = buf_take(&subject, NULL);
        i->issuer = buf_take(&issuer, NULL);
        if (!i->subject || !i->issuer)
            bad = err_set(e, "out of memory");
    }
    buf_fini(&subject);
    buf_fini(&issuer);
    return bad;
}

static int
settle_key(struct sf_identity *i, const struct config *c, struct err *e)
{
    struct secret *text = NULL, *pass = NULL;
    const char *from =
        c->sf_private_key_path ? "snowflake.private_key_path" : "snowflake.private_key";
    int bad = 0;
    if (c->sf_private_key_path) {
        text = secret_read_file(c->sf_private_key_path, e);
        if (!text)
            return err_prefix(e, "%s", from);
    } else if (!c->sf_private_key) {
        return err_set(e, "snowflake.private_key_path is not set: a key-pair login needs the key");
    }
    if (c->sf_private_key_passphrase_file && !c->sf_private_key_passphrase) {
        pass = secret_read_file(c->sf_private_key_passphrase_file, e);
        if (!pass)
            bad = err_prefix(e, "snowflake.private_key_passphrase_file");
    }
    if (!bad) {
        const struct secret *p = c->sf_private_key_passphrase ? c->sf_private_key_passphrase : pass;
        struct str phrase = secret_str(p);
        if (phrase.n == 0)
            phrase = STR_NONE;
        i->key = key_parse(secret_str(text ? text : c->sf_private_key), phrase, e);
        if (!i->key)
            bad = err_prefix(e, "%s", from);
    }
    secret_free(text);
    secret_free(pass);
    return bad ? bad : settle_names(i, c, e);
}

struct secret *
identity_token(struct str text, const char *from, struct err *e)
{
    while (text.n > 0 && isspace((unsigned char)text.p[0]))
        text = str_from(text, 1);
    while (text.n > 0 && isspace((unsigned char)text.p[text.n - 1]))
        text.n--;
    if (text.n == 0) {
        err_set(e, "%s: the token is empty", from);
        return NULL;
    }
    for (size_t k = 0; k < text.n; k++) {
        if (text.p[k] <= ' ' || text.p[k] > '~') {
            err_set(e, "%s: byte %zu of the token cannot be part of one", from, k + 1);
            return NULL;
        }
    }
    struct secret *s = secret_new(text);
    if (!s)
        err_set(e, "out of memory");
    return s;
}

static int
settle_token(struct sf_identity *i, const char *file, const char *file_setting,
    const struct secret *value, const char *value_setting, struct err *e)
{
    if (value) {
        i->token = identity_token(secret_str(value), value_setting, e);
        return i->token ? 0 : -1;
    }
    struct secret *text = secret_read_file(file, e);
    if (!text)
        return err_prefix(e, "%s", file_setting);
    i->token = identity_token(secret_str(text), file_setting, e);
    secret_free(text);
    i->token_file = strdup(file);
    if (i->token && !i->token_file)
        return err_set(e, "out of memory");
    return i->token ? 0 : -1;
}

static int
settle_credential(struct sf_identity *i, const struct config *c, struct err *e)
{
    i->auth = c->sf_authenticator;
    if (i->auth == SF_AUTH_AUTO) {
        if (c->sf_private_key_path || c->sf_private_key)
            i->auth = SF_AUTH_KEY_PAIR;
        else if (c->sf_oauth_token_file)
            i->auth = SF_AUTH_OAUTH;
        else if (c->sf_password || c->sf_password_file)
            i->auth = SF_AUTH_TOKEN;
        else
            return err_set(e, "no credential is set: give snowflake.private_key_path, "
                              "snowflake.token_file or snowflake.oauth_token_file");
    }
    switch (i->auth) {
    case SF_AUTH_KEY_PAIR:
        return settle_key(i, c, e);
    case SF_AUTH_OAUTH:
        if (!c->sf_oauth_token_file)
            return err_set(e, "snowflake.oauth_token_file is not set: an OAuth login needs it");
        return settle_token(i, c->sf_oauth_token_file, "snowflake.oauth_token_file", NULL, NULL, e);
    default:
        if (!c->sf_password && !c->sf_password_file)
            return err_set(e, "snowflake.token_file is not set: a login by programmatic access "
                              "token needs it");
        return settle_token(
            i, c->sf_password_file, "snowflake.token_file", c->sf_password, "snowflake.token", e);
    }
}

struct sf_identity *
sf_identity_new(const struct config *c, struct err *e)
{
    struct sf_identity *i = calloc(1, sizeof *i);
    if (!i) {
        err_set(e, "out of memory");
        return NULL;
    }
    if (settle_url(i, c, e) != 0 || settle_credential(i, c, e) != 0) {
        sf_identity_free(i);
        return NULL;
    }
    return i;
}

void
sf_identity_free(struct sf_identity *i)
{
    if (!i)
        return;
    key_free(i->key);
    secret_free(i->token);
    free(i->token_file);
    free(i->issuer);
    free(i->subject);
    free(i->base_url);
    free(i);
}

const char *
sf_identity_base_url(const struct sf_identity *i)
{
    return i->base_url;
}

const char *
sf_identity_fingerprint(const struct sf_identity *i)
{
    return i->key ? key_fingerprint(i->key) : NULL;
}
