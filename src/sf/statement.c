/* statement.c - submit, poll, retry, end: the life of one statement.
 *
 * Runs in workers, on their loop; nothing blocks.  It never runs a statement twice (a second
 * submit carries the same request id and retry=true) and ends with exactly one on_done, unless it
 * was dropped. */
#include "sf/statement.h"

#include "clock.h"
#include "encode.h"
#include "must.h"
#include "sf/request.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BODY_BYTES = 16 * 1024 * 1024,
    OVERTIME_MS = 10000 /* Snowflake stops a statement itself at its timeout; give it so long */
};

static void submit_or_poll(struct sf_statement *s);

/* ---- frames and the end ---------------------------------------------------------------------- */

void
statement_enter(struct sf_statement *s)
{
    s->depth++;
}

static void
statement_free(struct sf_statement *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    partitions_fini(s);
    wire_cancel(s->wire);
    loop_timer_free(s->timer);
    answer_fini(&s->answer);
    buf_fini(&s->body);
    arena_free(s->arena);
    free(s);
}

void
statement_leave(struct sf_statement *s)
{
    if (--s->depth == 0 && s->ended)
        statement_free(s);
}

/* No further event will come for it. */
static void
stop(struct sf_statement *s)
{
    s->ended = true;
    loop_timer_clear(s->timer);
    wire_cancel(s->wire);
    s->wire = NULL;
    partitions_stop(s);
}

void
statement_finish(struct sf_statement *s, enum rc rc, bool may_be_running, int64_t retry_after_s)
{
    if (s->ended)
        return;
    stop(s);
    if (s->elapsed_ns == 0)
        s->elapsed_ns = clock_ns() - s->submitted_ns;
    struct sf_outcome o = {
        .rc = rc,
        .code = rc == RC_OK ? STR_NONE : str_of(s->answer.code),
        .sqlstate = rc == RC_OK ? STR_NONE : str_of(s->answer.sqlstate),
        .message = rc == RC_OK ? STR_NONE : buf_str(&s->answer.message),
        .handle = str_of(s->handle),
        .elapsed_ns = s->elapsed_ns,
        .more = s->more,
        .total_rows = s->columns.total_known ? s->columns.total_rows : s->delivered + s->more,
        .may_be_running = may_be_running,
        .retries = s->retries,
        .retry_after_s = retry_after_s,
    };
    s->handlers.on_done(s->arg, &o);
}

void
statement_fail(struct sf_statement *s, enum rc rc, bool may_be_running, const char *text)
{
    s->answer.code[0] = s->answer.sqlstate[0] = '\0';
    buf_clear(&s->answer.message);
    buf_put_z(&s->answer.message, text);
    statement_finish(s, rc, may_be_running, -1);
}

void
statement_note_handle(struct sf_statement *s, const char *handle)
{
    if (s->handle[0] || !handle[0])
        return;
    str_copy(s->handle, sizeof s->handle, str_of(handle));
    if (s->handlers.on_handle)
        s->handlers.on_handle(s->arg, s->handle);
}

/* ---- what an answer leads to ------------------------------------------------------------------
 */

static bool
may_run(const struct sf_statement *s)
{
    return s->phase != STATEMENT_ROWS && (s->handle[0] || s->maybe_sent);
}

/* Sends the submit or poll again after a pause, or gives up.  The reason stands in s->answer. */
static void
try_again(struct sf_statement *s, enum rc rc, int64_t retry_after_s)
{
    const struct config *c = s->client->config;
    bool too_long = retry_after_s >= 0 && (uint64_t)retry_after_s * 1000 > c->sf_retry_max_ms;
    if (s->failures++ >= c->sf_retries || too_long) {
        statement_finish(s, rc, may_run(s), retry_after_s);
        return;
    }
    s->retries++;
    s->client->counters.retries++;
    uint64_t pause = client_backoff_ms(c->sf_retry_base_ms, c->sf_retry_max_ms, s->failures);
    if (retry_after_s > 0 && (uint64_t)retry_after_s * 1000 > pause)
        pause = (uint64_t)retry_after_s * 1000;
    loop_timer_set(s->timer, pause);
}

