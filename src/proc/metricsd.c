/* metricsd.c - the metrics child: answers /metrics from shared memory that it cannot write, and
 * speaks for the endpoint while no worker can.
 *
 * Runs in a child of the supervisor, so that the supervisor never reads a byte of a client.  Must
 * answer when every worker is stuck: it asks nobody, it only reads. */
#include "proc/metricsd.h"

#include "clock.h"
#include "front/http_server.h"
#include "must.h"
#include "proc/child.h"
#include "proc/childhood.h"
#include "proctitle.h"
#include "state/events.h"
#include "state/gauges.h"
#include "state/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TICK_MS = 200,
    RATE_MS = 1000,
    PAGE_MAX = 4 << 20,
    /* Workers are replaced at once as a rule: only a longer silence is worth an answer of ours. */
    SILENCE_MS = 600
};

struct metricsd {
    struct server *server;
    struct loop *loop;
    struct http_server *metrics, *stand_in;
    struct loop_timer *tick;
    struct loop_fd *wake;
    struct leash *leash;
    struct gauges_rate rate;
    uint64_t rated_ms, served_ms; /* last reading of the rate; a worker lived then */
    bool standing_in;
};

/* ---- :8001 ----------------------------------------------------------------------------------- */

/* A scraper names a format; curl says nothing or that it takes anything (contract, R1). */
static bool
wants_comments(const struct metricsd *m, struct http_request *r)
{
    switch (m->server->now.config->metrics_comments) {
    case METRICS_COMMENTS_ALWAYS:
        return true;
    case METRICS_COMMENTS_NEVER:
        return false;
    default:
        break;
    }
    struct str part, rest = http_request_header(r, "Accept");
    while (str_split(&rest, ',', &part)) {
        struct str type;
        if (!str_split(&part, ';', &type))
            continue;
        type = str_trim(type);
        if (str_is_nocase(type, "text/plain") ||
            str_is_nocase(type, "application/openmetrics-text"))
            return true;
    }
    return false;
}

static void
reply_metrics(struct metricsd *m, struct http_request *r)
{
    double gauges[METRIC_GAUGE__COUNT];
    struct buf page;
    const struct segment *s = m->server->segment;
    buf_init(&page, PAGE_MAX);
    gauges_read(s, m->server->now.config, &m->rate, clock_ns(), gauges);
    metrics_write(s, gauges, wants_comments(m, r), &page);
    if (page.failed)
        http_reply(r, 500, "text/plain", NULL, STR("error: not enough memory\n"));
    else
        http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, buf_str(&page));
    buf_fini(&page);
}

static void
on_metrics_request(void *arg, struct http_request *r)
{
    static const char *const allow[] = { "Allow: GET, HEAD", NULL };
    struct str path = http_request_path(r);
    enum http_method method = http_request_method(r);
    if (!str_is(path, "/") && !str_is(path, "/metrics"))
        http_reply(r, 404, "text/plain", NULL, STR("not found: the metrics are at /metrics\n"));
    else if (method != HTTP_GET && method != HTTP_HEAD)
        http_reply(r, 405, "text/plain", allow, STR("only GET and HEAD are answered here\n"));
    else if (str_is(path, "/"))
        http_reply(r, 200, "text/plain", NULL,
            STR("snowflake-mcp: /metrics is for Prometheus, the MCP endpoint is on another "
                "port\n"));
    else
        reply_metrics(arg, r);
}

/* ---- the endpoint while no worker takes clients ---------------------------------------------- */

static bool
is_draining(const struct metricsd *m)
{
    return atomic_load(&m->server->segment->control->draining) != 0;
}

static void
on_endpoint_request(void *arg, struct http_request *r)
{
    static const char *const retry[] = { "Retry-After: 1", "Cache-Control: no-store", NULL };
    struct metricsd *m = arg;
    const struct segment *s = m->server->segment;
    struct str path = http_request_path(r);
    struct buf text;
    int status = 503;
    buf_init(&text, 1 << 16);
    if (str_is(path, "/health"))
        health_write(s, m->server->now.config, clock_ns(), &text);
    else if (str_is(path, "/readyz"))
        health_write_ready(s, m->server->now.config, clock_ns(), &text);
    else if (str_is(path, "/livez")) /* the service lives: its workers are on their way */
        status = 200;
    if (text.len == 0 && status == 200)
        buf_put_z(&text, "{\"status\":\"alive\"}\n");
    else if (text.len == 0)
        buf_printf(&text,
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"%s\","
            "\"data\":{\"retry_after\":1}}}\n",
            is_draining(m) ? rc_table[RC_DRAINING].text
                           : "no worker is running: try again in a moment");
    http_reply(r, status, "application/json", retry, buf_str(&text));
    buf_fini(&text);
}

