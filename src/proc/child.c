/* child.c - the child table; the contract is in child.h.
 *
 * Supervisor only (and its unit tests).  Must never make a system call: time and events come in,
 * orders go out. */
#include "proc/child.h"

#include "must.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum slot_phase {
    EMPTY,
    SPAWNING, /* ordered, not yet confirmed */
    STARTING,
    SERVING,
    LEAVING, /* TERM was sent or is due */
    DYING    /* KILL was sent */
};

struct child {
    enum slot_phase phase;
    pid_t pid;
    uint64_t born_ms;
    uint64_t beat, silence_ms, looked_ms;
    enum child_why why;
    bool term_due;
    uint64_t kill_at_ms; /* LEAVING: when patience ends */
    bool served;
};

struct seat {
    unsigned current; /* 0 or 1: which of its two slots fills the seat */
    bool successor;   /* a replacement is starting in the other slot */
    bool replace;     /* a replacement is wanted */
    bool gone;        /* its process asked not to be started again */
    bool served;      /* some process of this seat has served */
    bool tell_loop, tell_gone;
    unsigned quick_deaths; /* in a row: they decide on the pause */
    unsigned short_lives;  /* in a row: they decide on the message */
    uint64_t spawn_at_ms;  /* not before */
};

struct child_table {
    struct child_policy policy;
    unsigned n_seats;
    struct seat *seats;     /* [n_seats] */
    struct child *children; /* [2 * n_seats] */
    bool draining, hurried;
    bool tell_never;
    int exit_code;
};

struct child_table *
child_table_new(const struct child_policy *p)
{
    struct child_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->policy = *p;
    t->n_seats = p->n_workers + (p->metrics ? 1 : 0);
    t->seats = calloc(t->n_seats, sizeof *t->seats);
    t->children = calloc((size_t)2 * t->n_seats, sizeof *t->children);
    if (t->seats == NULL || t->children == NULL) {
        child_table_free(t);
        return NULL;
    }
    return t;
}

void
child_table_free(struct child_table *t)
{
    if (t == NULL)
        return;
    free(t->seats);
    free(t->children);
    free(t);
}

void
child_table_retune(struct child_table *t, uint64_t heartbeat_limit_ms, uint64_t drain_ms)
{
    t->policy.heartbeat_limit_ms = heartbeat_limit_ms;
    t->policy.drain_ms = drain_ms;
}

unsigned
child_seats(const struct child_table *t)
{
    return t->n_seats;
}

unsigned
child_slots(const struct child_table *t)
{
    return 2 * t->n_seats;
}

bool
child_is_metrics(const struct child_table *t, unsigned seat)
{
    return seat >= t->policy.n_workers;
}

static struct child *
current_of(const struct child_table *t, unsigned seat)
{
    return &t->children[2 * seat + t->seats[seat].current];
}

static struct child *
other_of(const struct child_table *t, unsigned seat)
{
    return &t->children[2 * seat + !t->seats[seat].current];
}

static unsigned
slot_of(const struct child_table *t, const struct child *c)
{
    return (unsigned)(c - t->children);
}

static bool
alive(const struct child *c)
{
    return c->phase == STARTING || c->phase == SERVING || c->phase == LEAVING || c->phase == DYING;
}

static void
ask_to_leave(struct child *c, enum child_why why, uint64_t kill_at_ms)
{
    if (c->phase != STARTING && c->phase != SERVING)
        return;
    c->phase = LEAVING;
    c->why = why;
    c->term_due = true;
    c->kill_at_ms = kill_at_ms;
}

static bool
workers_left(const struct child_table *t)
{
    for (unsigned i = 0; i < 2 * t->policy.n_workers; i++)
        if (t->children[i].phase != EMPTY)
            return true;
    return false;
}

static bool
anyone_left(const struct child_table *t)
{
    for (unsigned i = 0; i < 2 * t->n_seats; i++)
        if (t->children[i].phase != EMPTY)
            return true;
    return false;
}

/* Pause before the next start: none after the first quick death, then doubling. */
static uint64_t
backoff_ms(const struct child_policy *p, unsigned quick_deaths)
{
    if (quick_deaths < 2)
        return 0;
    uint64_t ms = p->backoff_first_ms;
    for (unsigned i = 2; i < quick_deaths && ms < p->backoff_max_ms; i++)
        ms *= 2;
    return ms < p->backoff_max_ms ? ms : p->backoff_max_ms;
}

