/* The statements of a call: sent one after the other under one lease, their rows written into the
 * reply as they arrive.  Workers.
 *
 * The request id is in the lease before anything is sent, the handle as soon as it is known:
 * whoever inherits the lease can cancel the statement.  Rows never pile up: past a bound the
 * client's side is waited for and Snowflake's side paused. */
#include "front/call.h"

#include "clock.h"
#include "must.h"
#include "state/events.h"

static uint64_t
patience_ns(const struct call *c)
{
    uint32_t own_s = c->plan.statements[c->current].request.timeout_s;
    uint64_t limit_ms = (own_s ? own_s : c->front->config->query_timeout_s) * 1000;

    return (limit_ms + STALL_MARGIN_MS) * 1000000;
}

/* Something arrived: the deadline is about silence, not about the length of a result. */
static void
note_progress(struct call *c)
{
    c->deadline_ns = c->front->now_ns + patience_ns(c);
}

/* What an administrator of the account sees, and what sf_cancel_request() searches for. */
static struct str
query_tag(struct call *c)
{
    struct buf b;
    struct str client = call_client(c), trace = c->mcp.traceparent, name = c->mcp.client_name;
    char *copy;

    buf_init(&b, QUERY_TAG_MAX);
    buf_printf(&b, "{\"app\":\"snowflake-mcp\",\"request\":\"%s\",\"id\":\"%s\",\"tool\":\"%s\"",
        c->uuid, c->id, tool_name(c->mcp.tool));
    buf_put_z(&b, ",\"client\":");
    json_put_string(&b, (struct str){ client.p, utf8_cut(client.p, client.n, 200) });
    if (name.n) {
        buf_put_z(&b, ",\"program\":");
        json_put_string(&b, (struct str){ name.p, utf8_cut(name.p, name.n, 100) });
    }
    if (trace.n && trace.n <= 128) {
        buf_put_z(&b, ",\"traceparent\":");
        json_put_string(&b, trace);
    }
    buf_put_c(&b, '}');
    copy = b.failed ? NULL : arena_copy(c->arena, buf_str(&b));
    buf_fini(&b);
    return copy ? str_of(copy) : str_of(c->uuid);
}

/* ---- the outcome ----------------------------------------------------------------------------- */

/* Our own words for the log: none that an operator searches for trouble with. */
static const char *
state_of(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return "success";
    case RC_SQL_FAILED:
        return "rejected";
    case RC_STATEMENT_TIMEOUT:
        return "expired";
    case RC_CANCELLED:
    case RC_CLIENT_GONE:
    case RC_DRAINING:
        return "cancelled";
    default:
        return "unavailable";
    }
}

static enum metric_result
result_of(enum rc rc)
{
    switch (rc) {
    case RC_OK:
    case RC_RESULT_TOO_LARGE:
        return RESULT_OK;
    case RC_SQL_FAILED:
        return RESULT_SQL_ERROR;
    case RC_STATEMENT_TIMEOUT:
        return RESULT_TIMEOUT;
    case RC_CANCELLED:
        return RESULT_CANCELLED;
    case RC_UPSTREAM_AUTH:
        return RESULT_AUTH;
    case RC_UPSTREAM_BUSY:
        return RESULT_THROTTLED;
    default:
        return RESULT_FAILED;
    }
}

static void
log_statement(const struct call *c, enum rc rc, uint64_t elapsed_ns, struct str handle)
{
    uint64_t rows = result_rows(c->writer) - c->rows_before;

    metrics_count(METRIC_STATEMENTS, result_of(rc), 0, 1);
    event_query((double)elapsed_ns / 1e6, handle.n ? handle : STR("-"), call_client(c),
        tool_name(c->mcp.tool), rows, state_of(rc));
}

/* ---- callbacks of sf ------------------------------------------------------------------------- */

static void
on_handle(void *arg, const char *handle)
{
    struct call *c = arg;

    str_copy(c->handle, sizeof c->handle, str_of(handle));
    lease_note_handle(c->front->o.segment, c->ticket.lease, c->handle);
    note_progress(c);
}

static void
on_columns(void *arg, const struct sf_column *cols, unsigned n)
{
    struct call *c = arg;

    note_progress(c);
    result_columns(c->writer, cols, n);
}

