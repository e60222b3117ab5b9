/* config_check.c - what single values cannot show: whether the settings fit each other.
 *
 * The supervisor, at start and reload, after every value was read.  Must never stop at the first
 * problem, nor open a network connection. */
#include "state/config_table.h"

#include "must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

static const struct config_origin *
origin(const struct config_load *l, enum config_index i)
{
    return &l->c->priv->origins[i];
}

static bool
is_given(const struct config_load *l, enum config_index i)
{
    return origin(l, i)->from != CONFIG_FROM_DEFAULT;
}

/* A problem with setting i, at the place where it was given. */
#define COMPLAIN(l, i, ...)                                                                        \
    config_error(l, origin(l, i)->file, origin(l, i)->line,                                        \
        origin(l, i)->key ? origin(l, i)->key : config_option(i)->path, __VA_ARGS__)
#define REMARK(l, i, ...)                                                                          \
    config_warning(l, origin(l, i)->file, origin(l, i)->line,                                      \
        origin(l, i)->key ? origin(l, i)->key : config_option(i)->path, __VA_ARGS__)

static bool
is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return false;
}

/* The endpoint --------------------------------------------------------------------------------- */

static bool
share_host(const char *const *a, const char *const *b)
{
    for (; *a; a++)
        for (const char *const *p = b; *p; p++)
            if (strcmp(*a, *p) == 0)
                return true;
    return false;
}

static void
check_hosts(struct config_load *l, enum config_index i, const char *const *hosts)
{
    if (!*hosts)
        COMPLAIN(l, i, "names no address; give one, for example 127.0.0.1");
    for (; *hosts; hosts++) {
        if (strchr(*hosts, '[') || strstr(*hosts, "://"))
            COMPLAIN(l, i, "%s is not an address; write it without brackets and scheme",
                config_quote(l, str_of(*hosts)));
    }
}

static void
check_server(struct config_load *l)
{
    const struct config *c = l->c;

    check_hosts(l, CONFIG_I_server_host, c->server_host);
    check_hosts(l, CONFIG_I_metrics_host, c->metrics_host);
    for (const char *const *h = c->server_host; *h; h++) {
        if (is_loopback(*h))
            continue;
        if (!c->server_allow_remote)
            COMPLAIN(l, CONFIG_I_server_host,
                "%s is not loopback and clients are not authenticated; set server.allow_remote "
                "(MCP_SERVER_ALLOW_REMOTE=true) if another layer protects it, else use 127.0.0.1",
                config_quote(l, str_of(*h)));
        else
            REMARK(l, CONFIG_I_server_allow_remote,
                "whoever reaches %s may run statements; let a proxy or firewall protect it",
                config_quote(l, str_of(*h)));
    }
    if (c->metrics_enabled && c->server_port != 0 && c->server_port == c->metrics_port &&
        share_host(c->server_host, c->metrics_host))
        COMPLAIN(
            l, CONFIG_I_metrics_port, "is the port of the MCP endpoint, too; give another one");
}

/* Snowflake ------------------------------------------------------------------------------------ */

static void
require(struct config_load *l, enum config_index i, const char *why)
{
    const struct config_option *o = config_option(i);
    const char *const *field = config_field(l->c, o);

    if (!*field)
        config_error(l, NULL, 0, o->path,
            "is not set and needed%s; set %s in .env, or %s in the "
            "YAML file",
            why, o->env, o->path);
}

static void
check_account(struct config_load *l)
{
    const struct config *c = l->c;

    if (!c->sf_host) {
        require(l, CONFIG_I_sf_account, "");
        require(l, CONFIG_I_sf_user, "");
        require(l, CONFIG_I_sf_warehouse, "");
        require(l, CONFIG_I_sf_database, "");
        require(l, CONFIG_I_sf_schema, "");
    }
    if (c->sf_account) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_-.";
        if (c->sf_account[strspn(c->sf_account, allowed)] != '\0')
            COMPLAIN(l, CONFIG_I_sf_account,
                "%s is not an account identifier; give org-account, without https:// and path",
                config_quote(l, str_of(c->sf_account)));
    }
    if (c->sf_host && strpbrk(c->sf_host, "/ @?#"))
        COMPLAIN(l, CONFIG_I_sf_host, "%s is not a host name; leave scheme, port and path out",
            config_quote(l, str_of(c->sf_host)));
    if (c->sf_protocol == SF_PROTOCOL_HTTP && (!c->sf_host || !is_loopback(c->sf_host)))
        COMPLAIN(l, CONFIG_I_sf_protocol,
            "http would send the credential in the clear; only loopback hosts are reached by it: "
            "use https");
    if (c->sf_proxy && strncmp(c->sf_proxy, "http://", 7) != 0 &&
        strncmp(c->sf_proxy, "https://", 8) != 0)
        COMPLAIN(l, CONFIG_I_sf_proxy, "%s is not a proxy's URL; give http://host:port",
            config_quote(l, str_of(c->sf_proxy)));
}

/* Two settings that name the same thing. */
static void
refuse_both(struct config_load *l, enum config_index a, bool has_a, enum config_index b, bool has_b)
{
    if (has_a && has_b)
        COMPLAIN(l, b, "%s is set, too; remove one of the two", config_option(a)->env);
}