/* Every worker seat died in a row of quick deaths and none ever served: starting again cannot
 * help, and whoever started us (a person, systemd) should see that it failed. */
static bool
never_served(const struct child_table *t)
{
    for (unsigned i = 0; i < t->policy.n_workers; i++)
        if (t->seats[i].served ||
            (!t->seats[i].gone && t->seats[i].quick_deaths < t->policy.loop_deaths))
            return false;
    return true;
}

static bool
all_workers_gone(const struct child_table *t)
{
    for (unsigned i = 0; i < t->policy.n_workers; i++)
        if (!t->seats[i].gone)
            return false;
    return true;
}

static void
note_death(struct child_table *t, struct seat *s, uint64_t lived_ms, bool quick, uint64_t now_ms)
{
    s->quick_deaths = quick ? s->quick_deaths + 1 : 0;
    s->short_lives = lived_ms < t->policy.loop_ms ? s->short_lives + 1 : 0;
    s->spawn_at_ms = now_ms + backoff_ms(&t->policy, s->quick_deaths);
    if (s->short_lives == t->policy.loop_deaths)
        s->tell_loop = true;
}

static void
stop_if_hopeless(struct child_table *t, uint64_t now_ms)
{
    if (t->draining)
        return;
    if (all_workers_gone(t)) {
        child_drain(t, CHILD_EXIT_NO_RESTART, now_ms);
    } else if (never_served(t)) {
        t->tell_never = true;
        child_drain(t, CHILD_EXIT_FAILED, now_ms);
    }
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void
fill(struct child_action *a, const struct child_table *t, enum child_do what, unsigned slot)
{
    *a = (struct child_action){ .what = what, .seat = slot / 2, .slot = slot };
    a->pid = t->children[slot].pid;
    a->why = t->children[slot].why;
}

static bool
order_signal(struct child_table *t, uint64_t now_ms, struct child_action *a)
{
    for (unsigned i = 0; i < 2 * t->n_seats; i++) {
        struct child *c = &t->children[i];
        if (c->phase != LEAVING)
            continue;
        if (c->term_due) {
            c->term_due = false;
            fill(a, t, CHILD_TERM, i);
            return true;
        }
        if (now_ms >= c->kill_at_ms) {
            c->phase = DYING;
            fill(a, t, CHILD_KILL, i);
            return true;
        }
    }
    return false;
}

static bool
order_word(struct child_table *t, struct child_action *a)
{
    for (unsigned i = 0; i < t->n_seats; i++) {
        struct seat *s = &t->seats[i];
        if (s->tell_gone) {
            s->tell_gone = false;
            fill(a, t, CHILD_TELL_GONE, 2 * i + s->current);
            return true;
        }
        if (s->tell_loop) {
            s->tell_loop = false;
            fill(a, t, CHILD_TELL_LOOP, 2 * i + s->current);
            a->delay_ms = backoff_ms(&t->policy, s->quick_deaths);
            return true;
        }
    }
    if (t->tell_never) {
        t->tell_never = false;
        *a = (struct child_action){ .what = CHILD_TELL_NEVER };
        return true;
    }
    return false;
}

static bool
order_spawn(struct child_table *t, uint64_t now_ms, struct child_action *a)
{
    for (unsigned i = 0; i < t->n_seats; i++) {
        struct seat *s = &t->seats[i];
        struct child *cur = current_of(t, i), *other = other_of(t, i);
        if (s->gone || now_ms < s->spawn_at_ms)
            continue;
        if (cur->phase == EMPTY) {
            s->replace = false; /* what is started now is of the new generation anyway */
            cur->phase = SPAWNING;
            fill(a, t, CHILD_SPAWN, slot_of(t, cur));
            return true;
        }
        /* A hung process is leaving: its seat is filled from the other slot only after its death,
         * so that both never serve one socket; a replaced one overlaps on purpose. */
        if (s->replace && other->phase == EMPTY && cur->phase == SERVING) {
            s->replace = false;
            s->successor = true;
            other->phase = SPAWNING;
            fill(a, t, CHILD_SPAWN, slot_of(t, other));
            return true;
        }
    }
    return false;
}

bool
child_next(struct child_table *t, uint64_t now_ms, struct child_action *a)
{
    if (order_word(t, a) || order_signal(t, now_ms, a))
        return true;
    if (!t->draining)
        return order_spawn(t, now_ms, a);
    if (!workers_left(t)) {
        /* The metrics child stays to say 503 until the last worker has left. */
        for (unsigned i = 2 * t->policy.n_workers; i < 2 * t->n_seats; i++)
            ask_to_leave(&t->children[i], CHILD_WHY_STOP, now_ms + t->policy.kill_after_ms);
        if (order_signal(t, now_ms, a))
            return true;
    }
    if (anyone_left(t))
        return false;
    *a = (struct child_action){ .what = CHILD_LEAVE, .code = t->exit_code };
    return true;
}

uint64_t
child_wait_ms(const struct child_table *t, uint64_t now_ms)
{
    /* Often enough to notice a silence in time, rarely enough to be idle when nothing happens. */
    uint64_t look = t->policy.heartbeat_limit_ms / 4, wait = look < 1000 ? look : 1000;
    for (unsigned i = 0; i < 2 * t->n_seats; i++) {
        const struct child *c = &t->children[i];
        uint64_t due = 0;
        if (c->phase == LEAVING)
            due = c->term_due ? now_ms : c->kill_at_ms;
        else if (c->phase == STARTING)
            due = now_ms + 20; /* "serving" appears in shared memory: nobody tells us */
        else
            continue;
        wait = due <= now_ms ? 0 : due - now_ms < wait ? due - now_ms : wait;
    }
    for (unsigned i = 0; i < t->n_seats && !t->draining; i++) {
        const struct seat *s = &t->seats[i];
        if (s->gone || current_of(t, i)->phase != EMPTY)
            continue;
        uint64_t left = s->spawn_at_ms <= now_ms ? 0 : s->spawn_at_ms - now_ms;
        wait = left < wait ? left : wait;
    }
    return wait;
}

/* ---- events ---------------------------------------------------------------------------------- */

void
child_spawned(struct child_table *t, unsigned slot, pid_t pid, uint64_t now_ms)
{
    struct child *c = &t->children[slot];
    must(c->phase == SPAWNING);
    *c = (struct child){ .phase = STARTING, .pid = pid, .born_ms = now_ms, .looked_ms = now_ms };
    if (t->draining)
        ask_to_leave(c, CHILD_WHY_STOP, now_ms + t->policy.kill_after_ms);
}

void
child_spawn_failed(struct child_table *t, unsigned slot, uint64_t now_ms)
{
    struct child *c = &t->children[slot];
    struct seat *s = &t->seats[slot / 2];
    must(c->phase == SPAWNING);
    *c = (struct child){ .phase = EMPTY };
    if (slot % 2 != s->current) {
        s->successor = false;
        s->replace = true;
    }
    /* fork() fails for want of memory or process numbers: give the machine a moment. */
    s->spawn_at_ms = now_ms + t->policy.backoff_max_ms;
}

void
child_look(struct child_table *t, unsigned slot, uint64_t beat, bool serving, uint64_t now_ms)
{
    struct child *c = &t->children[slot];
    struct seat *s = &t->seats[slot / 2];
    if (c->phase != STARTING && c->phase != SERVING)
        return;
    if (beat != c->beat) {
        c->beat = beat;
        c->silence_ms = 0;
    } else {
        uint64_t step = now_ms - c->looked_ms;
        c->silence_ms += step < 1000 ? step : 1000;
    }
    c->looked_ms = now_ms;
    if (c->silence_ms >= t->policy.heartbeat_limit_ms) {
        ask_to_leave(c, CHILD_WHY_HUNG, now_ms + t->policy.kill_after_ms);
        return;
    }
    if (!serving || c->phase != STARTING)
        return;
    c->phase = SERVING;
    c->served = true;
    s->served = true;
    if (s->successor && slot % 2 != s->current) {
        ask_to_leave(current_of(t, slot / 2), CHILD_WHY_REPLACED, now_ms + t->policy.drain_ms);
        s->current = !s->current;
        s->successor = false;
    }
}

bool
child_exited(
    struct child_table *t, pid_t pid, int wait_status, uint64_t now_ms, struct child_end *end)
{
    struct child *c = NULL;
    for (unsigned i = 0; i < 2 * t->n_seats && c == NULL; i++)
        if (alive(&t->children[i]) && t->children[i].pid == pid)
            c = &t->children[i];
    if (c == NULL)
        return false;

    unsigned slot = slot_of(t, c), seat = slot / 2;
    struct seat *s = &t->seats[seat];
    bool asked = c->phase == LEAVING || c->phase == DYING;
    bool parting = asked && c->why != CHILD_WHY_HUNG;
    *end = (struct child_end){ .seat = seat, .slot = slot, .why = c->why };
    end->lived_ms = now_ms - c->born_ms;
    end->killed_by_us = c->phase == DYING;
    end->expected = parting || t->draining;
    bool had_served = c->served;
    *c = (struct child){ .phase = EMPTY };

    if (parting || t->draining) {
        if (slot % 2 != s->current)
            s->successor = false; /* or the predecessor of one that serves: false already */
        return true;
    }
    if (slot % 2 != s->current) { /* a successor that died before it served: the old one stays */
        s->successor = false;
        if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == CHILD_EXIT_NO_RESTART) {
            s->tell_gone = true;
            return true;
        }
        s->replace = true;
    } else if (s->successor) { /* the old one died meanwhile: the successor has the seat */
        s->current = !s->current;
        s->successor = false;
        return true;
    } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == CHILD_EXIT_NO_RESTART) {
        s->gone = true;
        s->tell_gone = true;
        stop_if_hopeless(t, now_ms);
        return true;
    }
    /* Somebody else killed a process that did its work: no fault of its own, no reason to pause. */
    bool murdered =
        WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL && !end->killed_by_us;
    bool quick = !had_served || (end->lived_ms < t->policy.quick_ms && !murdered);
    note_death(t, s, end->lived_ms, quick, now_ms);
    stop_if_hopeless(t, now_ms);
    return true;
}

