/* lease_sweep.c - what a lease says about its statement, and what becomes of it when the holder
 * dies.
 *
 * Holders write down; the supervisor sweeps; workers adopt what still runs.  The sweep must never
 * use a number from the segment as an index, nor hand anything over: it frees and wakes. */
#include "state/lease_line.h"

#include "fault.h"
#include "must.h"

/* The first byte goes last, so that whoever inherits the lease finds the whole text or none. */
static void
write_name(char *to, size_t size, const char *name)
{
    size_t n = strnlen(name, size - 1);

    if (n == 0)
        return;
    to[0] = '\0';
    atomic_thread_fence(memory_order_release);
    memcpy(to + 1, name + 1, n - 1);
    to[n] = '\0';
    atomic_thread_fence(memory_order_release);
    to[0] = name[0];
    atomic_thread_fence(memory_order_release);
}

void
lease_note_request(struct segment *s, int lease, const char *request_id)
{
    must(lease >= 0 && lease < LEASES_MAX);
    struct lease *l = &s->leases[lease];

    l->handle[0] = '\0';
    write_name(l->request_id, sizeof l->request_id, request_id);
    FAULT("lease-named");
    atomic_store(&l->running, 1);
    FAULT("lease-running");
}

void
lease_note_handle(struct segment *s, int lease, const char *handle)
{
    must(lease >= 0 && lease < LEASES_MAX);
    write_name(s->leases[lease].handle, sizeof s->leases[lease].handle, handle);
}

void
lease_note_ended(struct segment *s, int lease)
{
    must(lease >= 0 && lease < LEASES_MAX);
    struct lease *l = &s->leases[lease];

    atomic_store(&l->running, 0);
    l->request_id[0] = '\0';
    l->handle[0] = '\0';
}

/* The dead ---------------------------------------------------------------------------------------
 */

int
lease_adopt_orphan(struct segment *s, char request_id[40], char handle[64])
{
    for (uint32_t i = 0, high = line_leases_high(s); i < high; i++) {
        struct lease *l = &s->leases[i];
        uint64_t word = atomic_load(&l->owner);
        if (!OWNER_IS_ORPHAN(word) || !shm_change(&l->owner, word, s->me))
            continue;
        FAULT("lease-adopted");
        memcpy(request_id, l->request_id, sizeof l->request_id);
        memcpy(handle, l->handle, sizeof l->handle);
        request_id[sizeof l->request_id - 1] = '\0';
        handle[sizeof l->handle - 1] = '\0';
        return (int)i;
    }
    return LEASE_NONE;
}

static bool
is_alive(uint64_t word, const uint64_t *live, uint32_t n_slots)
{
    uint32_t slot = OWNER_SLOT(word);

    return slot < n_slots && live[slot] == OWNER_PROCESS(word);
}

unsigned
lease_sweep(struct segment *s, const uint64_t *live, uint32_t n_slots)
{
    unsigned freed = 0, orphans = 0;

    for (uint32_t i = 0; i < LEASES_MAX; i++) {
        struct lease *l = &s->leases[i];
        uint64_t word = atomic_load(&l->owner);
        if (word == 0 || OWNER_IS_ORPHAN(word) || is_alive(word, live, n_slots))
            continue;
        bool runs = atomic_load(&l->running) && (l->request_id[0] || l->handle[0]);
        if (shm_change(&l->owner, word, runs ? OWNER_ORPHAN(word) : 0)) {
            freed += !runs;
            orphans += runs;
        }
    }
    for (int w = 0; w < WAITERS_MAX; w++) {
        struct waiter *e = &s->waiters[w];
        uint64_t word = atomic_load(&e->owner);
        if (word == 0 || is_alive(word, live, n_slots))
            continue;
        atomic_store(&e->ticket, 0);
        atomic_store(&e->granted, 0);
        line_unmark(s, w);
        freed += shm_change(&e->owner, word, 0);
    }
    if (freed || orphans)
        for (uint32_t i = 0; i < n_slots; i++)
            if (live[i])
                segment_wake(s, i);
    return freed;
}
