/* front.h - the request side of a worker: listeners, calls, admission, client of Snowflake.
 *
 * One per worker, made after fork.  Owns every call; call_finish() is their only way out. */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "loop.h"
#include "mcp/mcp.h"
#include "state/segment.h"

struct front;

struct front_options {
    struct loop *loop;
    const struct config *config;
    struct segment *segment; /* entered */
    struct mcp_server *mcp;
    struct sf_identity *identity; /* NULL: no credential; calls fail with a clear error */
    const int *listeners;         /* descriptors of this worker's listening sockets */
    unsigned n_listeners;
};

struct front *front_new(const struct front_options *o, struct err *e);
/* Each beat (100-200 ms) and when the slot's eventfd fires: grants, deadlines, probes, orphans. */
void front_tick(struct front *f);
/* Starts the drain: no new connections, `Connection: close`; calls in flight go on until drain_ms,
 * then they are cancelled.  `done` is called when nothing is in flight any more.  When the server
 * stops (control->draining) new calls are refused with 503; when only this process is being
 * replaced, what its open connections still bring is served, and idle ones have a while. */
void front_drain(struct front *f, void (*done)(void *arg), void *arg);
/* While draining: no more patience.  Calls in flight are cancelled at the next tick, and `done`
 * follows as soon as Snowflake has confirmed that (or a short grace is over). */
void front_hurry(struct front *f);
unsigned front_in_flight(const struct front *f);
void front_free(struct front *f);

#endif
