/* Admission: a call runs its statements under a lease, waits in line for one, or is told when to
 * come back.  Workers. */
#include "front/call.h"

#include "clock.h"
#include "state/events.h"

#include <stdio.h>

enum { RETRY_AFTER_MAX_S = 60 };

void
call_write_failure(struct call *c, enum rc rc, struct str message, int64_t retry_after_s)
{
    c->mcp.rc = rc;
    if (!c->writer && c->plan.n_statements > 0)
        c->writer = result_new(&c->mcp, &c->plan, c->front->config, &c->out);
    if (c->writer)
        result_fail(c->writer, rc, NULL, message, retry_after_s);
    else
        mcp_error(&c->mcp, &c->out, rc, message, STR_NONE);
}

/* The line moves as slowly as its head has waited: a guess, but one that grows with the trouble. */
static int64_t
retry_after_s(const struct segment *s, uint64_t now_ns)
{
    int64_t seconds = (int64_t)(lease_longest_wait_ns(s, now_ns) / 1000000000) + 1;

    return seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
}

static void
write_exhausted(struct call *c, uint64_t now_ns)
{
    uint64_t waited_ms = (now_ns - c->queued_ns) / 1000000;
    char text[160];

    metrics_count(METRIC_POOL_TIMEOUTS, 0, 0, 1);
    event_pool_exhausted(waited_ms, call_client(c), str_of(c->id));
    snprintf(text, sizeof text, "%s: no slot for a statement became free within %llu ms",
        rc_table[RC_POOL_EXHAUSTED].text, (unsigned long long)waited_ms);
    call_write_failure(
        c, RC_POOL_EXHAUSTED, str_of(text), retry_after_s(c->front->o.segment, now_ns));
}

enum step_result
step_admit(struct call *c)
{
    struct front *f = c->front;

    if (c->in_line) { /* entered again: the lease has come */
        c->in_line = false;
        c->deadline_ns = 0;
        metrics_observe(METRIC_WAIT_SECONDS, 0, clock_ns() - c->queued_ns);
        return STEP_NEXT;
    }
    if (!f->sf) {
        call_write_failure(c, RC_UPSTREAM_AUTH,
            STR("no Snowflake credential is configured: set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and "
                "SNOWFLAKE_PRIVATE_KEY_PATH, or SNOWFLAKE_PASSWORD with a programmatic access "
                "token"),
            -1);
        return STEP_DONE;
    }
    c->queued_ns = clock_ns();
    switch (lease_request(f->o.segment, &c->ticket, c->client, c->queued_ns)) {
    case LEASE_GRANTED:
        metrics_observe(METRIC_WAIT_SECONDS, 0, 0);
        return STEP_NEXT;
    case LEASE_WAITING:
        if (f->config->pool_wait_ms > 0) {
            c->in_line = true;
            c->deadline_ns = c->queued_ns + f->config->pool_wait_ms * 1000000;
            return STEP_WAIT;
        }
        break;
    case LEASE_QUEUE_FULL:
        break;
    }
    write_exhausted(c, c->queued_ns);
    return STEP_DONE;
}

static bool
is_waiting(void *arg, int waiter)
{
    const struct front *f = arg;
    const struct call *c;

    for (c = f->calls; c; c = c->next)
        if (c->in_line && c->ticket.waiter == waiter)
            return true;
    return false;
}

void
admission_tick(struct front *f)
{
    struct call *c, *next;

    lease_tend(f->o.segment, is_waiting, f);
    for (c = f->calls; c; c = next) {
        next = c->next; /* the call may end; another one does not */
        if (!c->in_line)
            continue;
        if (lease_poll(f->o.segment, &c->ticket)) {
            call_advance(c);
        } else if (f->now_ns >= c->deadline_ns) {
            write_exhausted(c, f->now_ns);
            call_finish(c);
        }
    }
}
