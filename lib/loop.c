/* loop.c - libevent behind our own names.  Worker and metrics child; the supervisor has no event
 * loop.  Must be created after fork: an epoll descriptor shared with the parent would mix up the
 * events of both. */
#include "loop.h"

#include "must.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct loop_signal {
    struct loop_signal *next;
    struct event *ev;
    void (*cb)(void *arg, int signo);
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *tick; /* bounds loop_run_once() */
    bool ticked;
    struct loop_signal *signals;
};

struct loop_timer {
    struct event *ev;
    void (*cb)(void *arg);
    void *arg;
};

struct loop_fd {
    struct loop *loop;
    struct event *ev;
    int fd;
    unsigned events;
    void (*cb)(void *arg, unsigned events);
    void *arg;
};

/* What libevent said last: its fatal callback gets no text. */
static char last_message[200];

static void
note_message(int severity, const char *text)
{
    if (severity >= EVENT_LOG_WARN)
        snprintf(last_message, sizeof last_message, "error: libevent: %s", text);
}

static void
die(int code)
{
    if (must_last_words)
        must_last_words(last_message);
    fprintf(stderr, "%s (%d)\n", last_message, code);
    abort();
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    l->ticked = true;
}

struct loop *
loop_new(void)
{
    event_set_log_callback(note_message);
    event_set_fatal_callback(die);
    signal(SIGPIPE, SIG_IGN);

    struct loop *l = calloc(1, sizeof *l);
    struct event_config *c = event_config_new();
    if (l && c && event_config_require_features(c, EV_FEATURE_O1) == 0 &&
        event_config_set_flag(c, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0 &&
        event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK) == 0)
        l->base = event_base_new_with_config(c);
    if (c)
        event_config_free(c);
    if (l && l->base)
        l->tick = event_new(l->base, -1, 0, on_tick, l);
    if (!l || !l->tick) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void
loop_free(struct loop *l)
{
    if (!l)
        return;
    while (l->signals) {
        struct loop_signal *s = l->signals;
        l->signals = s->next;
        event_free(s->ev);
        free(s);
    }
    if (l->tick)
        event_free(l->tick);
    if (l->base)
        event_base_free(l->base);
    free(l);
}

void
loop_run(struct loop *l)
{
    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void
loop_stop(struct loop *l)
{
    event_base_loopexit(l->base, NULL);
}

bool
loop_run_once(struct loop *l, unsigned max_wait_ms)
{
    struct timeval tv = { .tv_sec = max_wait_ms / 1000, .tv_usec = max_wait_ms % 1000 * 1000 };
    l->ticked = false;
    must(event_add(l->tick, &tv) == 0);
    event_base_loop(l->base, EVLOOP_ONCE);
    event_del(l->tick);
    return !l->ticked;
}

struct event_base *
loop_base(struct loop *l)
{
    return l->base;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;
    t->cb(t->arg); /* may have freed t */
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *arg), void *arg)
{
    struct loop_timer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->cb = cb;
    t->arg = arg;
    t->ev = event_new(l->base, -1, 0, on_timer, t);
    if (!t->ev) {
        free(t);
        return NULL;
    }
    return t;
}

void
loop_timer_set(struct loop_timer *t, uint64_t ms)
{
    static const uint64_t longest_s = 1000000000; /* 31 years: no overflow when now is added */
    struct timeval tv = { .tv_sec = (time_t)longest_s };
    if (ms / 1000 < longest_s) {
        tv.tv_sec = (time_t)(ms / 1000);
        tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    }
    /* Fails only without memory for the timer heap; a deadline that never comes is worse than the
     * end of this process. */
    must(event_add(t->ev, &tv) == 0);
}

void
loop_timer_clear(struct loop_timer *t)
{
    event_del(t->ev);
}

void
loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    event_free(t->ev);
    free(t);
}

static void
on_fd(evutil_socket_t fd, short what, void *arg)
{
    struct loop_fd *w = arg;
    unsigned events = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);
    w->cb(w->arg, events); /* may have freed w */
}

/* 0 or -1: the descriptor cannot be watched, or no memory. */
static int
watch(struct loop_fd *w, unsigned events)
{
    if (w->events == events)
        return 0;
    if (w->events)
        event_del(w->ev);
    w->events = events;
    if (!events)
        return 0;
    short what = EV_PERSIST;
    what |= events & LOOP_READ ? EV_READ : 0;
    what |= events & LOOP_WRITE ? EV_WRITE : 0;
    if (event_assign(w->ev, w->loop->base, w->fd, what, on_fd, w) == 0 &&
        event_add(w->ev, NULL) == 0)
        return 0;
    w->events = 0;
    return -1;
}

struct loop_fd *
loop_fd_new(
    struct loop *l, int fd, unsigned events, void (*cb)(void *arg, unsigned events), void *arg)
{
    struct loop_fd *w = fd >= 0 ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return NULL;
    *w = (struct loop_fd){ .loop = l, .fd = fd, .cb = cb, .arg = arg };
    w->ev = event_new(l->base, fd, EV_READ | EV_PERSIST, on_fd, w);
    if (!w->ev || watch(w, events) != 0) {
        loop_fd_free(w);
        return NULL;
    }
    return w;
}

void
loop_fd_events(struct loop_fd *w, unsigned events)
{
    must(watch(w, events) == 0);
}

void
loop_fd_free(struct loop_fd *w)
{
    if (!w)
        return;
    if (w->ev)
        event_free(w->ev);
    free(w);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct loop_signal *s = arg;
    s->cb(s->arg, (int)signo);
}

int
loop_on_signal(struct loop *l, int signo, void (*cb)(void *arg, int signo), void *arg)
{
    struct loop_signal *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    *s = (struct loop_signal){ .next = l->signals, .cb = cb, .arg = arg };
    s->ev = event_new(l->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
    if (!s->ev || event_add(s->ev, NULL) != 0) {
        if (s->ev)
            event_free(s->ev);
        free(s);
        return -1;
    }
    l->signals = s;
    return 0;
}
