/* active.c - clients seen lately, as words of (40 bits of hash, minute) in sets of eight.
 *
 * Any worker writes.  Must never lock or fail: a full set forgets its oldest client, and the count
 * is an estimate then. */
#include "state/active.h"

#include <stdatomic.h>

enum { WAYS = 8, SETS = 2048 };

/* A word is hash (upper 40 bits) | minute + 1 (lower 24); 0 is empty.  Writers: any worker, by CAS.
 * After a SIGKILL each word is either written or not. */
struct active_table {
    _Alignas(64) _Atomic uint64_t words[SETS][WAYS];
};
const size_t active_table_bytes = sizeof(struct active_table);

#define NS_PER_MINUTE UINT64_C(60000000000)
#define MINUTE_MASK   UINT64_C(0xffffff)

void
active_seen(struct active_table *t, uint64_t client_hash, uint64_t now_ns)
{
    _Atomic uint64_t *set = t->words[client_hash % SETS];
    uint64_t tag = client_hash & ~MINUTE_MASK;
    uint64_t mine = tag | ((now_ns / NS_PER_MINUTE + 1) & MINUTE_MASK);

    /* Two workers may race for the same way; who loses looks again and finds the other's word. */
    for (int attempt = 0; attempt < WAYS; attempt++) {
        unsigned victim = 0;
        uint64_t was = UINT64_MAX, oldest = UINT64_MAX;
        for (unsigned i = 0; i < WAYS; i++) {
            uint64_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
            if (word != 0 && (word & ~MINUTE_MASK) == tag) {
                if (word != mine)
                    atomic_compare_exchange_strong(&set[i], &word, mine);
                return;
            }
            if ((word & MINUTE_MASK) < oldest) {
                oldest = word & MINUTE_MASK;
                was = word;
                victim = i;
            }
        }
        if (atomic_compare_exchange_strong(&set[victim], &was, mine))
            return;
    }
}

unsigned
active_count(const struct active_table *t, uint64_t now_ns, uint64_t timeout_ns)
{
    uint64_t now_minute = now_ns / NS_PER_MINUTE + 1;
    uint64_t span = timeout_ns / NS_PER_MINUTE;
    uint64_t from = now_minute > span ? now_minute - span : 1;
    unsigned n = 0;

    for (unsigned i = 0; i < SETS; i++) {
        for (unsigned j = 0; j < WAYS; j++) {
            uint64_t minute =
                atomic_load_explicit(&t->words[i][j], memory_order_relaxed) & MINUTE_MASK;
            n += minute >= from;
        }
    }
    return n;
}
