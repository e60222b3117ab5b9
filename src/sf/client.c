/* client.c - what all statements of a worker share: the connections and the credential.
 *
 * Made in each worker after fork, freed before its loop. */
#include "sf/client.h"

#include "config.h"
#include "encode.h"

#include <stdlib.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

uint64_t
client_backoff_ms(uint64_t base_ms, uint64_t max_ms, unsigned n)
{
    uint64_t pause = base_ms;
    while (n-- > 1 && pause < max_ms)
        pause *= 2;
    if (pause > max_ms)
        pause = max_ms;
    /* Half of it is chance, so that workers that failed together do not come back together. */
    return pause - random_u64() % (pause / 2 + 1);
}

struct sf_client *
sf_client_new(struct loop *l, const struct config *c, struct sf_identity *i, struct err *e)
{
    struct sf_client *cl = calloc(1, sizeof *cl);
    if (!cl) {
        err_set(e, "out of memory");
        return NULL;
    }
    cl->loop = l;
    cl->config = c;
    cl->identity = i;
    /* Every statement of the host may run in this worker, each with partitions ahead, and a cancel
     * must never wait for a socket behind them. */
    unsigned sockets = (unsigned)(c->pool_max * (c->sf_partitions_ahead + 1)) + 16;
    struct http_client_options options = {
        .ca_file = c->sf_ca_file,
        .proxy = c->sf_proxy,
        .no_proxy = c->sf_no_proxy,
        .user_agent = "snowflake-mcp/" PACKAGE_VERSION,
        .connect_timeout_ms = (unsigned)c->sf_connect_ms,
        .max_connections = sockets,
    };
    cl->credential = credential_new(i);
    cl->http = http_client_new(l, &options, e);
    if (!cl->credential || !cl->http) {
        if (!cl->credential)
            err_set(e, "out of memory");
        sf_client_free(cl);
        return NULL;
    }
    return cl;
}

void
sf_client_free(struct sf_client *c)
{
    if (!c)
        return;
    cancel_free_all(c);
    statement_free_all(c);
    http_client_free(c->http);
    credential_free(c->credential);
    free(c);
}

unsigned
sf_client_idle_connections(const struct sf_client *c)
{
    return http_client_idle_connections(c->http);
}

const struct sf_counters *
sf_client_counters(const struct sf_client *c)
{
    return &c->counters;
}
