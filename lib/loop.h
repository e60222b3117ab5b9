/* loop.h - the event loop of a process (libevent underneath).
 *
 * Create it after fork().  Callbacks run in the loop and must not block.  Objects belong to the
 * caller, who frees them before the loop; freeing an object inside its own callback is fine.
 * libevent's fatal-error callback is set to log through must_last_words and abort. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_fd;
struct event_base;

struct loop *loop_new(void); /* epoll with changelist; NULL: no memory or no epoll */
void loop_free(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop() */
void loop_stop(struct loop *l); /* from a callback: returns after the current round */
bool loop_run_once(struct loop *l, unsigned max_wait_ms); /* tests: one round; false: no events */
struct event_base *loop_base(struct loop *l); /* only for the module that wraps evhttp */

/* One-shot timer; set it again in its callback to repeat. */
struct loop_timer *loop_timer_new(struct loop *l, void (*cb)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *t, uint64_t ms); /* replaces an earlier deadline */
void loop_timer_clear(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */

#define LOOP_READ  1u
#define LOOP_WRITE 2u
/* Watches a descriptor that stays the caller's (level-triggered, persistent). events may be 0. */
struct loop_fd *loop_fd_new(
    struct loop *l, int fd, unsigned events, void (*cb)(void *arg, unsigned events), void *arg);
void loop_fd_events(struct loop_fd *w, unsigned events);
void loop_fd_free(struct loop_fd *w);

/* Runs cb in the loop when the signal arrives; the signal is freed with the loop. 0 or -1. */
int loop_on_signal(struct loop *l, int signo, void (*cb)(void *arg, int signo), void *arg);

#endif
