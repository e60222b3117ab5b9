/* Is Snowflake there?  What statements tell about it, and a small SHOW when there were none: it
 * needs no warehouse and so never wakes one.  Workers; one of them probes at a time.  No lease is
 * taken: a probe must work, and must not take a caller's place, when all are busy. */
#include "front/call.h"

#include "clock.h"
#include "state/events.h"
#include "state/health.h"

#include <stdio.h>

static bool
says_nothing(enum rc rc)
{
    return rc == RC_NO_MEMORY || rc == RC_INTERNAL || rc == RC_CANCELLED;
}

void
note_upstream(struct front *f, const struct sf_outcome *o)
{
    uint64_t now_ns = clock_ns();
    char text[200], code[24];

    if (says_nothing(o->rc))
        return;
    if (o->rc != RC_UPSTREAM_FAILED && o->rc != RC_UPSTREAM_AUTH && o->rc != RC_UPSTREAM_BUSY) {
        health_success(f->o.segment, now_ns); /* it answered; wrong SQL is the caller's matter */
        return;
    }
    health_failure(f->o.segment, now_ns, o->rc == RC_UPSTREAM_AUTH);
    str_copy(text, sizeof text, o->message);
    str_copy(code, sizeof code, o->code);
    event_throttled(EVENT_ERROR, rc_table[o->rc].name, 10000,
        o->rc == RC_UPSTREAM_AUTH   ? "authentication at Snowflake failed"
        : o->rc == RC_UPSTREAM_BUSY ? "connection throttled by Snowflake"
                                    : "connection to Snowflake failed",
        "code", code, "reason", text, NULL);
}

static void
on_columns(void *arg, const struct sf_column *cols, unsigned n)
{
}

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    return SF_GO;
}

static void
on_handle(void *arg, const char *handle)
{
}

static void
on_done(void *arg, const struct sf_outcome *o)
{
    struct front *f = arg;

    f->probe = NULL;
    note_upstream(f, o);
    health_probe_done(f->o.segment);
}

void
probe_tick(struct front *f)
{
    static const struct sf_handlers handlers = {
        .on_handle = on_handle, .on_columns = on_columns, .on_row = on_row, .on_done = on_done
    };
    uint64_t interval_ns = f->config->health_probe_ms * 1000000;
    char uuid[UUID_TEXT], tag[120];
    struct sf_request r = { .sql = STR("SHOW DATABASES LIMIT 1"),
        .timeout_s = 30,
        .row_limit = 1,
        .metadata = true,
        .request_id = uuid };

    if (!f->sf || f->probe || f->draining ||
        !health_claim_probe(f->o.segment, f->now_ns, interval_ns))
        return;
    uuid_v4(uuid);
    snprintf(
        tag, sizeof tag, "{\"app\":\"snowflake-mcp\",\"request\":\"%s\",\"tool\":\"probe\"}", uuid);
    r.query_tag = str_of(tag);
    f->probe = sf_statement_start(f->sf, &r, &handlers, f);
    if (!f->probe)
        health_probe_done(f->o.segment);
}

void
probe_drop(struct front *f)
{
    if (!f->probe)
        return;
    sf_statement_drop(f->probe, NULL, NULL);
    f->probe = NULL;
    health_probe_done(f->o.segment);
}
