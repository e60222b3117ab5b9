/* A call from its birth to its end.  Workers.  Whatever happened, a call leaves through
 * call_finish(), once: that is where the statement is stopped, the lease given back, the outcome
 * counted, logged and replied. */
#include "front/call.h"

#include "clock.h"
#include "must.h"
#include "state/active.h"
#include "state/events.h"

#include <stdio.h>
#include <stdlib.h>

static void
clear(struct call *c)
{
    size_t from = offsetof(struct call, mcp);

    memset((char *)c + from, 0, sizeof *c - from);
}

struct call *
call_new(struct front *f, struct http_request *r)
{
    struct call *c = f->spare;

    if (c) {
        f->spare = c->next;
        f->n_spare--;
    } else {
        if (!(c = calloc(1, sizeof *c)))
            return NULL;
        if (!(c->arena = arena_new(CALL_ARENA_BYTES))) {
            free(c);
            return NULL;
        }
        c->front = f;
        buf_init(&c->out, result_room(f->config) + WHOLE_REPLY_BYTES);
    }
    clear(c);
    c->prev = NULL;
    c->next = f->calls;
    if (c->next)
        c->next->prev = c;
    f->calls = c;
    f->n_calls++;
    c->request = r;
    c->started_ns = clock_ns();
    snprintf(c->id, sizeof c->id, "%08x", (unsigned)f->next_id);
    f->next_id += 0x9e3779b1u; /* odd: each worker goes through all values before one comes again */
    c->mcp.server = f->o.mcp;
    c->mcp.arena = c->arena;
    c->mcp.transport = MCP_HTTP;
    c->mcp.principal = STR("anonymous");
    return c;
}

/* Who calls: without authentication, the address. */
struct str
call_client(const struct call *c)
{
    return str_of(http_request_peer(c->request));
}

static void
on_client_gone(void *arg)
{
    struct call *c = arg;

    c->client_gone = true;
    call_finish(c);
}

void
call_advance(struct call *c)
{
    while (c->step < call_n_steps) {
        switch (call_steps[c->step].run(c)) {
        case STEP_NEXT:
            c->step++;
            break;
        case STEP_WAIT:
            if (!c->waits) {
                c->waits = true;
                http_request_on_close(c->request, on_client_gone, c);
            }
            return;
        case STEP_DONE:
            call_finish(c);
            return;
        }
    }
    call_finish(c);
}

void
call_fail(struct call *c, enum rc rc, struct str message, int64_t retry_after_s)
{
    call_write_failure(c, rc, message, retry_after_s);
    call_finish(c);
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool
is_tool_call(const struct call *c)
{
    return str_is(c->mcp.method, "tools/call");
}

static void
count(const struct call *c, enum rc rc, uint64_t now_ns)
{
    unsigned tool = tool_index(c->mcp.tool);
    struct str session = c->mcp.headers.session_id; /* its first characters hold random bytes */

    metrics_count(METRIC_REQUESTS, metrics_status(rc_table[rc].status), tool, 1);
    metrics_observe(METRIC_REQUEST_SECONDS, 0, now_ns - c->started_ns);
    active_seen(c->front->o.segment->actives,
        session.n ? hash64((struct str){ session.p, session.n < 40 ? session.n : 40 }) : c->client,
        now_ns);
    if (!is_tool_call(c))
        return;
    if (rc != RC_OK && c->tool_result && !c->client_gone)
        metrics_count(METRIC_TOOL_ERRORS, tool, rc, 1);
    if (rc == RC_SQL_DENIED)
        metrics_count(METRIC_GUARD_DENIED, 0, 0, 1);
    if (c->writer) {
        metrics_count(METRIC_ROWS, tool, 0, result_rows(c->writer));
        metrics_count(METRIC_ROW_BYTES, tool, 0, result_row_bytes(c->writer));
    }
}

static void
log_call(const struct call *c, enum rc rc, uint64_t now_ns)
{
    struct event_tool_call line = {
        .request_id = str_of(c->id),
        .client = call_client(c),
        .status = rc_table[rc].status,
        .duration_ms = (now_ns - c->started_ns) / 1000000,
        .rows = c->writer ? result_rows(c->writer) : 0,
        .tool = tool_name(c->mcp.tool),
        .class_ = rc == RC_OK ? NULL : rc_table[rc].class,
        .traceparent = c->mcp.traceparent,
    };

    event_tool_call(&line);
    if (rc == RC_INTERNAL || rc == RC_NO_MEMORY)
        event_throttled(EVENT_ERROR, rc_table[rc].name, 1000, "call failed inside the server", "id",
            c->id, "reason", rc_table[rc].text, NULL);
}

static void
unlink_call(struct call *c)
{
    struct front *f = c->front;

    if (c->prev)
        c->prev->next = c->next;
    else
        f->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
    f->n_calls--;
}

static void
recycle(struct call *c)
{
    struct front *f = c->front;

    mcp_request_fini(&c->mcp);
    result_free(c->writer);
    arena_reset(c->arena);
    if (c->out.cap > 2 * WHOLE_REPLY_BYTES) {
        buf_fini(&c->out);
        buf_init(&c->out, result_room(f->config) + WHOLE_REPLY_BYTES);
    } else {
        buf_clear(&c->out);
    }
    if (f->n_spare < 64) {
        c->next = f->spare;
        f->spare = c;
        f->n_spare++;
        return;
    }
    buf_fini(&c->out);
    arena_free(c->arena);
    free(c);
}

void
call_finish(struct call *c)
{
    uint64_t now_ns = clock_ns();
    enum rc rc;

    must(!c->finished);
    c->finished = true;
    unlink_call(c);
    query_drop(c);
    lease_leave(c->front->o.segment, &c->ticket);
    rc = c->client_gone ? RC_CLIENT_GONE : c->mcp.rc;
    count(c, rc, now_ns);
    if (is_tool_call(c))
        log_call(c, rc, now_ns);
    call_reply(c);
    recycle(c);
}

void
call_free_spare(struct front *f)
{
    struct call *c;

    while ((c = f->spare)) {
        f->spare = c->next;
        buf_fini(&c->out);
        arena_free(c->arena);
        free(c);
    }
    f->n_spare = 0;
}
