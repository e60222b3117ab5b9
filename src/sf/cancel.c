/* cancel.c - statements nobody waits for any more are stopped at Snowflake.
 *
 * Runs in workers, in the background: it owns what a dropped statement leaves behind until
 * Snowflake confirmed or a grace is over, and then tells so once.  It never touches a statement
 * that is not named by a handle of ours or found under our own request id. */
#include "sf/statement.h"

#include "clock.h"
#include "encode.h"
#include "json_text.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    GRACE_MS = 10000,    /* for all attempts of one cancel */
    LOOK_AFTER_MS = 250, /* a submit that has not answered by then is looked for as well */
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 2000,
    FOUND_MAX = 8, /* statements under one request id: one, or two after a lost answer */
    LOOKUP_TIMEOUT_S = 30
};

enum stage {
    AWAIT_SUBMIT, /* the answer to a submit will tell the handle */
    STOP,         /* handles are known: cancel one after the other */
    LOOK_UP,      /* find the handles by query tag */
    OVER          /* tell */
};

struct cancel {
    struct sf_client *client;
    struct cancel *next, **link; /* in client->cancels */
    enum stage stage;
    void (*cb)(void *arg, bool confirmed);
    void *arg;
    struct loop_timer *timer; /* the next attempt, or the telling */
    struct wire *submit;      /* adopted */
    struct wire *wire;        /* a cancel under way */
    struct sf_statement *lookup;
    struct buf body; /* what an adopted submit borrows */
    char request_id[STATEMENT_ID];
    char found[FOUND_MAX][ANSWER_HANDLE];
    unsigned n_found, stopped;
    uint64_t deadline_ms; /* 0: not begun */
    unsigned tries;
    bool confirmed, counted;
};

static void on_timer(void *arg);

static struct cancel *
cancel_new(struct sf_client *c, void (*cb)(void *arg, bool confirmed), void *arg)
{
    struct cancel *k = calloc(1, sizeof *k);
    if (!k)
        goto no_memory;
    k->client = c;
    k->cb = cb;
    k->arg = arg;
    k->counted = true;
    k->timer = loop_timer_new(c->loop, on_timer, k);
    if (!k->timer)
        goto no_memory;
    k->next = c->cancels;
    k->link = &c->cancels;
    if (k->next)
        k->next->link = &k->next;
    c->cancels = k;
    return k;
no_memory:
    /* Told at once, against the rule: a lease that waits for it must come back. */
    free(k);
    if (cb)
        cb(arg, false);
    return NULL;
}

static void
cancel_free(struct cancel *k)
{
    *k->link = k->next;
    if (k->next)
        k->next->link = k->link;
    wire_cancel(k->submit);
    wire_cancel(k->wire);
    loop_timer_free(k->timer);
    buf_fini(&k->body);
    free(k);
}

static void
over(struct cancel *k, bool confirmed)
{
    k->stage = OVER;
    k->confirmed = confirmed;
    if (k->lookup)
        sf_statement_drop(k->lookup, NULL, NULL);
    k->lookup = NULL;
    loop_timer_set(k->timer, 0); /* never inside the call that began it */
}

static void
tell(struct cancel *k)
{
    struct sf_counters *n = &k->client->counters;
    if (k->counted && k->confirmed)
        n->cancels_confirmed++;
    else if (k->counted)
        n->cancels_unconfirmed++;
    void (*cb)(void *arg, bool confirmed) = k->cb;
    void *arg = k->arg;
    bool confirmed = k->confirmed;
    cancel_free(k);
    if (cb)
        cb(arg, confirmed);
}

/* Another attempt after a pause, while the grace lasts; it does not end before the submit does. */
static void
later(struct cancel *k)
{
    uint64_t pause = client_backoff_ms(PAUSE_MIN_MS, PAUSE_MAX_MS, ++k->tries);
    if (!k->submit && clock_ms() + pause > k->deadline_ms)
        over(k, false);
    else
        loop_timer_set(k->timer, pause);
}