static bool
a_worker_lives(const struct metricsd *m)
{
    const struct segment *s = m->server->segment;
    uint64_t limit_ns = m->server->now.config->server_heartbeat_limit_ms * 1000000,
             now = clock_ns();
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const struct slot *l = &s->slots[i];
        uint32_t state = atomic_load(&l->state);
        if (atomic_load(&l->identity) != 0 && atomic_load(&l->kind) == SLOT_WORKER &&
            (state == SLOT_SERVING || state == SLOT_DRAINING) &&
            atomic_load(&l->heartbeat_ns) + limit_ns > now)
            return true;
    }
    return false;
}

static void
stand_in(struct metricsd *m, bool on)
{
    const struct listeners *e = &m->server->endpoint;
    if (on == m->standing_in)
        return;
    m->standing_in = on;
    if (!on) {
        http_server_stop_listening(m->stand_in);
        return;
    }
    for (unsigned i = 0; i < e->n_seats * e->n_addresses; i++)
        if (http_server_listen(m->stand_in, e->fds[i], NULL) != 0)
            event_throttled(EVENT_WARNING, "stand-in", 60000,
                "the metrics process cannot answer for the endpoint", NULL);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void
look(struct metricsd *m)
{
    uint64_t now = clock_ms();
    if (a_worker_lives(m))
        m->served_ms = now;
    /* Draining workers take no new clients: somebody has to tell those. */
    stand_in(m, is_draining(m) || now - m->served_ms >= SILENCE_MS);
}

/* A worker has begun to serve. */
static void
on_wake(void *arg, unsigned events)
{
    struct metricsd *m = arg;
    uint64_t count;
    if (read(m->server->segment->wake_fd[m->server->segment->my_slot], &count, sizeof count) > 0)
        look(m);
}

static void
on_tick(void *arg)
{
    struct metricsd *m = arg;
    uint64_t now = clock_ms();
    childhood_beat(m->server, SLOT_SERVING);
    if (now - m->rated_ms >= RATE_MS) {
        m->rated_ms = now;
        gauges_tick(&m->rate, m->server->segment, clock_ns());
    }
    look(m);
    loop_timer_set(m->tick, TICK_MS);
}

static void
on_leave(void *arg, bool orphaned)
{
    struct metricsd *m = arg;
    loop_stop(m->loop);
}

static struct http_server *
open_http(struct metricsd *m, void (*handler)(void *arg, struct http_request *r), struct err *e)
{
    const struct config *c = m->server->now.config;
    struct http_server_options o = {
        .max_body = 65536,
        .max_headers = c->http_max_headers,
        .max_header_count = (unsigned)c->http_max_header_count,
        .max_connections = 256,
        .request_ms = (unsigned)c->http_request_ms,
        .idle_ms = (unsigned)c->http_idle_ms,
        .write_ms = (unsigned)c->http_write_ms,
        .allow = "GET, HEAD",
        .handler = handler,
        .arg = m,
    };
    return http_server_new(m->loop, &o, e);
}

_Noreturn static void
give_up(const struct err *e)
{
    childhood_last_words(e->text);
    _exit(CHILD_EXIT_FAILED);
}

_Noreturn void
metrics_main(struct server *s, uint32_t slot, uint64_t identity)
{
    struct metricsd m = { .server = s, .served_ms = clock_ms() };
    struct err e = { "no event loop" };
    proctitle_set("snowflake-mcp: metrics");
    childhood_begin(s, slot, identity);
    if (segment_read_only(s->segment, &e) != 0)
        give_up(&e);
    m.loop = loop_new();
    if (m.loop == NULL)
        give_up(&e);
    m.metrics = open_http(&m, on_metrics_request, &e);
    m.stand_in = open_http(&m, on_endpoint_request, &e);
    if (m.metrics == NULL || m.stand_in == NULL)
        give_up(&e);
    http_server_drain(m.stand_in, 0); /* one answer a connection: the next may be for a worker */
    for (unsigned i = 0; i < s->metrics.n_addresses; i++)
        if (http_server_listen(m.metrics, s->metrics.fds[i], &e) != 0)
            give_up(&e);
    m.leash = leash_new(m.loop, s, on_leave, &m);
    m.tick = loop_timer_new(m.loop, on_tick, &m);
    m.wake = loop_fd_new(m.loop, s->segment->wake_fd[slot], LOOP_READ, on_wake, &m);
    if (m.leash == NULL || m.tick == NULL || m.wake == NULL) {
        err_set(&e, "no memory for the first timers");
        give_up(&e);
    }
    on_tick(&m);
    loop_run(m.loop);

    leash_free(m.leash);
    loop_timer_free(m.tick);
    loop_fd_free(m.wake);
    http_server_free(m.stand_in);
    http_server_free(m.metrics);
    loop_free(m.loop);
    exit(CHILD_EXIT_CLEAN);
}
