/* partitions.c - the rows of a statement, partition after partition, in order.
 *
 * Runs in workers.  A few partitions are fetched ahead; what arrives before its turn is held up to
 * a bound, then its transfer pauses.  A pause asked for by the receiver of the rows goes on to the
 * transfer at once: no more than one piece of bytes is ever held for it. */
#include "sf/statement.h"

#include "json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes that waited are parsed in pieces, one a round: nobody else in the loop waits for long. */
enum { SLICE = 65536 };

static struct part *
slot(struct sf_statement *s, unsigned index)
{
    return &s->parts[index % s->n_parts];
}

static struct wire *
part_wire(const struct part *p)
{
    return p->index == 0 ? p->s->wire : p->wire;
}

/* ---- what the parser tells --------------------------------------------------------------------
 */

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct part *p = arg;
    struct sf_statement *s = p->s;
    if (p->rows++ < p->done)
        return SF_GO; /* it was handed out before the connection was lost */
    p->done = p->rows;
    if (s->row_limit && s->delivered == s->row_limit) {
        /* The one row more that was asked for.  A second one means that the server does not know
         * the limit: no need to read all it has. */
        s->more = true;
        return ++s->beyond > 1 ? SF_ENOUGH : SF_GO;
    }
    s->delivered++;
    enum sf_flow flow = s->handlers.on_row(s->arg, cells, n);
    return s->ended ? SF_ENOUGH : flow;
}

static int
first_members(struct sf_statement *s, struct str object, bool whole, struct err *e)
{
    answer_read(&s->answer, object);
    if (strcmp(s->answer.code, "391908") == 0) {
        s->result_cut = true;
        return ROWPARSE_REFUSED;
    }
    statement_note_handle(s, s->answer.handle);
    if (s->ended)
        return ROWPARSE_REFUSED;
    if (s->columns_known)
        return (int)s->columns.n;
    struct str meta = json_member(object, "resultSetMetaData");
    if (json_type_of(meta) != JSON_OBJECT) {
        s->still_running = whole && (strcmp(s->answer.code, "333334") == 0 ||
                                        strcmp(s->answer.code, "333333") == 0);
        return ROWPARSE_NOT_YET;
    }
    if (columns_read(meta, s->arena, &s->columns, e) != 0)
        return ROWPARSE_REFUSED;
    s->columns_known = true;
    if (s->row_limit && s->columns.total_known && s->columns.total_rows > s->row_limit)
        s->more = true;
    if (s->handlers.on_columns)
        s->handlers.on_columns(s->arg, s->columns.list, s->columns.n);
    return s->ended ? ROWPARSE_REFUSED : (int)s->columns.n;
}

static int
on_members(void *arg, struct str object, bool whole, struct err *e)
{
    struct part *p = arg;
    return p->index == 0 ? first_members(p->s, object, whole, e) : (int)p->s->columns.n;
}

/* ---- slots -------------------------------------------------------------------------------------
 */

/* Ready for (another) first byte; rows that were handled stay counted. */
static int
part_reset(struct part *p)
{
    static const struct rowparse_handlers handlers = { on_members, on_row };
    const struct config *c = p->s->client->config;
    struct rowparse_bounds bounds = { c->sf_max_metadata, c->sf_max_cell, c->sf_max_cell * 2 };
    rowparse_free(p->parse);
    p->parse = rowparse_new(&bounds, &handlers, p);
    buf_clear(&p->pending);
    p->pending_at = 0;
    p->rows = 0;
    p->over = p->asleep = false;
    return p->parse ? 0 : -1;
}

static void
part_close(struct part *p)
{
    wire_cancel(p->wire);
    p->wire = NULL;
    loop_timer_free(p->timer);
    p->timer = NULL;
    rowparse_free(p->parse);
    p->parse = NULL;
    buf_fini(&p->pending);
    p->open = false;
}

static int
part_open(struct sf_statement *s, unsigned index)
{
    struct part *p = slot(s, index);
    *p = (struct part){ .s = s, .index = index, .open = true };
    buf_init(&p->pending, s->client->config->sf_partition_buffer);
    return part_reset(p);
}

int
partitions_init(struct sf_statement *s)
{
    s->n_parts = (unsigned)s->client->config->sf_partitions_ahead;
    s->parts = calloc(s->n_parts, sizeof *s->parts);
    s->next_fetch = 1;
    return s->parts ? part_open(s, 0) : -1;
}

void
partitions_fini(struct sf_statement *s)
{
    for (unsigned i = 0; s->parts && i < s->n_parts; i++)
        if (s->parts[i].open)
            part_close(&s->parts[i]);
    free(s->parts);
    s->parts = NULL;
}

/* The parsers stay: one of them may be on the stack. */
void
partitions_stop(struct sf_statement *s)
{
    for (unsigned i = 0; i < s->n_parts; i++) {
        wire_cancel(s->parts[i].wire);
        s->parts[i].wire = NULL;
        if (s->parts[i].timer)
            loop_timer_clear(s->parts[i].timer);
    }
}

/* ---- feeding -----------------------------------------------------------------------------------
 */