void
child_drain(struct child_table *t, int code, uint64_t now_ms)
{
    if (t->draining)
        return;
    t->draining = true;
    t->exit_code = code;
    for (unsigned i = 0; i < 2 * t->policy.n_workers; i++)
        ask_to_leave(&t->children[i], CHILD_WHY_STOP, now_ms + t->policy.drain_ms);
}

void
child_hurry(struct child_table *t, uint64_t now_ms)
{
    if (t->hurried)
        return;
    t->hurried = true;
    child_drain(t, CHILD_EXIT_CLEAN, now_ms);
    for (unsigned i = 0; i < 2 * t->n_seats; i++) {
        struct child *c = &t->children[i];
        uint64_t soon = now_ms + t->policy.hurry_ms;
        ask_to_leave(c, CHILD_WHY_STOP, soon);
        if (c->phase == LEAVING && c->kill_at_ms > soon) {
            c->kill_at_ms = soon;
            c->term_due = true; /* a second TERM: the worker stops waiting for its calls */
        }
    }
}

void
child_replace(struct child_table *t, uint64_t now_ms)
{
    if (t->draining)
        return;
    for (unsigned i = 0; i < t->n_seats; i++) {
        struct seat *s = &t->seats[i];
        s->replace = true;
        s->gone = false; /* the new configuration may be what it was waiting for */
        s->quick_deaths = 0;
        s->short_lives = 0;
        s->spawn_at_ms = now_ms;
        /* A process that has not served yet is of the old generation: start over. */
        if (current_of(t, i)->phase == STARTING)
            ask_to_leave(current_of(t, i), CHILD_WHY_REPLACED, now_ms + t->policy.kill_after_ms);
        if (s->successor)
            ask_to_leave(other_of(t, i), CHILD_WHY_REPLACED, now_ms + t->policy.kill_after_ms);
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

bool
child_draining(const struct child_table *t)
{
    return t->draining;
}

bool
child_all_serving(const struct child_table *t)
{
    for (unsigned i = 0; i < t->policy.n_workers; i++)
        if (current_of(t, i)->phase != SERVING)
            return false;
    return true;
}

bool
child_replacing(const struct child_table *t)
{
    for (unsigned i = 0; i < t->n_seats; i++)
        if (t->seats[i].replace || t->seats[i].successor ||
            (other_of(t, i)->phase != EMPTY && !t->draining))
            return true;
    return false;
}

pid_t
child_pid(const struct child_table *t, unsigned slot)
{
    return alive(&t->children[slot]) ? t->children[slot].pid : 0;
}
