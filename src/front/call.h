/* call.h - one MCP message on its way through the server, and what a worker keeps for all of them.
 *
 * A call is a list of named steps (pipeline.c).  A step that must wait returns STEP_WAIT and is
 * entered again by an event.  call_finish() is the only way out and runs exactly once. */
#ifndef FRONT_CALL_H
#define FRONT_CALL_H

#include "encode.h"
#include "front/front.h"
#include "front/http_server.h"
#include "state/lease.h"

enum {
    PIECE_BYTES = 16 << 10, /* rows go to the client in pieces of at least so many bytes ... */
    WHOLE_REPLY_BYTES = 64 << 10, /* ... once they are more than this: less is one plain reply */
    CALL_ARENA_BYTES = 64 << 20,
    CANCEL_GRACE_MS = 2000,  /* a lease waits so long for Snowflake to confirm a cancel */
    STALL_MARGIN_MS = 15000, /* beyond its own limit a statement may stay silent for so long */
    QUERY_TAG_MAX = 2000
};

enum step_result { STEP_NEXT, STEP_WAIT, STEP_DONE };

struct call {
    struct call *next, *prev; /* in front->calls; `next` also in front->spare */
    struct front *front;
    struct http_request *request;
    struct arena *arena;
    struct buf out; /* bytes of the reply that were not sent yet */
    char id[12];    /* short, for our log */

    /* from here on zero at the start of each call */
    struct mcp_request mcp;
    unsigned step;
    uint64_t client; /* hash of the client's name */
    uint64_t started_ns, queued_ns;
    uint64_t deadline_ns;   /* of the present wait; 0: none */
    struct str cors_origin; /* reflected to a browser; p NULL: none */
    bool sse;               /* the client takes nothing but an event stream */
    bool waits;             /* watched for a client that leaves */
    bool in_line;           /* waiting for a lease */
    bool tool_result;       /* from here on a failure is a result with isError */
    bool streaming;         /* the first bytes of the reply are out */
    bool paused;            /* the client is slow: no rows until it catches up */
    bool client_gone;
    bool finished;
    bool retry_later; /* refused because we are going down */

    struct lease_ticket ticket;
    struct tool_plan plan;
    struct result_writer *writer;
    struct sf_statement *statement;
    unsigned current;     /* statement of the plan */
    uint64_t rows_before; /* rows of the statements before it */
    char uuid[UUID_TEXT]; /* requestId of the statement */
    char handle[64];
    uint64_t sent_ns;
};

/* A statement that lost its caller and is being cancelled at Snowflake.  It holds the lease until
 * that is confirmed or the grace is over. */
struct cancelling {
    struct cancelling *next;
    struct front *front;
    struct lease_ticket ticket; /* a call's lease, or ... */
    int adopted;                /* ... one taken over from a dead process; else LEASE_NONE */
    uint64_t deadline_ns;
};

struct front {
    struct front_options o;
    const struct config *config;
    struct http_server *http;
    struct sf_client *sf;       /* NULL: no credential */
    struct sf_counters counted; /* of its counters, what is in our metrics already */
    struct call *calls, *spare;
    struct cancelling *cancelling;
    struct sf_statement *probe;
    unsigned n_calls, n_spare;
    uint32_t next_id;
    uint64_t now_ns; /* at the last tick: good enough for deadlines of seconds */
    bool draining, drained;
    bool refusing; /* new calls as well: the whole server stops, not only this process */
    uint64_t drain_deadline_ns;
    void (*on_drained)(void *arg);
    void *on_drained_arg;
};

/* call.c */
struct call *call_new(struct front *f, struct http_request *r); /* NULL: no memory */
void call_advance(struct call *c);
/* Ends it with our own reason: as a result with isError when it is a tools/call that was planned.
 */
void call_fail(struct call *c, enum rc rc, struct str message, int64_t retry_after_s);
void call_finish(struct call *c);
void call_free_spare(struct front *f);
struct str call_client(const struct call *c);

/* pipeline.c */
struct step {
    const char *name; /* for the log and the debugger */
    enum step_result (*run)(struct call *c);
};
extern const struct step call_steps[];
extern const unsigned call_n_steps;

/* admission.c */
enum step_result step_admit(struct call *c);
void admission_tick(struct front *f);
/* An answer of the right shape for a failure of ours; c->writer is made if there is none. */
void call_write_failure(struct call *c, enum rc rc, struct str message, int64_t retry_after_s);

/* query.c */
enum step_result step_query(struct call *c);
/* The caller is gone or must not wait on: ends the statement, if one runs, without it. */
void query_drop(struct call *c);

/* reply.c */
void call_reply(struct call *c);
void call_stream(struct call *c); /* sends what c->out holds as the next piece */

/* cancel.c */
/* Takes the lease out of *t and keeps it for the statement; then calls one of sf's cancels with
 * cancelling_done() and the object. */
struct cancelling *cancelling_new(struct front *f, struct lease_ticket *t);
void cancelling_done(void *arg, bool confirmed);
void cancel_named(struct front *f, struct lease_ticket *t, const char *uuid, const char *handle);
void cancel_tick(struct front *f);
void cancel_free(struct front *f);

/* probe.c */
void probe_tick(struct front *f);
void probe_drop(struct front *f);
/* What the outcome of a statement says about the way to Snowflake; logs what an operator must mend.
 */
void note_upstream(struct front *f, const struct sf_outcome *o);

/* routes.c */
void route(void *front, struct http_request *r);

#endif