static void
parse_failed(struct part *p, const struct err *e)
{
    struct sf_statement *s = p->s;
    if (s->ended)
        return;
    char text[sizeof e->text + 64];
    if (s->result_cut) {
        statement_finish(s, RC_RESULT_TOO_LARGE, false, -1);
    } else {
        if (p->index > 0)
            snprintf(text, sizeof text, "partition %u: %s", p->index, e->text);
        else
            snprintf(text, sizeof text, "%s", e->text);
        /* Garbage where a result should begin does not even say that the statement has ended. */
        bool large = rowparse_too_large(p->parse);
        statement_fail(
            s, large ? RC_RESULT_TOO_LARGE : RC_UPSTREAM_FAILED, !s->columns_known, text);
    }
}

/* Feeds the parser of the partition whose turn it is.  True: all of it was taken and nothing
 * speaks against more. */
static bool
part_feed(struct part *p, struct str bytes, size_t *taken)
{
    struct sf_statement *s = p->s;
    struct err e = { "" };
    switch (rowparse_feed(p->parse, bytes, taken, &e)) {
    case ROWPARSE_MORE:
        return true;
    case ROWPARSE_PAUSED:
        s->paused = !s->ended;
        return false;
    case ROWPARSE_ENOUGH:
        statement_finish(s, RC_OK, false, -1);
        return false;
    case ROWPARSE_FAILED:
        break;
    }
    parse_failed(p, &e);
    return false;
}

static void fetch_ahead(struct sf_statement *s);

static enum http_flow
part_bytes(struct part *p, struct str bytes)
{
    struct sf_statement *s = p->s;
    bool turn = p->index == s->current;
    if (turn && !s->paused && p->pending_at == p->pending.len) {
        size_t taken = 0;
        bool all = part_feed(p, bytes, &taken);
        if (s->columns_known)
            fetch_ahead(s); /* also while paused: what comes waits, bounded */
        if (s->ended)
            return HTTP_ENOUGH;
        if (all)
            return HTTP_GO;
        bytes = str_from(bytes, taken); /* paused within the piece: the rest waits here */
        buf_clear(&p->pending);
        p->pending_at = 0;
    } else if (turn || bytes.n > p->pending.max - p->pending.len) {
        p->asleep = true;
        return HTTP_PAUSE;
    }
    buf_put_str(&p->pending, bytes);
    if (p->pending.failed) {
        statement_fail(s, RC_NO_MEMORY, false, "out of memory");
        return HTTP_ENOUGH;
    }
    return HTTP_GO;
}

/* ---- fetching -----------------------------------------------------------------------------------
 */

static void part_request(struct part *p);

static void
part_failed(struct part *p, enum rc rc, int64_t retry_after_s)
{
    struct sf_statement *s = p->s;
    const struct config *c = s->client->config;
    bool too_long = retry_after_s >= 0 && (uint64_t)retry_after_s * 1000 > c->sf_retry_max_ms;
    if (p->failures++ >= c->sf_retries || too_long || part_reset(p) != 0) {
        statement_finish(s, rc, false, retry_after_s);
        return;
    }
    s->retries++;
    s->client->counters.retries++;
    uint64_t pause = client_backoff_ms(c->sf_retry_base_ms, c->sf_retry_max_ms, p->failures);
    if (retry_after_s > 0 && (uint64_t)retry_after_s * 1000 > pause)
        pause = (uint64_t)retry_after_s * 1000;
    loop_timer_set(p->timer, pause);
}

static enum http_flow
on_part_rows(void *arg, struct str bytes)
{
    struct part *p = arg;
    struct sf_statement *s = p->s;
    statement_enter(s);
    enum http_flow flow = part_bytes(p, bytes);
    statement_leave(s);
    return flow;
}

static void
on_part_end(void *arg, const struct wire_end *end)
{
    struct part *p = arg;
    struct sf_statement *s = p->s;
    p->wire = NULL;
    statement_enter(s);
    if (end->ok && end->status == 200) {
        p->over = true;
        partitions_pump(s);
    } else if (!end->ok) {
        s->answer.code[0] = s->answer.sqlstate[0] = '\0';
        buf_clear(&s->answer.message);
        buf_put_z(&s->answer.message, end->error);
        part_failed(p, RC_UPSTREAM_FAILED, -1);
    } else {
        struct verdict v = answer_judge(end->status, end->body, true, &s->answer);
        if (v.kind == ANSWER_FAILED) /* the statement itself had succeeded */
            statement_finish(s, v.rc == RC_UPSTREAM_AUTH ? v.rc : RC_UPSTREAM_FAILED, false, -1);
        else
            part_failed(p, v.kind == ANSWER_AGAIN ? v.rc : RC_UPSTREAM_FAILED, end->retry_after_s);
    }
    statement_leave(s);
}

static void
part_request(struct part *p)
{
    static const struct wire_handlers handlers = { NULL, on_part_rows, on_part_end };
    struct sf_statement *s = p->s;
    struct err e;
    char path[256];
    snprintf(path, sizeof path, "/api/v2/statements/%s?requestId=%s&partition=%u", s->handle,
        s->request_id, p->index);
    p->wire = wire_start(s->client, "GET", path, STR_NONE, &handlers, p, &e);
    if (!p->wire)
        statement_fail(s, RC_INTERNAL, false, e.text);
}

