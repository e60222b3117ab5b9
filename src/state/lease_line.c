/* lease_line.c - the entries of the waiting line, the bitmap that says which are in use, and
 * counts.
 *
 * Workers, and the supervisor's sweep for the dead.  Must never clear a bit of an entry that
 * belongs to a living process: its next owner could have set it. */
#include "state/lease_line.h"

#include "fault.h"

void
line_mark(struct segment *s, int w)
{
    atomic_fetch_or(&s->line->words[w / 64], UINT64_C(1) << (w % 64));
}

void
line_unmark(struct segment *s, int w)
{
    atomic_fetch_and(&s->line->words[w / 64], ~(UINT64_C(1) << (w % 64)));
}

bool
line_next(const struct segment *s, int *w)
{
    int from = *w + 1;

    for (int i = from / 64; i < WAITERS_MAX / 64; i++) {
        uint64_t bits = atomic_load(&s->line->words[i]);
        if (i == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        if (bits) {
            *w = i * 64 + __builtin_ctzll(bits);
            return true;
        }
    }
    return false;
}

bool
line_anyone(const struct segment *s)
{
    int w = -1;

    return line_next(s, &w);
}

bool
line_ready(const struct segment *s)
{
    for (int w = -1; line_next(s, &w);)
        if (atomic_load(&s->waiters[w].ticket) != 0)
            return true;
    return false;
}

void
line_free(struct segment *s, int w)
{
    struct waiter *e = &s->waiters[w];

    atomic_store(&e->granted, 0);
    line_unmark(s, w); /* before the entry is free: its next owner sets the bit again */
    FAULT("lease-waiter-unmarked");
    atomic_store(&e->owner, 0);
}

int
line_claim(struct segment *s)
{
    uint32_t bound = shm_least(atomic_load(&s->control->pool_queue), WAITERS_MAX);

    for (uint32_t i = 0; i * 64 < bound; i++) {
        uint64_t unused = ~atomic_load(&s->line->words[i]);
        for (; unused; unused &= unused - 1) {
            uint32_t w = i * 64 + (uint32_t)__builtin_ctzll(unused);
            if (w >= bound)
                break;
            if (shm_change(&s->waiters[w].owner, 0, s->me))
                return (int)w;
        }
    }
    return LEASE_NONE;
}

unsigned
lease_count(const struct segment *s)
{
    uint32_t high = line_leases_high(s);
    unsigned n = 0;

    for (uint32_t i = 0; i < high; i++)
        n += atomic_load_explicit(&s->leases[i].owner, memory_order_relaxed) != 0;
    return n;
}

unsigned
lease_waiting(const struct segment *s)
{
    unsigned n = 0;

    for (int w = -1; line_next(s, &w);)
        n += atomic_load_explicit(&s->waiters[w].ticket, memory_order_relaxed) != 0;
    return n;
}

uint64_t
lease_longest_wait_ns(const struct segment *s, uint64_t now_ns)
{
    uint64_t longest = 0;

    for (int w = -1; line_next(s, &w);) {
        if (atomic_load_explicit(&s->waiters[w].ticket, memory_order_relaxed) == 0)
            continue;
        uint64_t since = atomic_load_explicit(&s->waiters[w].since_ns, memory_order_relaxed);
        if (since < now_ns && now_ns - since > longest)
            longest = now_ns - since;
    }
    return longest;
}
