/* lease.c - claims, hand-over and the way of one call through the line.
 *
 * Workers.  Any process may vanish between two instructions here: what it then leaves is freed by
 * the sweep (its leases, its entries in line) or mended by the next tick of a waiter (a ticket that
 * it had taken).  Nothing here may block. */
#include "state/lease_line.h"

#include "clock.h"
#include "fault.h"
#include "must.h"

enum { FAST_PATH_TICKET = 1 }; /* a granted ticket that never stood in line */

static uint32_t
pool_max(const struct segment *s)
{
    return shm_least(atomic_load(&s->control->pool_max), LEASES_MAX);
}

static void
raise_to(_Atomic uint32_t *word, uint32_t to)
{
    uint32_t was = atomic_load(word);

    while (was < to && !atomic_compare_exchange_weak(word, &was, to))
        ;
}

static uint64_t
handed_word(uint64_t process, int waiter)
{
    return process | (uint64_t)(waiter + 1) << 16;
}

/* Claims --------------------------------------------------------------------------------------- */

/* After pool.max was lowered, leases above it may still be held: then those below it must not all
 * be given out. */
static bool
over_limit(const struct segment *s, uint32_t max)
{
    return line_leases_high(s) > max && lease_count(s) > max;
}

static void
note_peak(struct segment *s)
{
    /* The count cannot be above the highest lease ever claimed: mostly there is nothing to do. */
    if (atomic_load(&s->totals->pool_peak) < line_leases_high(s))
        raise_to(&s->totals->pool_peak, lease_count(s));
}

/* A free lease for this process, lowest first, or LEASE_NONE. */
static int
claim_free(struct segment *s)
{
    uint32_t max = pool_max(s);

    for (uint32_t i = 0; i < max; i++) {
        if (atomic_load(&s->leases[i].owner) != 0)
            continue;
        raise_to(&s->totals->leases_high, i + 1);
        if (!shm_change(&s->leases[i].owner, 0, s->me))
            continue;
        FAULT("lease-claimed");
        /* Claim first, count after: two claimers cannot both believe that they are the last. */
        if (over_limit(s, max)) {
            shm_change(&s->leases[i].owner, s->me, 0);
            return LEASE_NONE;
        }
        note_peak(s);
        return (int)i;
    }
    return LEASE_NONE;
}

/* Writes the holder's facts into a lease that this process has just come to hold. */
static void
settle(struct segment *s, int i, uint64_t client, uint64_t now_ns)
{
    struct lease *l = &s->leases[i];

    atomic_store_explicit(&l->running, 0, memory_order_relaxed);
    l->request_id[0] = '\0';
    l->handle[0] = '\0';
    atomic_store_explicit(&l->account, 0, memory_order_relaxed);
    atomic_store_explicit(&l->since_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&l->client, client, memory_order_release);
}

/* Hand-over ------------------------------------------------------------------------------------ */

/* How many leases each client holds, without a table of clients: two rows of counters under
 * different bits of the hash, the lesser one counts.  Two clients are taken for one only where they
 * meet in both rows. */
enum { HELD_BITS = 10, HELD_COLUMNS = 1 << HELD_BITS };
struct held {
    uint16_t row[2][HELD_COLUMNS];
};

static uint16_t *
held_cell(struct held *h, unsigned row, uint64_t client)
{
    return &h->row[row][client >> (row * HELD_BITS) & (HELD_COLUMNS - 1)];
}

static void
count_held(const struct segment *s, int but, struct held *h)
{
    uint32_t high = line_leases_high(s);

    for (uint32_t i = 0; i < high; i++) {
        uint64_t word = atomic_load_explicit(&s->leases[i].owner, memory_order_relaxed);
        if (word == 0 || (int)i == but || OWNER_IS_ORPHAN(word))
            continue;
        uint32_t w = OWNER_WAITER(word);
        uint64_t client =
            w == 0 || w > WAITERS_MAX
                ? atomic_load_explicit(&s->leases[i].client, memory_order_relaxed)
                : atomic_load_explicit(&s->waiters[w - 1].client, memory_order_relaxed);
        for (unsigned r = 0; r < 2; r++)
            ++*held_cell(h, r, client);
    }
}

