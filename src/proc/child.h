/* child.h - the child table: which processes should run, which do, and what to do next.
 *
 * A pure state machine: no system call, no clock, no log.  The supervisor tells it what happened
 * (spawned, exited, seen beating, stop, replace) with the time, and takes its orders one by one
 * from child_next().  So every order of events can be tested.
 *
 * A seat is a job to fill: seats 0..n_workers-1 are the workers, the last one is the metrics child
 * (if there is one).  Each seat has two slots, 2*seat and 2*seat+1: a process and the one that is
 * leaving never share one.  A slot is a row of the process table in shared memory. */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHILD_EXIT_CLEAN = 0,
    CHILD_EXIT_FAILED = 1,
    CHILD_EXIT_NO_RESTART = 2, /* "starting me again cannot help": a broken configuration */
};

struct child_policy {
    unsigned n_workers;
    bool metrics; /* a seat for the metrics child */
    uint64_t heartbeat_limit_ms;
    uint64_t drain_ms;         /* from TERM to KILL when asked to leave */
    uint64_t hurry_ms;         /* the same after a second request to stop */
    uint64_t kill_after_ms;    /* the same for a hung process, and for one that has not served */
    uint64_t quick_ms;         /* a death before serving, or in a shorter life, is a quick one */
    uint64_t backoff_first_ms; /* pause after the second quick death in a row; doubles ... */
    uint64_t backoff_max_ms;   /* ... up to this */
    uint64_t loop_ms;          /* lives shorter than this, ... */
    unsigned loop_deaths;      /* ... so many of them in a row, are a crash loop */
};

enum child_do {
    CHILD_SPAWN, /* fork a process for seat into slot; then child_spawned() or _spawn_failed() */
    CHILD_TERM,
    CHILD_KILL,
    CHILD_TELL_LOOP,  /* say once that this seat is in a crash loop; delay_ms: the pause */
    CHILD_TELL_GONE,  /* say once that the seat stays empty: its process exited 2 */
    CHILD_TELL_NEVER, /* say once that no worker ever served and the server gives up */
    CHILD_LEAVE       /* nothing runs any more: the supervisor exits with code */
};

enum child_why { CHILD_WHY_STOP, CHILD_WHY_HUNG, CHILD_WHY_REPLACED };

struct child_action {
    enum child_do what;
    unsigned seat, slot;
    pid_t pid;
    enum child_why why; /* of TERM and KILL */
    uint64_t delay_ms;
    int code;
};

/* What ended, for the obituary. */
struct child_end {
    unsigned seat, slot;
    uint64_t lived_ms;
    bool expected;      /* it was asked to leave, or left cleanly while everything stops */
    bool killed_by_us;  /* we sent KILL */
    enum child_why why; /* valid when it was asked to leave */
};

struct child_table;

struct child_table *child_table_new(const struct child_policy *p); /* NULL: no memory */
void child_table_free(struct child_table *t);
/* Limits that a reload may change: heartbeat_limit_ms, drain_ms. */
void child_table_retune(struct child_table *t, uint64_t heartbeat_limit_ms, uint64_t drain_ms);

unsigned child_seats(const struct child_table *t);
unsigned child_slots(const struct child_table *t); /* two for each seat */
bool child_is_metrics(const struct child_table *t, unsigned seat);

/* One order, or false: nothing to do now.  Each TERM, KILL and TELL is given once. */
bool child_next(struct child_table *t, uint64_t now_ms, struct child_action *a);
/* How long the supervisor may sleep before it should ask child_next() again. */
uint64_t child_wait_ms(const struct child_table *t, uint64_t now_ms);

void child_spawned(struct child_table *t, unsigned slot, pid_t pid, uint64_t now_ms);
void child_spawn_failed(struct child_table *t, unsigned slot, uint64_t now_ms);
/* The beat (any number that changes) and the state that the process in the slot shows.  Silence
 * is counted in steps of at most a second between two looks, so that a supervisor that was stopped
 * itself does not take its children for dead. */
void child_look(struct child_table *t, unsigned slot, uint64_t beat, bool serving, uint64_t now_ms);
/* False: no child of the table. */
bool child_exited(
    struct child_table *t, pid_t pid, int wait_status, uint64_t now_ms, struct child_end *end);

/* Stop: TERM to all workers, KILL after drain_ms, the metrics child last.  `code` is the
 * supervisor's exit code; the first call counts. */
void child_drain(struct child_table *t, int code, uint64_t now_ms);
void child_hurry(struct child_table *t, uint64_t now_ms); /* a second request to stop */
/* Reload: each seat gets a successor in its other slot; once that serves, the predecessor is asked
 * to leave.  A seat whose other slot is still draining waits for it. */
void child_replace(struct child_table *t, uint64_t now_ms);

bool child_draining(const struct child_table *t);
bool child_all_serving(const struct child_table *t); /* every worker seat has a serving process */
bool child_replacing(const struct child_table *t);   /* a reload is not finished */
pid_t child_pid(const struct child_table *t, unsigned slot); /* 0: the slot is empty */

#endif