static void
poll_later(struct sf_statement *s)
{
    const struct config *c = s->client->config;
    uint64_t now = clock_ns();
    if ((now - s->submitted_ns) / 1000000 > (uint64_t)s->timeout_s * 1000 + OVERTIME_MS) {
        char text[128];
        snprintf(text, sizeof text, "the statement still runs %d s past its timeout of %u s",
            OVERTIME_MS / 1000, (unsigned)s->timeout_s);
        statement_fail(s, RC_STATEMENT_TIMEOUT, true, text);
        return;
    }
    uint64_t pause = s->poll_pause_ms;
    loop_timer_set(s->timer, pause - (pause > 9 ? random_u64() % (pause / 10 + 1) : 0));
    pause = pause ? pause + pause / 2 + 1 : c->sf_poll_min_ms;
    s->poll_pause_ms = pause < c->sf_poll_max_ms ? pause : c->sf_poll_max_ms;
}

void
statement_poll_again(struct sf_statement *s)
{
    s->phase = STATEMENT_POLL;
    s->failures = 0;
    poll_later(s);
}

static void
judge(struct sf_statement *s, const struct wire_end *end)
{
    bool polling = s->handle[0] != '\0';
    struct verdict v = answer_judge(end->status, end->body, polling, &s->answer);
    if (v.unknown)
        s->maybe_sent = s->resubmit = true;
    statement_note_handle(s, s->answer.handle);
    if (s->ended)
        return;
    switch (v.kind) {
    case ANSWER_RUNNING:
        statement_poll_again(s);
        return;
    case ANSWER_AGAIN:
        try_again(s, v.rc, end->retry_after_s);
        return;
    case ANSWER_FAILED:
        break;
    }
    /* 408 and 422 tell how it ended; any other refusal leaves what was sent before running. */
    bool over = end->status == 408 || end->status == 422;
    statement_finish(s, v.rc, !over && (polling || s->maybe_sent), end->retry_after_s);
}

static void
on_head(void *arg, int status)
{
    struct sf_statement *s = arg;
    if (status != 200)
        return;
    if (s->elapsed_ns == 0)
        s->elapsed_ns = clock_ns() - s->submitted_ns;
    s->phase = STATEMENT_ROWS;
    statement_enter(s);
    partitions_restart_first(s);
    statement_leave(s);
}

static enum http_flow
on_rows(void *arg, struct str bytes)
{
    struct sf_statement *s = arg;
    statement_enter(s);
    enum http_flow flow = partitions_first_bytes(s, bytes);
    if (s->ended)
        flow = HTTP_ENOUGH;
    statement_leave(s);
    return flow;
}

static void
on_end(void *arg, const struct wire_end *end)
{
    struct sf_statement *s = arg;
    s->wire = NULL;
    statement_enter(s);
    if (!end->ok) {
        /* The connection was lost: before the request went out, before its answer, or within it.
         * The statement runs once at most, since the same request id is sent with retry=true. */
        if (end->sent)
            s->maybe_sent = s->resubmit = true;
        s->phase = s->handle[0] ? STATEMENT_POLL : STATEMENT_SUBMIT;
        s->answer.code[0] = s->answer.sqlstate[0] = '\0';
        buf_clear(&s->answer.message);
        buf_put_z(&s->answer.message, end->error);
        try_again(s, RC_UPSTREAM_FAILED, -1);
    } else if (end->status == 200) {
        partitions_first_over(s);
    } else {
        judge(s, end);
    }
    statement_leave(s);
}

/* ---- sending -----------------------------------------------------------------------------------
 */

static void
on_timer(void *arg)
{
    struct sf_statement *s = arg;
    statement_enter(s);
    if (s->start_error.text[0])
        statement_fail(s, RC_INTERNAL, false, s->start_error.text);
    else if (s->phase == STATEMENT_ROWS)
        partitions_pump(s);
    else
        submit_or_poll(s);
    statement_leave(s);
}

