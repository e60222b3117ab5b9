/* segment.c - makes and maps the shared segment and keeps this process's view of it.
 *
 * Created by the supervisor, inherited by all.  Must never grow: every region is sized before the
 * first fork, and every page is allocated then, so that a full /dev/shm is told at start. */
#include "state/segment.h"

#include "clock.h"
#include "encode.h"
#include "must.h"
#include "state/active.h"
#include "state/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t
align_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void
place(struct segment_region *r, size_t *at, size_t align, size_t count, size_t bytes)
{
    *at = align_up(*at, align);
    r->offset = *at;
    r->count = (uint32_t)count;
    r->bytes = (uint32_t)bytes;
    *at += count * bytes;
}

static size_t
lay_out(struct segment_header *h, uint32_t n_slots)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t at = sizeof *h;

    memcpy(h->magic, SEGMENT_MAGIC, sizeof h->magic);
    h->version = SEGMENT_VERSION;
    h->header_bytes = sizeof *h;
    place(&h->control, &at, CACHE_LINE, 1, sizeof(struct control));
    place(&h->totals, &at, CACHE_LINE, 1, sizeof(struct totals));
    place(&h->health, &at, CACHE_LINE, 1, sizeof(struct health));
    place(&h->line, &at, CACHE_LINE, 1, sizeof(struct line));
    /* Slots get pages of their own: the metrics child may write there and nowhere else. */
    place(&h->slots, &at, page, n_slots, sizeof(struct slot));
    place(&h->leases, &at, page, LEASES_MAX, sizeof(struct lease));
    place(&h->waiters, &at, CACHE_LINE, WAITERS_MAX, sizeof(struct waiter));
    place(&h->metrics, &at, CACHE_LINE, n_slots + 1, metrics_block_bytes);
    place(&h->actives, &at, CACHE_LINE, 1, active_table_bytes);
    h->total_bytes = align_up(at, page);
    return h->total_bytes;
}

static void
find_regions(struct segment *s, char *base)
{
    struct segment_header *h = (struct segment_header *)(void *)base;

    s->header = h;
    s->control = (void *)(base + h->control.offset);
    s->totals = (void *)(base + h->totals.offset);
    s->health = (void *)(base + h->health.offset);
    s->line = (void *)(base + h->line.offset);
    s->slots = (void *)(base + h->slots.offset);
    s->leases = (void *)(base + h->leases.offset);
    s->waiters = (void *)(base + h->waiters.offset);
    s->metrics = (void *)(base + h->metrics.offset);
    s->actives = (void *)(base + h->actives.offset);
}

/* The memory itself: *rw is closed by the caller once it is mapped, *ro stays. */
static int
open_memory(size_t bytes, int *rw, int *ro, struct err *e)
{
    char name[64];

    snprintf(name, sizeof name, "/snowflake-mcp.%d.%08x", (int)getpid(), (unsigned)random_u64());
    *rw = shm_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (*rw < 0)
        return err_set(e, "cannot create shared memory %s: %s", name, strerror(errno));
    *ro = shm_open(name, O_RDONLY | O_CLOEXEC, 0);
    int why = errno;
    shm_unlink(name);
    if (*ro < 0)
        return err_set(e, "cannot open shared memory %s again: %s", name, strerror(why));
    if (ftruncate(*rw, (off_t)bytes) != 0)
        return err_set(e, "cannot size shared memory: %s", strerror(errno));
    int rc;
    do
        rc = posix_fallocate(*rw, 0, (off_t)bytes);
    while (rc == EINTR);
    if (rc != 0)
        return err_set(e, "cannot allocate %zu KiB of shared memory: %s; make room in /dev/shm",
            bytes / 1024, strerror(rc));
    return 0;
}

struct segment *
segment_create(uint32_t n_slots, struct err *e)
{
    must(n_slots > 0 && n_slots <= SLOTS_MAX);
    struct segment *s = calloc(1, sizeof *s);
    struct segment_header h = { .version = 0 };
    int rw = -1;

    if (!s) {
        err_set(e, "out of memory");
        return NULL;
    }
    s->fd = -1;
    s->n_slots = n_slots;
    for (unsigned i = 0; i < SLOTS_MAX; i++)
        s->wake_fd[i] = -1;
    s->bytes = lay_out(&h, n_slots);
    if (open_memory(s->bytes, &rw, &s->fd, e) != 0)
        goto failed;
    char *base = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, rw, 0);
    if (base == MAP_FAILED) {
        err_set(e, "cannot map shared memory: %s", strerror(errno));
        goto failed;
    }
    close(rw);
    rw = -1;
    memcpy(base, &h, sizeof h);
    find_regions(s, base);
    for (unsigned i = 0; i < n_slots; i++) {
        s->wake_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (s->wake_fd[i] < 0) {
            err_set(e, "cannot create an eventfd: %s; raise the descriptor limit", strerror(errno));
            goto failed;
        }
    }
    atomic_store(&s->control->supervisor_pid, (uint32_t)getpid());
    atomic_store(&s->control->started_ns, clock_ns());
    atomic_store(&s->control->started_wall_ms, clock_wall_ms());
    s->my_slot = n_slots;
    metrics_use(metrics_block_of(s, n_slots));
    return s;
failed:
    if (rw >= 0)
        close(rw);
    segment_free(s);
    return NULL;
}

void
segment_free(struct segment *s)
{
    if (!s)
        return;
    if (s->header) {
        metrics_use(NULL);
        munmap(s->header, s->bytes);
    }
    for (unsigned i = 0; i < SLOTS_MAX; i++)
        if (s->wake_fd[i] >= 0)
            close(s->wake_fd[i]);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

void
segment_enter(struct segment *s, uint32_t slot, uint64_t identity)
{
    must(slot < s->n_slots && OWNER_SLOT(identity) == slot);
    s->my_slot = slot;
    s->me = identity;
    metrics_use(metrics_block_of(s, slot));
}

int
segment_read_only(struct segment *s, struct err *e)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *base = (char *)s->header;
    size_t from = s->header->slots.offset + s->my_slot * sizeof(struct slot);
    size_t to = align_up(from + sizeof(struct slot), page);

    must(s->my_slot < s->n_slots);
    from = from / page * page;
    metrics_use(NULL);
    /* Mapped anew from the read-only descriptor: mprotect() could not make it writable again. */
    if (mmap(base, from, PROT_READ, MAP_SHARED | MAP_FIXED, s->fd, 0) == MAP_FAILED ||
        mmap(base + to, s->bytes - to, PROT_READ, MAP_SHARED | MAP_FIXED, s->fd, (off_t)to) ==
            MAP_FAILED)
        return err_set(e, "cannot map shared memory read-only: %s", strerror(errno));
    return 0;
}

void
segment_wake(const struct segment *s, uint32_t slot)
{
    uint64_t one = 1;

    if (slot >= s->n_slots)
        return;
    /* EAGAIN: the counter is full, so the reader has a wake-up pending anyway. */
    ssize_t n = write(s->wake_fd[slot], &one, sizeof one);
    (void)n;
}

bool
segment_is_live(const struct segment *s, uint64_t owner_word)
{
    uint32_t slot = OWNER_SLOT(owner_word);

    return owner_word != 0 && slot < s->n_slots &&
           atomic_load(&s->slots[slot].identity) == OWNER_PROCESS(owner_word);
}