static void
check_credential(struct config_load *l)
{
    const struct config *c = l->c;
    bool key = c->sf_private_key || c->sf_private_key_path;
    bool token = c->sf_password || c->sf_password_file, oauth = c->sf_oauth_token_file;
    bool phrase = c->sf_private_key_passphrase || c->sf_private_key_passphrase_file;

    refuse_both(l, CONFIG_I_sf_private_key_path, c->sf_private_key_path, CONFIG_I_sf_private_key,
        c->sf_private_key);
    refuse_both(l, CONFIG_I_sf_private_key_passphrase, c->sf_private_key_passphrase,
        CONFIG_I_sf_private_key_passphrase_file, c->sf_private_key_passphrase_file);
    refuse_both(
        l, CONFIG_I_sf_password, c->sf_password, CONFIG_I_sf_password_file, c->sf_password_file);
    if (phrase && !key)
        REMARK(l,
            c->sf_private_key_passphrase ? CONFIG_I_sf_private_key_passphrase
                                         : CONFIG_I_sf_private_key_passphrase_file,
            "there is no private key that it could open; remove it or name the key");
    int auth = c->sf_authenticator;
    if (auth == SF_AUTH_AUTO && key + token + oauth > 1)
        config_error(l, NULL, 0, "snowflake.authenticator",
            "more than one credential is set (%s%s%s); choose one with SNOWFLAKE_AUTHENTICATOR, or "
            "remove the others",
            key ? "private key" : "", token ? (key ? ", token" : "token") : "",
            oauth ? ", OAuth token" : "");
    if (auth == SF_AUTH_AUTO && key + token + oauth == 0)
        config_error(l, NULL, 0, "snowflake",
            "no credential is set; set SNOWFLAKE_PRIVATE_KEY_PATH (a PKCS#8 key), "
            "SNOWFLAKE_PASSWORD or SNOWFLAKE_PASSWORD_FILE (a programmatic access token), or "
            "SNOWFLAKE_OAUTH_TOKEN_FILE");
    if (auth == SF_AUTH_KEY_PAIR && !key)
        COMPLAIN(l, CONFIG_I_sf_authenticator,
            "key_pair needs a key; set SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_PRIVATE_KEY");
    if (auth == SF_AUTH_TOKEN && !token)
        COMPLAIN(l, CONFIG_I_sf_authenticator,
            "token needs a programmatic access token; set SNOWFLAKE_PASSWORD or "
            "SNOWFLAKE_PASSWORD_FILE");
    if (auth == SF_AUTH_OAUTH && !oauth)
        COMPLAIN(l, CONFIG_I_sf_authenticator,
            "oauth needs a token file; set SNOWFLAKE_OAUTH_TOKEN_FILE");
    if (c->sf_host && (auth == SF_AUTH_KEY_PAIR || (auth == SF_AUTH_AUTO && key))) {
        require(l, CONFIG_I_sf_account, " for a key pair");
        require(l, CONFIG_I_sf_user, " for a key pair");
    }
}

static void
check_files(struct config_load *l)
{
    static const enum config_index inputs[] = { CONFIG_I_server_key_file,
        CONFIG_I_sf_private_key_path, CONFIG_I_sf_private_key_passphrase_file,
        CONFIG_I_sf_password_file, CONFIG_I_sf_oauth_token_file, CONFIG_I_sf_ca_file };

    for (size_t i = 0; i < NELEM(inputs); i++) {
        const char *path = *(const char *const *)config_field(l->c, config_option(inputs[i]));
        if (path && access(path, R_OK) != 0)
            COMPLAIN(l, inputs[i], "%s cannot be read: %s; check the name and its permissions",
                config_quote(l, str_of(path)), strerror(errno));
    }
}

/* Numbers -------------------------------------------------------------------------------------- */

/* `least` must not be above `most`.  A default gives way silently (--print-config shows it); only
 * two given values can contradict each other. */
static void
check_order(struct config_load *l, enum config_index least, enum config_index most)
{
    const struct config_option *a = config_option(least), *b = config_option(most);
    uint64_t *low = config_field(l->c, a), *high = config_field(l->c, b);

    if (*low <= *high || origin(l, least)->wrong || origin(l, most)->wrong)
        return;
    if (!is_given(l, least)) {
        *low = *high;
        l->c->priv->origins[least].adapted = true;
    } else if (!is_given(l, most) && *low <= b->max) {
        *high = *low;
        l->c->priv->origins[most].adapted = true;
    } else {
        COMPLAIN(l, least, "is more than %s (%s) allows; lower the one or raise the other", b->path,
            b->env);
    }
}

static void
check_numbers(struct config_load *l)
{
    static const enum config_index orders[][2] = {
        { CONFIG_I_pool_min, CONFIG_I_pool_max },
        { CONFIG_I_query_limit_default, CONFIG_I_query_limit_max },
        { CONFIG_I_query_view_limit_default, CONFIG_I_query_limit_max },
        { CONFIG_I_sf_retry_base_ms, CONFIG_I_sf_retry_max_ms },
        { CONFIG_I_sf_poll_min_ms, CONFIG_I_sf_poll_max_ms },
        { CONFIG_I_session_timeout_min, CONFIG_I_session_lifetime_min },
        { CONFIG_I_query_max_cell, CONFIG_I_sf_max_cell },
        { CONFIG_I_query_max_sql, CONFIG_I_http_max_body },
    };

    for (size_t i = 0; i < NELEM(orders); i++)
        check_order(l, orders[i][0], orders[i][1]);
}

void
config_check(struct config_load *l)
{
    check_server(l);
    check_account(l);
    check_credential(l);
    check_files(l);
    check_numbers(l);
}
