/* health.c - the state of the way to Snowflake and the documents behind /health and /readyz.
 *
 * Workers note outcomes; workers and the metrics child write the documents.  Must never ask
 * Snowflake, block, or name an account, a user or a secret. */
#include "state/health.h"

#include "clock.h"
#include "must.h"
#include "state/lease.h"

#include <config.h>

/* As many failures in a row as open a breaker: from there on "unhealthy" rather than "degraded". */
enum { FAILURES_UNHEALTHY = 5 };
/* A probe whose worker died gives way after this time. */
#define PROBE_LIFE_NS UINT64_C(30000000000)

const char *const health_names[] = { "healthy", "degraded", "unhealthy", "unknown" };

void
health_success(struct segment *s, uint64_t now_ns)
{
    struct health *h = s->health;

    atomic_store_explicit(&h->last_success_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&h->last_attempt_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&h->credential_refused, 0, memory_order_relaxed);
    atomic_store_explicit(&h->consecutive_failures, 0, memory_order_release);
}

void
health_failure(struct segment *s, uint64_t now_ns, bool credential_refused)
{
    struct health *h = s->health;

    atomic_store_explicit(&h->last_failure_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&h->last_attempt_ns, now_ns, memory_order_relaxed);
    if (credential_refused)
        atomic_store_explicit(&h->credential_refused, 1, memory_order_relaxed);
    atomic_fetch_add(&h->consecutive_failures, 1);
}

bool
health_claim_probe(struct segment *s, uint64_t now_ns, uint64_t interval_ns)
{
    struct health *h = s->health;
    uint64_t claim = atomic_load(&h->probe_claim);
    uint64_t attempt = atomic_load(&h->last_attempt_ns);

    if (claim > now_ns || (attempt != 0 && now_ns < attempt + interval_ns))
        return false;
    return atomic_compare_exchange_strong(&h->probe_claim, &claim, now_ns + PROBE_LIFE_NS);
}

void
health_probe_done(struct segment *s)
{
    atomic_store(&s->health->probe_claim, 0);
}

enum health_level
health_of_snowflake(const struct segment *s, uint64_t interval_ns, uint64_t now_ns)
{
    const struct health *h = s->health;
    uint64_t success = atomic_load(&h->last_success_ns);

    if (success == 0 && atomic_load(&h->last_failure_ns) == 0)
        return HEALTH_UNKNOWN;
    if (atomic_load(&h->credential_refused) ||
        atomic_load(&h->consecutive_failures) >= FAILURES_UNHEALTHY)
        return HEALTH_UNHEALTHY;
    if (success == 0 || (now_ns > success && now_ns - success > 2 * interval_ns))
        return HEALTH_DEGRADED;
    return HEALTH_HEALTHY;
}

/* The documents -------------------------------------------------------------------------------- */

struct view {
    unsigned alive, starting, configured; /* workers */
    unsigned active, waiting, idle;       /* pool */
    enum health_level snowflake;
    bool draining;
};

static void
look(const struct segment *s, const struct config *c, uint64_t now_ns, struct view *v)
{
    *v = (struct view){ .configured = atomic_load(&s->control->workers_configured) };
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const struct slot *l = &s->slots[i];
        if (atomic_load(&l->identity) == 0 || atomic_load(&l->kind) != SLOT_WORKER)
            continue;
        uint64_t beat = atomic_load(&l->heartbeat_ns);
        bool beats = beat + c->server_heartbeat_limit_ms * 1000000 > now_ns;
        v->alive += beats && atomic_load(&l->state) == SLOT_SERVING;
        v->starting += beats && atomic_load(&l->state) == SLOT_STARTING;
        v->idle += atomic_load(&l->upstream_idle);
    }
    v->active = lease_count(s);
    v->waiting = lease_waiting(s);
    v->snowflake = health_of_snowflake(s, c->health_probe_ms * 1000000, now_ns);
    v->draining = atomic_load(&s->control->draining);
}

/* Strings that are constants of ours: no escaping needed. */
static void
put_reason(struct buf *out, bool *first, const char *text)
{
    buf_printf(out, "%s\"%s\"", *first ? "" : ",", text);
    *first = false;
}

static void
put_reasons(const struct segment *s, const struct view *v, struct buf *out)
{
    bool first = true;

    if (v->draining)
        put_reason(out, &first, "the server is shutting down");
    else if (v->alive == 0)
        put_reason(out, &first, v->starting ? "workers are starting" : "no worker is alive");
    else if (v->alive < v->configured)
        put_reason(out, &first, "a worker is missing");
    if (atomic_load(&s->health->credential_refused))
        put_reason(out, &first, "Snowflake refused the credential");
    else if (v->snowflake == HEALTH_UNHEALTHY)
        put_reason(out, &first, "Snowflake does not answer");
    else if (v->snowflake == HEALTH_DEGRADED)
        put_reason(out, &first, "no recent answer from Snowflake");
    else if (v->snowflake == HEALTH_UNKNOWN)
        put_reason(out, &first, "Snowflake has not been asked yet");
}

static const char *
status_of(const struct view *v)
{
    if (v->draining)
        return "draining";
    if (v->alive == 0)
        return v->starting ? "starting" : "unhealthy";
    if (v->snowflake == HEALTH_UNHEALTHY)
        return "unhealthy";
    return v->snowflake == HEALTH_HEALTHY && v->alive >= v->configured ? "healthy" : "degraded";
}

int
health_write(const struct segment *s, const struct config *c, uint64_t now_ns, struct buf *out)
{
    struct view v;
    char now[32];
    uint64_t started = atomic_load(&s->control->started_ns);

    look(s, c, now_ns, &v);
    clock_rfc3339(now, clock_wall_ms());
    buf_printf(out, "{\"status\":\"%s\",\"snowflake_connection\":\"%s\",\"timestamp\":\"%s\",",
        status_of(&v), health_names[v.snowflake], now);
    buf_printf(out, "\"version\":\"%s\",\"uptime_seconds\":%llu,", PACKAGE_VERSION,
        (unsigned long long)(now_ns > started ? (now_ns - started) / 1000000000u : 0));
    buf_printf(out,
        "\"connection_pool\":{\"active\":%u,\"total\":%u,\"healthy\":%u,\"max\":%u,\"waiting\":%u}"
        ",",
        v.active, v.active + v.idle, v.snowflake == HEALTH_UNHEALTHY ? 0 : v.active + v.idle,
        atomic_load(&s->control->pool_max), v.waiting);
    buf_printf(
        out, "\"workers\":{\"alive\":%u,\"configured\":%u},\"reasons\":[", v.alive, v.configured);
    put_reasons(s, &v, out);
    buf_put_z(out, "]}\n");
    return v.draining || v.alive == 0 ? 503 : 200;
}

int
health_write_ready(
    const struct segment *s, const struct config *c, uint64_t now_ns, struct buf *out)
{
    struct view v;
    const char *why = NULL;

    look(s, c, now_ns, &v);
    uint32_t queue = atomic_load(&s->control->pool_queue);
    if (v.draining)
        why = "draining";
    else if (v.alive == 0)
        why = v.starting ? "starting" : "no worker is alive";
    else if (v.active >= atomic_load(&s->control->pool_max) && v.waiting >= queue)
        why = "the line is full";
    if (why)
        buf_printf(out, "{\"ready\":false,\"reason\":\"%s\"}\n", why);
    else
        buf_put_z(out, "{\"ready\":true}\n");
    return why ? 503 : 200;
}