/* Whose turn it is: of the clients that hold fewest, the oldest ticket.  LEASE_NONE: nobody's. */
static int
choose(const struct segment *s, int lease, uint64_t *ticket)
{
    struct held h = { .row = { { 0 } } };
    int best = LEASE_NONE;
    unsigned best_held = 0;

    count_held(s, lease, &h);
    for (int w = -1; line_next(s, &w);) {
        uint64_t t = atomic_load(&s->waiters[w].ticket);
        if (t == 0)
            continue;
        uint64_t client = atomic_load_explicit(&s->waiters[w].client, memory_order_relaxed);
        unsigned held = shm_least(*held_cell(&h, 0, client), *held_cell(&h, 1, client));
        if (best == LEASE_NONE || held < best_held || (held == best_held && t < *ticket)) {
            best = w;
            best_held = held;
            *ticket = t;
        }
    }
    return best;
}

/* Gives lease i, which this process holds, to the waiter whose turn it is. */
static bool
hand_over(struct segment *s, int i)
{
    uint64_t ticket = 0;

    for (int w; (w = choose(s, i, &ticket)) != LEASE_NONE;) {
        struct waiter *e = &s->waiters[w];
        /* Read before the ticket is taken: while it stands, the entry keeps its owner. */
        uint64_t process = atomic_load(&e->owner);
        if (!shm_change(&e->ticket, ticket, 0))
            continue; /* left, or taken by another hand-over */
        FAULT("lease-ticket-taken");
        if (!segment_is_live(s, process))
            continue; /* its process is dead: so much less for the sweep */
        must(shm_change(&s->leases[i].owner, s->me, handed_word(process, w)));
        FAULT("lease-handed");
        atomic_store(&e->granted, (uint32_t)i + 1);
        segment_wake(s, OWNER_SLOT(process));
        return true;
    }
    return false;
}

/* Lets go of lease i, which this process holds: to a waiter, else for anyone. */
static void
pass_on(struct segment *s, int i)
{
    for (;;) {
        uint32_t max = pool_max(s);
        atomic_store_explicit(&s->leases[i].client, 0, memory_order_relaxed);
        if ((uint32_t)i < max && !over_limit(s, max) && hand_over(s, i))
            return;
        FAULT("lease-freeing");
        must(shm_change(&s->leases[i].owner, s->me, 0));
        FAULT("lease-freed");
        /* Who queued while we looked either saw this lease free or is seen by us now. */
        if (!line_ready(s))
            return;
        i = claim_free(s);
        if (i == LEASE_NONE)
            return;
    }
}

static void
dispatch(struct segment *s)
{
    for (int i; line_ready(s) && (i = claim_free(s)) != LEASE_NONE;)
        pass_on(s, i);
}

/* One call ------------------------------------------------------------------------------------- */

enum lease_answer
lease_request(struct segment *s, struct lease_ticket *t, uint64_t client, uint64_t now_ns)
{
    *t = (struct lease_ticket){ .lease = LEASE_NONE, .waiter = LEASE_NONE };
    if (!line_anyone(s)) {
        int i = claim_free(s);
        if (i != LEASE_NONE) {
            settle(s, i, client, now_ns);
            t->lease = i;
            t->ticket = FAST_PATH_TICKET;
            return LEASE_GRANTED;
        }
    }
    int w = line_claim(s);
    if (w == LEASE_NONE)
        return LEASE_QUEUE_FULL;
    FAULT("lease-waiter-claimed");
    struct waiter *e = &s->waiters[w];
    atomic_store(&e->client, client);
    atomic_store(&e->since_ns, now_ns);
    atomic_store(&e->granted, 0);
    line_mark(s, w);
    FAULT("lease-waiter-marked");
    t->waiter = w;
    t->ticket = atomic_fetch_add(&s->totals->next_ticket, 1) + 1;
    atomic_store(&e->seq, t->ticket);
    atomic_store(&e->ticket, t->ticket);
    FAULT("lease-queued");
    /* A lease may have become free between our look and our entry. */
    dispatch(s);
    return lease_poll(s, t) ? LEASE_GRANTED : LEASE_WAITING;
}