static void
on_caught_up(void *arg)
{
    struct call *c = arg;

    if (!c->paused)
        return;
    c->paused = false;
    note_progress(c);
    sf_statement_resume(c->statement); /* the call may end inside */
}

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct call *c = arg;
    size_t cap = c->front->config->http_output_cap;
    enum sf_flow flow = result_row(c->writer, cells, n);

    if (c->out.len < (c->streaming ? (size_t)PIECE_BYTES : (size_t)WHOLE_REPLY_BYTES))
        return flow;
    note_progress(c);
    call_stream(c);
    if (flow == SF_GO && http_reply_backlog(c->request) > cap) {
        c->paused = true;
        http_reply_on_drain(c->request, cap / 2, on_caught_up, c);
        return SF_PAUSE;
    }
    return flow;
}

static enum step_result begin_statement(struct call *c);

static void
on_done(void *arg, const struct sf_outcome *o)
{
    struct call *c = arg;
    struct front *f = c->front;

    c->statement = NULL;
    c->paused = false;
    c->deadline_ns = 0;
    metrics_observe(METRIC_QUERY_SECONDS, c->plan.statements[c->current].metric, o->elapsed_ns);
    note_upstream(f, o);
    log_statement(c, o->rc, o->elapsed_ns, o->handle);
    if (o->rc != RC_OK && o->may_be_running)
        cancel_named(f, &c->ticket, c->uuid, c->handle);
    else
        lease_note_ended(f->o.segment, c->ticket.lease);

    if (o->rc != RC_OK) {
        c->mcp.rc = o->rc;
        result_fail(c->writer, o->rc, o, STR_NONE, o->retry_after_s);
    } else if (c->current + 1 < c->plan.n_statements) {
        c->rows_before = result_rows(c->writer);
        c->current++;
        if (begin_statement(c) == STEP_WAIT)
            return;
    } else {
        result_finish(c->writer, o);
    }
    call_finish(c);
}

/* Only where an administrator asked for it: statements may hold personal data. */
static void
log_sql(const struct call *c, struct str sql)
{
    const char *text = arena_copy(c->arena, sql);

    event(EVENT_DEBUG, "statement", "id", c->id, "sql", text ? text : "", NULL);
}

/* ---- start and end --------------------------------------------------------------------------- */

static enum step_result
begin_statement(struct call *c)
{
    static const struct sf_handlers handlers = {
        .on_handle = on_handle, .on_columns = on_columns, .on_row = on_row, .on_done = on_done
    };
    struct front *f = c->front;
    struct sf_request *r = &c->plan.statements[c->current].request;

    if (c->front->config->query_log_sql)
        log_sql(c, r->sql);
    result_begin(c->writer, c->current);
    uuid_v4(c->uuid);
    c->handle[0] = '\0';
    r->request_id = c->uuid;
    r->query_tag = query_tag(c);
    c->sent_ns = clock_ns();
    c->deadline_ns = c->sent_ns + patience_ns(c);
    lease_note_request(f->o.segment, c->ticket.lease, c->uuid);
    c->statement = sf_statement_start(f->sf, r, &handlers, c);
    if (c->statement)
        return STEP_WAIT;
    lease_note_ended(f->o.segment, c->ticket.lease);
    call_write_failure(c, RC_NO_MEMORY, str_of(rc_table[RC_NO_MEMORY].text), -1);
    return STEP_DONE;
}

enum step_result
step_query(struct call *c)
{
    if (!c->writer)
        c->writer = result_new(&c->mcp, &c->plan, c->front->config, &c->out);
    if (!c->writer) {
        call_write_failure(c, RC_NO_MEMORY, str_of(rc_table[RC_NO_MEMORY].text), -1);
        return STEP_DONE;
    }
    return begin_statement(c);
}

void
query_drop(struct call *c)
{
    struct sf_statement *s = c->statement;
    struct cancelling *x;

    if (!s)
        return;
    c->statement = NULL;
    log_statement(c, RC_CANCELLED, clock_ns() - c->sent_ns, str_of(c->handle));
    x = cancelling_new(c->front, &c->ticket);
    sf_statement_drop(s, x ? cancelling_done : NULL, x);
}
