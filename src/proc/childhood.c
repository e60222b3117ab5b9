/* childhood.c - the first steps of a child, and its tie to the supervisor.
 *
 * Workers and the metrics child.  Must never outlive the supervisor: a death signal is asked for,
 * and a pipe whose other end only the supervisor holds tells it even where that signal does not. */
#include "proc/childhood.h"

#include "clock.h"
#include "must.h"
#include "proc/demo.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct slot *my_slot;

void
childhood_last_words(const char *line)
{
    if (my_slot != NULL)
        str_copy(my_slot->last_words, sizeof my_slot->last_words, str_of(line));
}

/* One thread runs our code and curl's resolver threads allocate little: more arenas would only
 * keep memory apart.  Large result buffers go back to the system when they are freed. */
static void
tune_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 512 * 1024);
    mallopt(M_TOP_PAD, 64 * 1024);
}

void
childhood_begin(struct server *s, uint32_t slot, uint64_t identity)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != s->supervisor)
        _exit(0); /* it died between fork and prctl */
    close(s->leash[1]);
    demo_forget(s->demo);

    static const int ignored[] = { SIGINT, SIGHUP, SIGPIPE };
    for (size_t i = 0; i < NELEM(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    tune_memory();
    segment_enter(s->segment, slot, identity);
    my_slot = &s->segment->slots[slot];
    must_last_words = childhood_last_words;
    childhood_beat(s, SLOT_STARTING);
}

static uint64_t
resident_bytes(void)
{
    char text[128];
    unsigned long long size, resident;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%llu %llu", &size, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
childhood_beat(struct server *s, enum slot_state state)
{
    static uint64_t measured_ns;
    uint64_t now = clock_ns();
    if (measured_ns == 0 || now - measured_ns > 1000000000u) {
        measured_ns = now;
        atomic_store_explicit(&my_slot->rss_bytes, resident_bytes(), memory_order_relaxed);
    }
    atomic_store_explicit(&my_slot->state, state, memory_order_relaxed);
    atomic_store_explicit(&my_slot->heartbeat_ns, now, memory_order_release);
}

struct leash {
    struct loop_fd *watch;
    void (*leave)(void *arg, bool orphaned);
    void *arg;
    bool orphaned;
};

static void
supervisor_gone(void *arg, unsigned events)
{
    struct leash *x = arg;
    loop_fd_events(x->watch, 0);
    if (x->orphaned)
        return;
    x->orphaned = true;
    x->leave(x->arg, true);
}

static void
told_to_go(void *arg, int signo)
{
    struct leash *x = arg;
    x->leave(x->arg, x->orphaned);
}

struct leash *
leash_new(struct loop *l, struct server *s, void (*leave)(void *arg, bool orphaned), void *arg)
{
    struct leash *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->leave = leave;
    x->arg = arg;
    x->watch = loop_fd_new(l, s->leash[0], LOOP_READ, supervisor_gone, x);
    if (x->watch == NULL || loop_on_signal(l, SIGTERM, told_to_go, x) != 0) {
        leash_free(x);
        return NULL;
    }
    return x;
}

void
leash_free(struct leash *x)
{
    if (x == NULL)
        return;
    loop_fd_free(x->watch);
    free(x);
}
