/* segment.h - the POSIX shared-memory segment: made by the supervisor before the first fork,
 * unlinked at once, allocated in full (a full /dev/shm is a start-up error, not a SIGBUS). */
#ifndef STATE_SEGMENT_H
#define STATE_SEGMENT_H

#include "err.h"
#include "state/shm_layout.h"

/* Pointers into the mapping, and this process's own place in it. */
struct segment {
    struct segment_header *header;
    struct control *control;
    struct totals *totals;
    struct health *health;
    struct line *line;
    struct slot *slots;     /* [n_slots] */
    struct lease *leases;   /* [LEASES_MAX] */
    struct waiter *waiters; /* [WAITERS_MAX] */
    struct metrics_block
        *metrics; /* [n_slots + 1]: metrics_block_of(); the last is the supervisor's */
    struct active_table *actives; /* clients seen lately; see active.h */
    uint32_t n_slots;
    size_t bytes;
    int wake_fd[SLOTS_MAX]; /* an eventfd per slot, inherited by all; -1 */
    int fd;                 /* of the segment, read-only, for ctl and the metrics child */

    /* Set by segment_enter() in each child. */
    uint32_t my_slot;
    uint64_t me; /* owner word */
};

/* Supervisor, before the first fork.  n_slots <= SLOTS_MAX. */
struct segment *segment_create(uint32_t n_slots, struct err *e);
void segment_free(struct segment *s); /* unmaps; the memory lives while any process maps it */

/* In a child, first thing after fork: this process is `identity` in `slot`.  Counts go to the
 * slot's metrics block from here on.  The supervisor has written the identity into the slot before
 * the fork and takes it out after the reap, so that a living process is never taken for dead. */
void segment_enter(struct segment *s, uint32_t slot, uint64_t identity);
/* The metrics child gives up writing: remaps everything read-only but its own slot's page range.
 * metrics_count() does nothing in it from here on. */
int segment_read_only(struct segment *s, struct err *e);

/* Wakes the process in `slot` (its eventfd becomes readable); never blocks. */
void segment_wake(const struct segment *s, uint32_t slot);
/* The process living in the slot of `word` is the one the word names. */
bool segment_is_live(const struct segment *s, uint64_t owner_word);

#endif
