/* The segment is whole, shared with children, and can be given up for reading. */
#include "state/segment.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <poll.h>
#include <fcntl.h>
#include <cmocka.h>

static bool
inside(const struct segment *s, const void *p, size_t n)
{
    const char *base = (const char *)s->header;

    return (const char *)p >= base && (const char *)p + n <= base + s->bytes;
}

static void
regions_lie_inside_and_start_as_zero(void **state)
{
    struct err e;
    struct segment *s = segment_create(9, &e);

    assert_non_null(s);
    assert_memory_equal(s->header->magic, SEGMENT_MAGIC, 8);
    assert_int_equal(s->header->total_bytes, s->bytes);
    assert_true(inside(s, s->slots, 9 * sizeof *s->slots));
    assert_true(inside(s, s->leases, LEASES_MAX * sizeof *s->leases));
    assert_true(inside(s, s->waiters, WAITERS_MAX * sizeof *s->waiters));
    assert_true(inside(s, metrics_block_of(s, 9), metrics_block_bytes));
    assert_int_equal((uintptr_t)s->leases % sizeof *s->leases % CACHE_LINE, 0);
    assert_int_equal(s->control->supervisor_pid, getpid());
    for (unsigned i = 0; i < LEASES_MAX; i++)
        assert_int_equal(s->leases[i].owner, 0);
    /* Allocated, not promised: the file has as many blocks as it is long. */
    struct stat st;
    assert_int_equal(fstat(s->fd, &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 >= s->bytes);
    segment_free(s);
    segment_free(NULL);
}

static void
a_wake_reaches_another_process(void **state)
{
    struct segment *s = segment_create(2, NULL);
    pid_t p = fork();

    if (p == 0) {
        segment_enter(s, 1, OWNER(1, 7));
        struct pollfd f = { .fd = s->wake_fd[1], .events = POLLIN };
        if (poll(&f, 1, 5000) != 1)
            _exit(1);
        atomic_store(&s->control->draining, 42);
        _exit(0);
    }
    segment_wake(s, 1);
    segment_wake(s, 4000); /* a slot that does not exist is no crash */
    int status;
    assert_int_equal(waitpid(p, &status, 0), p);
    assert_int_equal(status, 0);
    assert_int_equal(s->control->draining, 42);
    segment_free(s);
}

static void
a_word_is_live_while_its_process_has_the_slot(void **state)
{
    struct segment *s = segment_create(2, NULL);

    atomic_store(&s->slots[1].identity, OWNER(1, 3));
    assert_true(segment_is_live(s, OWNER(1, 3)));
    assert_true(segment_is_live(s, OWNER(1, 3) | 5u << 16));
    assert_false(segment_is_live(s, OWNER(1, 2)));
    assert_false(segment_is_live(s, OWNER(0, 3)));
    assert_false(segment_is_live(s, OWNER(300, 3)));
    assert_false(segment_is_live(s, OWNER_ORPHAN(OWNER(1, 3))));
    assert_false(segment_is_live(s, 0));
    segment_free(s);
}

static int
status_of(struct segment *s, void (*act)(struct segment *))
{
    pid_t p = fork();

    if (p == 0) {
        signal(SIGSEGV, SIG_DFL);
        segment_enter(s, 0, OWNER(0, 1));
        if (segment_read_only(s, NULL) != 0)
            _exit(9);
        metrics_count(METRIC_REQUESTS, 0, 0, 1); /* nothing, rather than a crash */
        act(s);
        _exit(0);
    }
    int status = -1;
    waitpid(p, &status, 0);
    return status;
}

static void
beat(struct segment *s)
{
    atomic_store(&s->slots[0].heartbeat_ns, 77);
}
static void
grab(struct segment *s)
{
    atomic_store(&s->leases[0].owner, 1);
}
static void
steer(struct segment *s)
{
    atomic_store(&s->control->pool_max, 1);
}

static void
the_metrics_child_writes_its_slot_and_nothing_else(void **state)
{
    struct segment *s = segment_create(4, NULL);

    assert_int_equal(status_of(s, beat), 0);
    assert_int_equal(s->slots[0].heartbeat_ns, 77);
    int status = status_of(s, grab);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0); /* a sanitizer exits instead */
    status = status_of(s, steer);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    assert_int_equal(s->leases[0].owner, 0);
    assert_int_equal(fcntl(s->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    segment_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_lie_inside_and_start_as_zero),
        cmocka_unit_test(a_wake_reaches_another_process),
        cmocka_unit_test(a_word_is_live_while_its_process_has_the_slot),
        cmocka_unit_test(the_metrics_child_writes_its_slot_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