static void
enter_stage(struct cancel *k, enum stage stage)
{
    k->stage = stage;
    k->tries = 0;
    if (k->deadline_ms == 0)
        k->deadline_ms = clock_ms() + GRACE_MS;
}

/* ---- by handle --------------------------------------------------------------------------------
 */

static void stop_next(struct cancel *k);

static void
on_stop_end(void *arg, const struct wire_end *end)
{
    struct cancel *k = arg;
    k->wire = NULL;
    /* 422: it had ended, or is not known any more; 408: it ended by its timeout. */
    if (end->ok && (end->status == 200 || end->status == 422 || end->status == 408)) {
        k->stopped++;
        k->tries = 0;
        stop_next(k);
    } else if (end->ok && (end->status == 400 || end->status == 401 || end->status == 403 ||
                              end->status == 404 || end->status == 405)) {
        over(k, false);
    } else {
        later(k);
    }
}

static void
stop_next(struct cancel *k)
{
    static const struct wire_handlers handlers = { NULL, NULL, on_stop_end };
    if (k->stopped == k->n_found) {
        over(k, true);
        return;
    }
    char path[256], id[UUID_TEXT];
    uuid_v4(id);
    snprintf(
        path, sizeof path, "/api/v2/statements/%s/cancel?requestId=%s", k->found[k->stopped], id);
    if (k->tries > 0)
        k->client->counters.retries++;
    k->wire = wire_start(k->client, "POST", path, STR_NONE, &handlers, k, NULL);
    if (!k->wire)
        later(k);
}

static void
stop_handle(struct cancel *k, const char *handle)
{
    loop_timer_clear(k->timer);
    if (k->lookup)
        sf_statement_drop(k->lookup, NULL, NULL);
    k->lookup = NULL;
    if (!answer_is_handle(handle)) {
        over(k, false);
        return;
    }
    k->n_found = 1;
    str_copy(k->found[0], sizeof k->found[0], str_of(handle));
    enter_stage(k, STOP);
    stop_next(k);
}

/* ---- by request id -----------------------------------------------------------------------------
 */

static enum sf_flow
on_lookup_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct cancel *k = arg;
    struct str id = cells[0].json;
    bool plain = !cells[0].null && !cells[0].escaped && id.n > 0 && id.n < ANSWER_HANDLE;
    for (size_t i = 0; plain && i < id.n; i++)
        plain = strchr("0123456789abcdefABCDEF-", id.p[i]) && id.p[i];
    if (plain && k->n_found < FOUND_MAX)
        str_copy(k->found[k->n_found++], ANSWER_HANDLE, id);
    return SF_GO;
}

static void
on_lookup_done(void *arg, const struct sf_outcome *o)
{
    struct cancel *k = arg;
    k->lookup = NULL;
    if (o->rc == RC_OK && k->n_found > 0) {
        k->stopped = 0;
        enter_stage(k, STOP);
        stop_next(k);
    } else {
        later(k); /* the history may not show it yet */
    }
}

