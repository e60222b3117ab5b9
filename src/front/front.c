/* The request side of a worker: set-up, the beat, the drain.  One per worker, made after fork. */
#include "front/call.h"

#include "clock.h"
#include "must.h"
#include "state/events.h"
#include "state/health.h"

#include <stdlib.h>

/* After the last call a connection gets so long to take the end of its reply. */
#define FLUSH_NS UINT64_C(2000000000)

/* While this process is replaced its clients may be about to send on connections that they hold
 * open: closing them under their hands would lose calls.  The next reply tells them to leave. */
enum { REPLACED_IDLE_MS = 5000 };

static void
on_refused(void *arg, unsigned reason)
{
    metrics_count(METRIC_HTTP_REFUSED, reason, 0, 1);
    if (reason == REASON_MALFORMED)
        event_throttled(EVENT_WARNING, "malformed", 60000,
            "security malformed HTTP requests are being refused", NULL);
    else if (reason == REASON_CONNECTIONS)
        event_throttled(EVENT_WARNING, "connections", 10000,
            "too many client connections: new ones are refused or must wait", NULL);
}

static void
on_connection(void *arg)
{
    metrics_count(METRIC_HTTP_CONNECTIONS, 0, 0, 1);
}

static int
listen_all(struct front *f, struct err *e)
{
    unsigned i;

    for (i = 0; i < f->o.n_listeners; i++)
        if (http_server_listen(f->http, f->o.listeners[i], e) != 0)
            return -1;
    return 0;
}

struct front *
front_new(const struct front_options *o, struct err *e)
{
    struct front *f = calloc(1, sizeof *f);
    const struct config *c = o->config;
    struct http_server_options http = {
        .max_body = c->http_max_body,
        .max_headers = c->http_max_headers,
        .max_header_count = (unsigned)c->http_max_header_count,
        .max_connections = (unsigned)c->http_max_connections,
        .request_ms = (unsigned)c->http_request_ms,
        .idle_ms = (unsigned)c->http_idle_ms,
        .write_ms = (unsigned)c->http_write_ms,
        .allow = "GET, HEAD, POST, OPTIONS",
        .on_refused = on_refused,
        .on_connection = on_connection,
        .handler = route,
        .arg = f,
    };

    if (!f) {
        err_set(e, "out of memory");
        return NULL;
    }
    f->o = *o;
    f->config = c;
    f->now_ns = clock_ns();
    random_bytes(&f->next_id, sizeof f->next_id);
    f->http = http_server_new(o->loop, &http, e);
    if (o->identity)
        f->sf = sf_client_new(o->loop, c, o->identity, e);
    else
        health_failure(o->segment, f->now_ns, true);
    if (!f->http || (o->identity && !f->sf) || listen_all(f, e) != 0) {
        front_free(f);
        return NULL;
    }
    return f;
}

unsigned
front_in_flight(const struct front *f)
{
    return f->n_calls;
}

/* The client of Snowflake counts for itself: it knows nothing of our metrics block. */
static void
count_upstream(struct front *f)
{
    struct sf_counters was = f->counted, now = *sf_client_counters(f->sf);

    metrics_count(METRIC_LOGINS, RESULT_OK, 0, now.logins_ok - was.logins_ok);
    metrics_count(METRIC_LOGINS, RESULT_AUTH, 0, now.logins_refused - was.logins_refused);
    metrics_count(METRIC_RETRIES, 0, 0, now.retries - was.retries);
    metrics_count(METRIC_CANCELS, RESULT_OK, 0, now.cancels_confirmed - was.cancels_confirmed);
    metrics_count(
        METRIC_CANCELS, RESULT_FAILED, 0, now.cancels_unconfirmed - was.cancels_unconfirmed);
    f->counted = now;
}

/* What the metrics child and /health read about this worker. */
static void
publish(struct front *f)
{
    struct slot *me = &f->o.segment->slots[f->o.segment->my_slot];

    if (f->sf)
        count_upstream(f);
    atomic_store_explicit(&me->in_flight, f->n_calls, memory_order_relaxed);
    atomic_store_explicit(
        &me->upstream_idle, f->sf ? sf_client_idle_connections(f->sf) : 0, memory_order_relaxed);
    atomic_store_explicit(
        &me->client_connections, http_server_connections(f->http), memory_order_relaxed);
}

/* Silence from Snowflake beyond all of its own limits: nothing may hang for ever. */
static void
end_stalled_calls(struct front *f)
{
    struct call *c, *next;

    for (c = f->calls; c; c = next) {
        next = c->next;
        if (!c->statement || c->paused || !c->deadline_ns || f->now_ns < c->deadline_ns)
            continue;
        health_failure(f->o.segment, f->now_ns, false);
        call_fail(c, RC_STATEMENT_TIMEOUT,
            STR("Snowflake did not answer in time; the statement was cancelled"), -1);
    }
}

static void
end_all_calls(struct front *f)
{
    while (f->calls)
        call_fail(
            f->calls, RC_DRAINING, STR("the server is shutting down; the call was cancelled"), 5);
}

static void
drain_tick(struct front *f)
{
    void (*done)(void *) = f->on_drained;

    if (f->drained)
        return;
    if (f->now_ns >= f->drain_deadline_ns)
        end_all_calls(f);
    if (f->n_calls > 0 || f->cancelling)
        return;
    if (http_server_connections(f->http) > 0 && f->now_ns < f->drain_deadline_ns + FLUSH_NS)
        return;
    f->drained = true;
    if (done)
        done(f->on_drained_arg);
}

void
front_tick(struct front *f)
{
    f->now_ns = clock_ns();
    admission_tick(f);
    end_stalled_calls(f);
    cancel_tick(f);
    probe_tick(f);
    publish(f);
    if (f->draining)
        drain_tick(f);
}

void
front_drain(struct front *f, void (*done)(void *arg), void *arg)
{
    if (f->draining)
        return;
    f->draining = true;
    f->on_drained = done;
    f->on_drained_arg = arg;
    f->drain_deadline_ns = clock_ns() + f->config->server_drain_ms * 1000000;
    probe_drop(f);
    f->refusing = atomic_load(&f->o.segment->control->draining) != 0;
    http_server_stop_listening(f->http);
    http_server_drain(f->http, f->refusing ? 0 : REPLACED_IDLE_MS);
}

void
front_hurry(struct front *f)
{
    uint64_t now_ns = clock_ns();

    if (!f->draining)
        return;
    f->refusing = true;
    http_server_drain(f->http, 0);
    if (f->drain_deadline_ns > now_ns)
        f->drain_deadline_ns = now_ns;
}

void
front_free(struct front *f)
{
    if (!f)
        return;
    end_all_calls(f);
    http_server_free(f->http);
    probe_drop(f);
    if (f->sf)
        sf_client_free(f->sf);
    cancel_free(f);
    call_free_spare(f);
    free(f);
}