static int
send_request(struct sf_statement *s, struct err *e)
{
    static const struct wire_handlers handlers = { on_head, on_rows, on_end };
    char path[256];
    if (s->handle[0]) {
        s->phase = STATEMENT_POLL;
        snprintf(path, sizeof path, "/api/v2/statements/%s?requestId=%s", s->handle, s->request_id);
        s->wire = wire_start(s->client, "GET", path, STR_NONE, &handlers, s, e);
    } else {
        s->phase = STATEMENT_SUBMIT;
        snprintf(path, sizeof path, "/api/v2/statements?requestId=%s%s%s", s->request_id,
            s->async ? "&async=true" : "", s->resubmit ? "&retry=true" : "");
        s->wire = wire_start(s->client, "POST", path, buf_str(&s->body), &handlers, s, e);
    }
    return s->wire ? 0 : -1;
}

static void
submit_or_poll(struct sf_statement *s)
{
    struct err e;
    if (send_request(s, &e) != 0)
        statement_fail(s, RC_INTERNAL, may_run(s), e.text);
}

static bool
is_async(const struct config *c, const struct sf_request *r)
{
    return c->sf_submit == SF_SUBMIT_ASYNC || (c->sf_submit == SF_SUBMIT_AUTO && !r->metadata);
}

struct sf_statement *
sf_statement_start(
    struct sf_client *c, const struct sf_request *r, const struct sf_handlers *h, void *arg)
{
    struct sf_statement *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->client = c;
    s->handlers = *h;
    s->arg = arg;
    s->next = c->statements;
    s->link = &c->statements;
    if (s->next)
        s->next->link = &s->next;
    c->statements = s;

    must(str_copy(s->request_id, sizeof s->request_id, str_of(r->request_id)));
    s->async = is_async(c->config, r);
    s->timeout_s = request_timeout_s(c->config, r);
    s->row_limit = r->row_limit;
    answer_init(&s->answer);
    buf_init(&s->body, BODY_BYTES);
    request_body(c->config, r, &s->body);
    s->timer = loop_timer_new(c->loop, on_timer, s);
    s->arena = arena_new(c->config->sf_max_metadata * 4);
    if (s->body.failed || !s->timer || !s->arena || partitions_init(s) != 0) {
        statement_free(s);
        return NULL;
    }
    s->submitted_ns = clock_ns();
    if (send_request(s, &s->start_error) != 0) {
        if (!s->start_error.text[0])
            err_set(&s->start_error, "the statement could not be sent");
        loop_timer_set(s->timer, 0); /* no callback inside of this call */
    } else {
        s->start_error.text[0] = '\0';
    }
    return s;
}

void
sf_statement_resume(struct sf_statement *s)
{
    /* Inside a callback of its own it is never paused: the pause begins when that returns. */
    if (s->ended || !s->paused)
        return;
    s->paused = false;
    statement_enter(s);
    partitions_pump(s);
    statement_leave(s);
}

void
sf_statement_drop(
    struct sf_statement *s, void (*on_cancelled)(void *arg, bool confirmed), void *arg)
{
    if (s->ended)
        return;
    statement_enter(s);
    struct sf_client *c = s->client;
    if ((s->phase == STATEMENT_ROWS && s->columns_known) || s->start_error.text[0]) {
        cancel_nothing(c, on_cancelled, arg);
    } else if (s->handle[0]) {
        sf_cancel_handle(c, s->handle, on_cancelled, arg);
    } else if (s->wire) {
        /* Only its answer tells the handle: it is awaited in the background. */
        cancel_adopt(c, s->wire, &s->body, s->request_id, on_cancelled, arg);
        s->wire = NULL;
    } else if (s->maybe_sent) {
        sf_cancel_request(c, s->request_id, on_cancelled, arg);
    } else {
        cancel_nothing(c, on_cancelled, arg);
    }
    stop(s);
    statement_leave(s);
}

void
statement_free_all(struct sf_client *c)
{
    while (c->statements)
        statement_free(c->statements);
}