static void
look_up(struct cancel *k)
{
    static const struct sf_handlers handlers = {
        .on_row = on_lookup_row,
        .on_done = on_lookup_done,
    };
    struct buf sql;
    char id[UUID_TEXT];
    loop_timer_clear(k->timer);
    uuid_v4(id);
    buf_init(&sql, 4096);
    buf_put_z(&sql, "select query_id from table(");
    const char *database = k->client->config->sf_database;
    if (database && *database) {
        buf_put_c(&sql, '"');
        for (const char *p = database; *p; p++)
            buf_put(&sql, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
        buf_put_z(&sql, "\".");
    }
    /* The lookup itself carries the id in its text only, so it does not find itself. */
    buf_printf(&sql,
        "information_schema.query_history_by_user(result_limit => 1000)) "
        "where query_tag like '%%%s%%'",
        k->request_id);
    struct sf_request r = {
        .sql = buf_str(&sql),
        .timeout_s = LOOKUP_TIMEOUT_S,
        .row_limit = FOUND_MAX,
        .metadata = true,
        .request_id = id,
        .query_tag = STR("snowflake-mcp cancel"),
    };
    k->n_found = 0;
    k->lookup = sql.failed ? NULL : sf_statement_start(k->client, &r, &handlers, k);
    buf_fini(&sql);
    if (!k->lookup)
        later(k);
}

/* ---- a submit under way -------------------------------------------------------------------------
 */

static enum http_flow
on_submit_rows(void *arg, struct str bytes)
{
    return HTTP_ENOUGH; /* it has ended: its rows are wanted by nobody */
}

static void
on_submit_end(void *arg, const struct wire_end *end)
{
    struct cancel *k = arg;
    k->submit = NULL;
    if (k->stage == STOP || k->stage == OVER)
        return; /* the lookup was faster */
    bool unknown = !end->ok && end->sent, running = false;
    if (end->ok && end->status != 200) {
        struct answer a;
        answer_init(&a);
        struct verdict v = answer_judge(end->status, end->body, false, &a);
        unknown = v.unknown;
        running = v.kind == ANSWER_RUNNING;
        if (running)
            stop_handle(k, a.handle);
        answer_fini(&a);
    }
    if (running)
        return;
    if (!unknown) {
        k->counted = false; /* it has ended, or never began */
        over(k, true);
        return;
    }
    enter_stage(k, LOOK_UP);
    if (!k->lookup)
        look_up(k);
}

static void
on_timer(void *arg)
{
    struct cancel *k = arg;
    switch (k->stage) {
    case OVER:
        tell(k);
        break;
    case STOP:
        stop_next(k);
        break;
    case AWAIT_SUBMIT:
    case LOOK_UP:
        look_up(k);
        break;
    }
}

/* ---- beginning
 * ----------------------------------------------------------------------------------- */

void
cancel_adopt(struct sf_client *c, struct wire *submit, struct buf *body, const char *request_id,
    void (*cb)(void *arg, bool confirmed), void *arg)
{
    static const struct wire_handlers handlers = { NULL, on_submit_rows, on_submit_end };
    struct cancel *k = cancel_new(c, cb, arg);
    if (!k) {
        wire_cancel(submit);
        return;
    }
    k->stage = AWAIT_SUBMIT;
    str_copy(k->request_id, sizeof k->request_id, str_of(request_id));
    k->body = *body;
    *body = (struct buf){ .p = NULL };
    k->submit = submit;
    wire_adopt(submit, &handlers, k);
    loop_timer_set(k->timer, LOOK_AFTER_MS);
}

void
cancel_nothing(struct sf_client *c, void (*cb)(void *arg, bool confirmed), void *arg)
{
    struct cancel *k = cb ? cancel_new(c, cb, arg) : NULL;
    if (!k)
        return;
    k->counted = false;
    over(k, true);
}

void
sf_cancel_handle(
    struct sf_client *c, const char *handle, void (*cb)(void *arg, bool confirmed), void *arg)
{
    struct cancel *k = cancel_new(c, cb, arg);
    if (k)
        stop_handle(k, handle);
}

void
sf_cancel_request(
    struct sf_client *c, const char *request_id, void (*cb)(void *arg, bool confirmed), void *arg)
{
    struct cancel *k = cancel_new(c, cb, arg);
    if (!k)
        return;
    /* It becomes part of a statement. */
    if (!answer_is_handle(request_id) || strchr(request_id, '_')) {
        over(k, false);
        return;
    }
    str_copy(k->request_id, sizeof k->request_id, str_of(request_id));
    enter_stage(k, LOOK_UP);
    look_up(k);
}

void
cancel_free_all(struct sf_client *c)
{
    while (c->cancels)
        cancel_free(c->cancels);
}
