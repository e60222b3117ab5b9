/* lease.h - permission to run a statement: a host-wide bound held by processes that may die.
 *
 * There is no "in use" number: the count is the number of leases with an owner.  A lease that is
 * given back goes by one CAS straight to the waiter whose turn it is, in whichever worker;
 * that worker's eventfd wakes it.  Workers only, unless said otherwise. */
#ifndef STATE_LEASE_H
#define STATE_LEASE_H

#include "state/rc.h"
#include "state/segment.h"

#define LEASE_NONE (-1)

/* One call's way through the line.  Owned by the call; all zero before lease_request(), and then
 * lease_poll() and lease_leave() do nothing. */
struct lease_ticket {
    int lease;       /* index when granted, else LEASE_NONE */
    int waiter;      /* index while waiting, else LEASE_NONE */
    uint64_t ticket; /* 0: not requested, or left */
};

enum lease_answer { LEASE_GRANTED, LEASE_WAITING, LEASE_QUEUE_FULL };

/* Takes a free lease if nobody waits, else a place in line.  Never blocks. */
enum lease_answer lease_request(
    struct segment *s, struct lease_ticket *t, uint64_t client, uint64_t now_ns);
/* After a wake-up (the slot's eventfd) and after lease_tend(), for each waiting call: has it been
 * handed a lease?  Then t->lease is set.  Costs one load as long as the answer is no. */
bool lease_poll(struct segment *s, struct lease_ticket *t);
/* Leaves the line (deadline, client gone) or gives the lease back; safe in every state, and a
 * lease that arrives in the same instant is passed on. */
void lease_leave(struct segment *s, struct lease_ticket *t);

/* The holder writes down what it is about to run (before sending) and what it learnt. */
void lease_note_request(struct segment *s, int lease, const char *request_id);
void lease_note_handle(struct segment *s, int lease, const char *handle);
void lease_note_ended(struct segment *s, int lease); /* the statement no longer runs */

/* Each tick of each worker: hand free leases to waiters, take back grants to departed waiters.
 * `is_waiting(arg, waiter index)` says whether a call of this process still waits there. */
void lease_tend(struct segment *s, bool (*is_waiting)(void *arg, int waiter), void *arg);

/* A dead process's lease that still names a statement: taken over by the caller so that it can
 * cancel it; LEASE_NONE when there is none.  request_id and handle are copied out; they stay in the
 * lease, so that it is an orphan again if the caller dies.  Then lease_give_back(). */
int lease_adopt_orphan(struct segment *s, char request_id[40], char handle[64]);
/* A lease of this process that belongs to no ticket: to the next waiter, or free. */
void lease_give_back(struct segment *s, int lease);

/* Supervisor: after each reap and each second.  Frees what dead processes held and queued; a lease
 * that names a running statement is marked an orphan (shm_layout.h) and counts as held until a
 * worker adopts it.  Wakes all workers when there was something: their next lease_tend() hands the
 * free leases on.  Sweeping twice changes nothing.  Returns how many leases and places in line it
 * freed.  live[i]: the OWNER() word of the process in slot i, 0 for none; private memory. */
unsigned lease_sweep(struct segment *s, const uint64_t *live, uint32_t n_slots);

/* Any process: derived when read. */
unsigned lease_count(const struct segment *s);
unsigned lease_waiting(const struct segment *s);
uint64_t lease_longest_wait_ns(const struct segment *s, uint64_t now_ns);

#endif