bool
lease_poll(struct segment *s, struct lease_ticket *t)
{
    if (t->ticket == 0)
        return false;
    if (t->lease != LEASE_NONE)
        return true;
    must(t->waiter >= 0 && t->waiter < WAITERS_MAX);
    struct waiter *e = &s->waiters[t->waiter];
    uint32_t hint = atomic_load(&e->granted);
    if (hint == 0)
        return false;
    int i = (int)hint - 1;
    if (i >= LEASES_MAX || !shm_change(&s->leases[i].owner, handed_word(s->me, t->waiter), s->me)) {
        /* A hint that came late, for a call that stood here before. */
        atomic_compare_exchange_strong(&e->granted, &hint, 0);
        return false;
    }
    FAULT("lease-picked-up");
    settle(s, i, atomic_load(&e->client), clock_ns());
    /* As a rule the ticket is 0 by now.  If a tick put it back and it was taken once more, a second
     * lease is on its way: lease_tend() passes that on. */
    shm_change(&e->ticket, t->ticket, 0);
    line_free(s, t->waiter);
    t->waiter = LEASE_NONE;
    t->lease = i;
    return true;
}

void
lease_give_back(struct segment *s, int lease)
{
    must(lease >= 0 && lease < LEASES_MAX);
    struct lease *l = &s->leases[lease];

    must(atomic_load(&l->owner) == s->me);
    lease_note_ended(s, lease);
    pass_on(s, lease);
}

/* A lease that was handed to this process for a waiter that no longer wants it. */
static void
refuse_grant(struct segment *s, int i, uint64_t word)
{
    if (shm_change(&s->leases[i].owner, word, s->me))
        pass_on(s, i);
}

void
lease_leave(struct segment *s, struct lease_ticket *t)
{
    if (t->ticket == 0)
        return;
    if (t->lease != LEASE_NONE) {
        lease_give_back(s, t->lease);
    } else {
        uint64_t word = handed_word(s->me, t->waiter);
        bool in_line = shm_change(&s->waiters[t->waiter].ticket, t->ticket, 0);
        FAULT("lease-leaving");
        line_free(s, t->waiter);
        /* Not in line any more: a lease was handed to us or will be.  What comes later than this
         * look is passed on by lease_tend(). */
        if (!in_line)
            for (uint32_t i = 0, high = line_leases_high(s); i < high; i++)
                if (atomic_load(&s->leases[i].owner) == word)
                    refuse_grant(s, (int)i, word);
    }
    *t = (struct lease_ticket){ .lease = LEASE_NONE, .waiter = LEASE_NONE };
}

/* Repair --------------------------------------------------------------------------------------- */

/* Leases that were handed to this process but not picked up. */
static void
tend_grants(struct segment *s, bool (*is_waiting)(void *arg, int waiter), void *arg)
{
    for (uint32_t i = 0, high = line_leases_high(s); i < high; i++) {
        uint64_t word = atomic_load(&s->leases[i].owner);
        uint32_t w = OWNER_WAITER(word);
        if (w == 0 || OWNER_PROCESS(word) != s->me)
            continue;
        if (w > WAITERS_MAX || !is_waiting(arg, (int)w - 1)) {
            refuse_grant(s, (int)i, word);
            continue;
        }
        /* The hint may be lost with the process that owed it. */
        uint32_t hint = atomic_load(&s->waiters[w - 1].granted);
        if (hint == 0 || hint > LEASES_MAX || atomic_load(&s->leases[hint - 1].owner) != word)
            atomic_store(&s->waiters[w - 1].granted, i + 1);
    }
}

/* Tickets that were taken for a grant which did not come: the taker may be dead.  If it is only
 * slow, its grant comes in addition, and tend_grants() passes on what is too much. */
static void
tend_tickets(struct segment *s, bool (*is_waiting)(void *arg, int waiter), void *arg)
{
    for (int w = -1; line_next(s, &w);) {
        struct waiter *e = &s->waiters[w];
        if (atomic_load(&e->owner) == s->me && atomic_load(&e->ticket) == 0 &&
            atomic_load(&e->granted) == 0 && is_waiting(arg, w))
            atomic_store(&e->ticket, atomic_load(&e->seq));
    }
}

void
lease_tend(struct segment *s, bool (*is_waiting)(void *arg, int waiter), void *arg)
{
    tend_grants(s, is_waiting, arg);
    tend_tickets(s, is_waiting, arg);
    dispatch(s);
}
