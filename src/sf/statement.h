/* statement.h - a statement from submit to its last row (inside of src/sf only).
 *
 * statement.c holds the life of it (start, retries, polls, the end), partitions.c the rows. */
#ifndef SF_STATEMENT_H
#define SF_STATEMENT_H

#include "sf/answer.h"
#include "sf/client.h"
#include "sf/columns.h"
#include "sf/rowparse.h"

#define STATEMENT_ID 64

/* One partition under way.  Partition 0 is the body that answers the submit or a poll and arrives
 * over s->wire; the others have their own. */
struct part {
    struct sf_statement *s;
    unsigned index;
    bool open;
    bool asleep; /* its transfer was told to pause */
    bool over;   /* its body arrived whole */
    struct wire *wire;
    struct rowparse *parse;
    struct buf pending; /* bytes that wait for their turn */
    size_t pending_at;
    uint64_t rows; /* seen in this attempt */
    uint64_t done; /* handled in earlier attempts: skipped when they come again */
    unsigned failures;
    struct loop_timer *timer; /* next attempt; made when needed */
};

enum statement_phase { STATEMENT_SUBMIT, STATEMENT_POLL, STATEMENT_ROWS };

struct sf_statement {
    struct sf_client *client;
    struct sf_statement *next, **link; /* in client->statements */
    struct sf_handlers handlers;
    void *arg;
    struct buf body;
    char request_id[STATEMENT_ID];
    char handle[ANSWER_HANDLE]; /* "" until known */
    bool async;
    uint32_t timeout_s;
    uint64_t row_limit;

    enum statement_phase phase;
    struct wire *wire;        /* the submit or poll under way */
    struct loop_timer *timer; /* the next one; while rows come: the next slice of them */
    bool resubmit;            /* it may have arrived before: retry=true */
    bool maybe_sent;
    unsigned failures, retries;
    uint64_t submitted_ns, elapsed_ns;
    uint64_t poll_pause_ms; /* 0: the next poll goes at once */
    struct answer answer;
    struct err start_error; /* sending failed inside sf_statement_start() */

    bool columns_known;
    bool still_running; /* said in a 200 */
    bool result_cut;    /* 391908 */
    struct arena *arena;
    struct columns columns;
    struct part *parts; /* [n_parts]: partition k lives in slot k % n_parts */
    unsigned n_parts;
    unsigned current;          /* partition being delivered */
    unsigned next_fetch;       /* first one not asked for */
    uint64_t announced_before; /* rows of all partitions before next_fetch */
    uint64_t delivered, beyond;
    bool paused, more;

    unsigned depth; /* our frames on the stack: freed when the last one leaves */
    bool ended;     /* on_done ran, or it was dropped */
};

void statement_enter(struct sf_statement *s);
void statement_leave(struct sf_statement *s); /* may free s */

/* Ends it with on_done; what is in s->answer is told.  s stays until the last frame leaves. */
void statement_finish(
    struct sf_statement *s, enum rc rc, bool may_be_running, int64_t retry_after_s);
/* The same with a sentence of ours in place of Snowflake's. */
void statement_fail(struct sf_statement *s, enum rc rc, bool may_be_running, const char *text);
void statement_note_handle(struct sf_statement *s, const char *handle);
/* A 200 said "running": goes on polling. */
void statement_poll_again(struct sf_statement *s);

int partitions_init(struct sf_statement *s); /* 0, or -1: no memory */
void partitions_fini(struct sf_statement *s);
void partitions_stop(struct sf_statement *s);          /* cancels transfers and timers */
void partitions_restart_first(struct sf_statement *s); /* partition 0 comes once more */
enum http_flow partitions_first_bytes(struct sf_statement *s, struct str bytes);
void partitions_first_over(struct sf_statement *s);
void partitions_pump(struct sf_statement *s); /* delivers what can be delivered */

/* Takes over a submit that is under way: cancels the statement when its handle becomes known.
 * `body` is what the wire borrows. */
void cancel_adopt(struct sf_client *c, struct wire *submit, struct buf *body,
    const char *request_id, void (*cb)(void *arg, bool confirmed), void *arg);
/* Nothing runs upstream: says so from the loop. */
void cancel_nothing(struct sf_client *c, void (*cb)(void *arg, bool confirmed), void *arg);

#endif
