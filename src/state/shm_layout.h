/* shm_layout.h - every struct in the shared segment: who writes, who reads, what a SIGKILL leaves.
 *
 * Rules (style.md 7): fixed-width types, indices instead of pointers, zero is the valid start,
 * one cache line per writer, a fact that several processes change is one 64-bit word.  Nothing read
 * from here is used by the supervisor as an index or a length. */
#ifndef STATE_SHM_LAYOUT_H
#define STATE_SHM_LAYOUT_H

#include "state/metrics.h"

#include <stdatomic.h>
#include <stdint.h>

#define CACHE_LINE 128 /* two 64-byte lines: the prefetcher takes pairs */

enum {
    SLOTS_MAX = 514,   /* two for each of 256 workers and for the metrics child */
    LEASES_MAX = 4096, /* the highest pool.max */
    WAITERS_MAX = 4096 /* the highest pool.queue; a waiter's index fits 16 bits */
};

/* An owner word: incarnation << 32 | waiter index << 16 | slot + 1.  0: nobody.  The waiter index
 * (plus one) is non-zero only while a lease was handed to a waiter that has not picked it up. */
#define OWNER(slot, incarnation) ((uint64_t)(incarnation) << 32 | (uint64_t)((slot) + 1))
#define OWNER_PROCESS(word)      ((word) & ~(uint64_t)0xffff0000u)
#define OWNER_WAITER(word)       ((uint32_t)((word) >> 16 & 0xffffu)) /* index + 1, or 0 */
#define OWNER_SLOT(word)         ((uint32_t)((word)&0xffffu) - 1)

/* One permitted concurrent statement.  `owner`: written by claimers, holders, hand-over (CAS) and
 * by the supervisor's sweep.  The rest: written by the holder only, read by ctl, the metrics child
 * and whoever inherits the lease; after a SIGKILL it names the statement that must be cancelled. */
struct lease {
    _Alignas(CACHE_LINE) _Atomic uint64_t owner;
    _Atomic uint64_t since_ns; /* when it was claimed */
    _Atomic uint64_t client;   /* hash of the client's name: fairness between clients */
    _Atomic uint32_t running;  /* 1 while a statement was sent and has not ended */
    _Atomic uint32_t account;  /* index of the upstream account (later: named pools) */
    char request_id[40];       /* requestId of the statement, before it is sent; "" none */
    char handle[64];           /* statementHandle as soon as it is known; "" none */
};

/* The owner of a lease whose holder died while its statement ran: the incarnation stays for the
 * reader, the slot is one that no process has.  Written by the sweep, replaced by who adopts it. */
#define OWNER_ORPHAN(word)    (((word) & ~(uint64_t)0xffffffffu) | 0xffffu)
#define OWNER_IS_ORPHAN(word) (((word)&0xffffu) == 0xffffu)

/* A call waiting in line.  `owner`: claimed and given up by the waiting worker; freed by the sweep.
 * `ticket`: order in line; 0 while not in line yet, or picked by a hand-over: whoever brings it to
 * 0 by CAS owes the waiter a lease.  If that one dies first, the waiter's own tick writes `seq`
 * there again.  `granted`: a hint (lease + 1) from the hand-over; the lease's owner word decides.
 * The rest: written by the waiting worker.  After a SIGKILL the sweep empties the entry. */
struct waiter {
    _Alignas(64) _Atomic uint64_t owner;
    _Atomic uint64_t ticket;
    _Atomic uint64_t client;
    _Atomic uint64_t since_ns;
    _Atomic uint64_t seq;
    _Atomic uint32_t granted;
};

/* Which entries of the waiters may be in line: so that "does anyone wait" costs 64 loads and not
 * 4096.  A bit is set after its entry was claimed and cleared before the entry is given up, by the
 * entry's owner (or the sweep for a dead one); so a clear bit always means: not in line. */
struct line {
    _Alignas(CACHE_LINE) _Atomic uint64_t words[WAITERS_MAX / 64];
};

enum slot_state { SLOT_FREE, SLOT_STARTING, SLOT_SERVING, SLOT_DRAINING };
enum slot_kind { SLOT_NONE, SLOT_WORKER, SLOT_METRICS };

/* One process of ours.  identity, kind, pid: supervisor.  The rest: the process in the slot. */
struct slot {
    _Alignas(CACHE_LINE) _Atomic uint64_t identity; /* OWNER() of the process living here; 0 none */
    _Atomic uint32_t kind;
    _Atomic uint32_t pid;
    _Atomic uint32_t number; /* worker number in titles and logs */
    _Alignas(CACHE_LINE) _Atomic uint64_t heartbeat_ns;
    _Atomic uint32_t state;
    _Atomic uint32_t in_flight;     /* calls under way: derived by the worker each beat */
    _Atomic uint32_t upstream_idle; /* idle connections to Snowflake, each beat */
    _Atomic uint32_t client_connections;
    _Atomic uint64_t rss_bytes;
    char last_words[256]; /* why it gave up, for the supervisor's obituary */
};

/* Health of the way to Snowflake: the last real outcomes.  Any worker writes, plain stores. */
struct health {
    _Alignas(CACHE_LINE) _Atomic uint64_t last_success_ns;
    _Atomic uint64_t last_failure_ns;
    _Atomic uint32_t consecutive_failures;
    _Atomic uint32_t credential_refused; /* 1 until the next success */
    _Atomic uint64_t probe_claim;        /* expiry of the running probe, ns; 0 none */
    _Atomic uint64_t last_attempt_ns;
};

/* Set by the supervisor (word by word), read by all. */
struct control {
    _Alignas(CACHE_LINE) _Atomic uint32_t draining;
    _Atomic uint32_t pool_max; /* in force now */
    _Atomic uint32_t pool_queue;
    _Atomic uint32_t workers_configured;
    _Atomic uint32_t supervisor_pid; /* for the metrics child's reading of /proc */
    _Atomic uint64_t started_ns;
    _Atomic int64_t started_wall_ms;
};

/* Numbers that only ever change by fetch_add or atomic max. */
struct totals {
    _Alignas(CACHE_LINE) _Atomic uint64_t next_ticket;
    _Atomic uint32_t pool_peak;
    /* One past the highest lease ever claimed, raised before the claim: scans end here. */
    _Atomic uint32_t leases_high;
};

struct segment_header {
    char magic[8];    /* SEGMENT_MAGIC */
    uint32_t version; /* SEGMENT_VERSION */
    uint32_t header_bytes;
    uint64_t total_bytes;
    struct segment_region {
        uint64_t offset;
        uint32_t count, bytes; /* of one */
    } control, totals, health, line, slots, leases, waiters, metrics, actives;
};

#define SEGMENT_MAGIC   "SFMCPSHM"
#define SEGMENT_VERSION 1u

_Static_assert(
    ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared words must not hide a lock");
_Static_assert(sizeof(struct lease) == 2 * CACHE_LINE, "a lease is two cache lines");
_Static_assert(sizeof(struct waiter) == 64, "a waiter is one 64-byte line");
_Static_assert(sizeof(struct slot) % CACHE_LINE == 0, "slots must not share a line");
_Static_assert(LEASES_MAX < 0xffff && WAITERS_MAX < 0xffff, "indices fit 16 bits");
_Static_assert(SLOTS_MAX + 1 < 0xffff, "no slot has the orphan's number");

#endif