static void
on_part_timer(void *arg)
{
    struct part *p = arg;
    struct sf_statement *s = p->s;
    statement_enter(s);
    part_request(p);
    statement_leave(s);
}

/* Asks for the next partitions, as far as they are wanted and allowed.  What the row limit cuts
 * off is never asked for. */
static void
fetch_ahead(struct sf_statement *s)
{
    const struct columns *c = &s->columns;
    while (
        !s->ended && s->next_fetch < c->n_partitions && s->next_fetch < s->current + s->n_parts) {
        s->announced_before += c->partition_rows[s->next_fetch - 1];
        if (s->row_limit && s->announced_before >= s->row_limit) {
            s->more = s->more || s->announced_before > s->row_limit;
            for (unsigned k = s->next_fetch; k < c->n_partitions; k++)
                s->more = s->more || c->partition_rows[k] > 0;
            s->columns.n_partitions = s->next_fetch; /* the rest is nobody's business */
            return;
        }
        unsigned index = s->next_fetch++;
        if (!s->handle[0]) {
            statement_fail(
                s, RC_UPSTREAM_FAILED, false, "the answer has partitions, but no statement handle");
            return;
        }
        struct part *p = slot(s, index);
        if (part_open(s, index) != 0 ||
            !(p->timer = loop_timer_new(s->client->loop, on_part_timer, p))) {
            statement_fail(s, RC_NO_MEMORY, false, "out of memory");
            return;
        }
        part_request(p);
    }
}

/* ---- order
 * --------------------------------------------------------------------------------------- */

/* The partition was delivered to its end.  True: another one follows. */
static bool
part_complete(struct part *p)
{
    struct sf_statement *s = p->s;
    if (p->index == 0 && !s->columns_known) {
        if (s->still_running && s->handle[0]) {
            s->elapsed_ns = 0;
            statement_poll_again(s);
        } else {
            statement_fail(s, RC_UPSTREAM_FAILED, true, "the answer holds no result");
        }
        return false;
    }
    /* With a row limit Snowflake may count rows it then leaves out; without one none may miss. */
    if (!s->row_limit && p->index < s->columns.n_partitions &&
        p->rows < s->columns.partition_rows[p->index]) {
        char text[160];
        snprintf(text, sizeof text,
            "partition %u of the result holds %" PRIu64 " rows, but %" PRIu64 " were announced",
            p->index, p->rows, s->columns.partition_rows[p->index]);
        statement_fail(s, RC_UPSTREAM_FAILED, false, text);
        return false;
    }
    part_close(p);
    s->current++;
    fetch_ahead(s);
    if (s->ended)
        return false;
    if (s->current >= s->next_fetch || (s->row_limit && s->delivered >= s->row_limit)) {
        statement_finish(s, RC_OK, false, -1);
        return false;
    }
    return true;
}

void
partitions_pump(struct sf_statement *s)
{
    while (!s->ended && !s->paused) {
        struct part *p = slot(s, s->current);
        if (p->pending_at < p->pending.len) {
            size_t taken = 0;
            struct str waiting = str_from(buf_str(&p->pending), p->pending_at);
            bool slice = waiting.n > SLICE;
            if (slice)
                waiting.n = SLICE;
            bool all = part_feed(p, waiting, &taken);
            p->pending_at += taken;
            if (!all && !s->paused)
                return;
            if (p->pending_at == p->pending.len) {
                buf_clear(&p->pending);
                p->pending_at = 0;
            }
            if (s->columns_known)
                fetch_ahead(s);
            if (slice && all && !s->ended) {
                loop_timer_set(s->timer, 0);
                return;
            }
        } else if (p->over) {
            struct err e = { "" };
            switch (rowparse_end(p->parse, &e)) {
            case ROWPARSE_MORE:
                if (!part_complete(p))
                    return;
                break;
            case ROWPARSE_PAUSED:
                s->paused = true;
                break;
            case ROWPARSE_ENOUGH:
                statement_finish(s, RC_OK, false, -1);
                break;
            case ROWPARSE_FAILED:
                parse_failed(p, &e);
                break;
            }
        } else {
            if (p->asleep) {
                p->asleep = false;
                wire_resume(part_wire(p)); /* bytes may come inside: nothing is done after it */
            }
            return;
        }
    }
}

/* ---- partition 0
 * ----------------------------------------------------------------------------------- */

void
partitions_restart_first(struct sf_statement *s)
{
    if (part_reset(slot(s, 0)) != 0)
        statement_fail(s, RC_NO_MEMORY, false, "out of memory");
}

enum http_flow
partitions_first_bytes(struct sf_statement *s, struct str bytes)
{
    return part_bytes(slot(s, 0), bytes);
}

void
partitions_first_over(struct sf_statement *s)
{
    slot(s, 0)->over = true;
    partitions_pump(s);
}
