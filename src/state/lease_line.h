/* lease_line.h - the waiting line as the files of lease*.c see it, and two words on shared words.
 * Nobody else includes it. */
#ifndef STATE_LEASE_LINE_H
#define STATE_LEASE_LINE_H

#include "state/lease.h"

static inline uint32_t
shm_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* One compare-and-swap; false when the word was not `from`. */
static inline bool
shm_change(_Atomic uint64_t *word, uint64_t from, uint64_t to)
{
    return atomic_compare_exchange_strong(word, &from, to);
}

/* Where scans of the leases end. */
static inline uint32_t
line_leases_high(const struct segment *s)
{
    return shm_least(atomic_load(&s->totals->leases_high), LEASES_MAX);
}

/* An entry for this process, below pool.queue, or LEASE_NONE.  Its ticket is 0. */
int line_claim(struct segment *s);
/* Given up by its owner, who has brought the ticket to 0. */
void line_free(struct segment *s, int w);
/* The entry may be in line from here on; until here. */
void line_mark(struct segment *s, int w);
void line_unmark(struct segment *s, int w);

/* Steps through the entries that may be in line: *w from -1; false at the end. */
bool line_next(const struct segment *s, int *w);
bool line_anyone(const struct segment *s); /* someone may be in line */
bool line_ready(const struct segment *s);  /* someone has a ticket */

#endif
