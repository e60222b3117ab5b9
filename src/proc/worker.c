/* worker.c - one worker: an event loop that serves clients on one side and asks Snowflake on the
 * other.
 *
 * Runs in a child of the supervisor.  Nothing here or below may block: the beat would stop and the
 * supervisor would take this process for hung. */
#include "proc/worker.h"

#include "clock.h"
#include "front/front.h"
#include "must.h"
#include "proc/child.h"
#include "proc/childhood.h"
#include "proctitle.h"
#include "state/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BEAT_MS = 150,
    HURRY_MS = 2000 /* cancelling what runs at Snowflake may take so long */
};

struct worker {
    struct server *server;
    struct loop *loop;
    struct front *front;
    struct leash *leash;
    struct loop_timer *beat, *patience;
    struct loop_fd *wake;
    enum slot_state state;
};

static void
on_beat(void *arg)
{
    struct worker *w = arg;
    childhood_beat(w->server, w->state);
    front_tick(w->front);
    loop_timer_set(w->beat, BEAT_MS);
}

static void
on_wake(void *arg, unsigned events)
{
    struct worker *w = arg;
    uint64_t count;
    if (read(w->server->segment->wake_fd[w->server->segment->my_slot], &count, sizeof count) > 0)
        front_tick(w->front);
}

static void
on_drained(void *arg)
{
    struct worker *w = arg;
    loop_stop(w->loop);
}

static void
on_patience(void *arg)
{
    struct worker *w = arg;
    loop_stop(w->loop);
}

static void
on_leave(void *arg, bool orphaned)
{
    struct worker *w = arg;
    bool again = w->state == SLOT_DRAINING;
    if (!again) {
        w->state = SLOT_DRAINING;
        childhood_beat(w->server, w->state);
        front_drain(w->front, on_drained, w);
    }
    /* A second TERM says that somebody is in a hurry; and nobody waits for an orphan's answers: its
     * clients connect to the next server. */
    if (orphaned || again) {
        front_hurry(w->front);
        front_tick(w->front);
        loop_timer_set(w->patience, HURRY_MS);
    }
}

_Noreturn static void
give_up(const char *what, const struct err *e, int code)
{
    char line[sizeof *e + 64];
    snprintf(line, sizeof line, "%s%s%s", what, e != NULL ? ": " : "", e != NULL ? e->text : "");
    childhood_last_words(line);
    _exit(code);
}

/* It may be speaking for the endpoint: now there is a worker again. */
static void
wake_metrics(const struct segment *s)
{
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (atomic_load(&s->slots[i].kind) == SLOT_METRICS)
            segment_wake(s, i);
}

static void
finish(struct worker *w)
{
    leash_free(w->leash);
    loop_fd_free(w->wake);
    loop_timer_free(w->beat);
    loop_timer_free(w->patience);
    front_free(w->front);
    loop_free(w->loop);
}

_Noreturn void
worker_main(struct server *s, unsigned number, uint32_t slot, uint64_t identity, bool again)
{
    struct worker w = { .server = s, .state = SLOT_STARTING };
    struct err e = { "" };
    proctitle_set("snowflake-mcp: worker %u", number);
    childhood_begin(s, slot, identity);
    listen_keep_only(&s->endpoint, number);
    listen_close(&s->metrics);

    w.loop = loop_new();
    if (w.loop == NULL)
        give_up("no event loop", NULL, CHILD_EXIT_FAILED);
    struct front_options o = {
        .loop = w.loop,
        .config = s->now.config,
        .segment = s->segment,
        .mcp = s->now.mcp,
        .identity = s->now.identity,
        .listeners = listen_of(&s->endpoint, number),
        .n_listeners = s->endpoint.n_addresses,
    };
    w.front = front_new(&o, &e);
    /* What the very first process of a seat cannot set up, its successors could not either. */
    if (w.front == NULL)
        give_up("cannot serve", &e, again ? CHILD_EXIT_FAILED : CHILD_EXIT_NO_RESTART);
    w.leash = leash_new(w.loop, s, on_leave, &w);
    w.beat = loop_timer_new(w.loop, on_beat, &w);
    w.patience = loop_timer_new(w.loop, on_patience, &w);
    w.wake = loop_fd_new(w.loop, s->segment->wake_fd[slot], LOOP_READ, on_wake, &w);
    if (w.leash == NULL || w.beat == NULL || w.patience == NULL || w.wake == NULL)
        give_up("no memory for the first timers", NULL, CHILD_EXIT_FAILED);

    w.state = SLOT_SERVING;
    childhood_beat(s, w.state);
    wake_metrics(s->segment);
    loop_timer_set(w.beat, BEAT_MS);
    loop_run(w.loop);
    finish(&w);
    exit(CHILD_EXIT_CLEAN);
}
