/* Many processes ask, wait, leave and are killed at any instant: nothing leaks, nothing is held
 * twice, and everyone gets on. */
#include "state/lease.h"

#include "clock.h"
#include "fault.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { PROCESSES = 6, CALLS = 5, POOL_MAX = 4, QUEUE = 24 };
#define DEADLINE_NS UINT64_C(20000000000)

/* What the test's processes tell each other, beside the segment. */
static struct shared {
    _Atomic uint32_t stop;
    _Atomic uint32_t held_twice;
    _Atomic uint32_t stuck;
    _Atomic uint64_t holder[LEASES_MAX];
    _Atomic uint64_t grants[PROCESSES];
} * shared;
static struct segment *seg;
static uint64_t live[PROCESSES];
static pid_t pids[PROCESSES];
static uint32_t incarnation;
static uint32_t most; /* the highest maximum that was in force */

/* One worker ------------------------------------------------------------------------------------
 */

static struct lease_ticket calls[CALLS];
static bool waits[CALLS];
static uint64_t dice;
static bool patient; /* waits for its turn without ticks: only wake-ups help it */

static unsigned
roll(unsigned sides)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice >> 33) % sides;
}

static bool
is_waiting(void *arg, int waiter)
{
    for (int i = 0; i < CALLS; i++)
        if (waits[i] && calls[i].waiter == waiter)
            return true;
    return false;
}

static void
note_held(int lease)
{
    uint64_t other = atomic_exchange(&shared->holder[lease], seg->me);

    if (other != 0 && segment_is_live(seg, other))
        atomic_fetch_add(&shared->held_twice, 1);
    atomic_fetch_add(&shared->grants[seg->my_slot], 1);
}

static void
note_left(int lease)
{
    uint64_t me = seg->me;

    if (!atomic_compare_exchange_strong(&shared->holder[lease], &me, 0))
        atomic_fetch_add(&shared->held_twice, 1);
}

static void
leave(int i)
{
    if (calls[i].ticket && calls[i].lease != LEASE_NONE)
        note_left(calls[i].lease);
    waits[i] = false;
    lease_leave(seg, &calls[i]);
}

static void
act(int i)
{
    if (waits[i]) {
        if (!patient && roll(10) == 0) {
            leave(i);
        } else if (lease_poll(seg, &calls[i])) {
            waits[i] = false;
            note_held(calls[i].lease);
        }
    } else if (calls[i].ticket) {
        if (roll(2) == 0) {
            leave(i);
        } else {
            lease_note_request(seg, calls[i].lease, "a request");
            if (roll(2) == 0)
                lease_note_handle(seg, calls[i].lease, "a handle");
        }
    } else {
        enum lease_answer a = lease_request(seg, &calls[i], roll(3), clock_ns());
        waits[i] = a == LEASE_WAITING;
        if (a == LEASE_GRANTED)
            note_held(calls[i].lease);
    }
}

static void
adopt(void)
{
    char request_id[40], handle[64];
    int lease = lease_adopt_orphan(seg, request_id, handle);

    if (lease != LEASE_NONE) {
        note_held(lease);
        note_left(lease);
        lease_give_back(seg, lease);
    }
}

static _Noreturn void
work(unsigned slot)
{
    segment_enter(seg, slot, live[slot]);
    dice = live[slot];
    while (!atomic_load(&shared->stop)) {
        unsigned idle = 0;
        for (int i = 0; i < CALLS; i++)
            idle += waits[i];
        if (idle == CALLS) {
            struct pollfd f = { .fd = seg->wake_fd[slot], .events = POLLIN };
            uint64_t n;
            int ready = poll(&f, 1, patient ? 5000 : 2);
            if (ready == 1 && read(f.fd, &n, sizeof n) < 0)
                abort();
            if (ready == 0 && patient)
                atomic_fetch_add(&shared->stuck, 1);
        }
        for (int i = 0; i < CALLS; i++)
            act(i);
        if (!patient && (roll(16) == 0 || idle == CALLS)) {
            lease_tend(seg, is_waiting, NULL);
            adopt();
        }
    }
    for (int i = 0; i < CALLS; i++)
        leave(i);
    lease_tend(seg, is_waiting, NULL);
    _exit(0);
}

/* The supervisor
 * ------------------------------------------------------------------------------------ */

static void
spawn(unsigned slot)
{
    live[slot] = OWNER(slot, ++incarnation);
    atomic_store(&seg->slots[slot].identity, live[slot]);
    pids[slot] = fork();
    assert_true(pids[slot] >= 0);
    if (pids[slot] == 0)
        work(slot);
}

static int
reap(unsigned slot)
{
    int status = -1;

    assert_int_equal(waitpid(pids[slot], &status, 0), pids[slot]);
    live[slot] = 0;
    atomic_store(&seg->slots[slot].identity, 0);
    lease_sweep(seg, live, PROCESSES);
    return status;
}

static int
setup(void **state)
{
    seg = segment_create(PROCESSES, NULL);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!seg || shared == MAP_FAILED)
        return -1;
    most = POOL_MAX;
    atomic_store(&seg->control->pool_max, POOL_MAX);
    atomic_store(&seg->control->pool_queue, QUEUE);
    return 0;
}

static int
teardown(void **state)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        if (live[i])
            kill(pids[i], SIGKILL), reap(i);
    munmap(shared, sizeof *shared);
    segment_free(seg);
    return 0;
}

static void
wait_for_progress_of_all(void)
{
    uint64_t before[PROCESSES], until = clock_ns() + DEADLINE_NS;

    for (unsigned i = 0; i < PROCESSES; i++)
        before[i] = atomic_load(&shared->grants[i]);
    for (unsigned i = 0; i < PROCESSES; i++) {
        while (atomic_load(&shared->grants[i]) < before[i] + 20) {
            if (clock_ns() > until)
                fail_msg("process %u stands still", i);
            assert_true(lease_count(seg) <= most);
            usleep(1000);
        }
    }
}

static void
stop_all_and_find_nothing_left(void)
{
    char request_id[40], handle[64];

    atomic_store(&shared->stop, 1);
    for (unsigned i = 0; i < PROCESSES; i++)
        segment_wake(seg, i);
    for (unsigned i = 0; i < PROCESSES; i++)
        assert_int_equal(reap(i), 0);
    /* The last orphans have nobody to adopt them but us. */
    segment_enter(seg, 0, OWNER(0, ++incarnation));
    for (int i; (i = lease_adopt_orphan(seg, request_id, handle)) != LEASE_NONE;) {
        assert_string_equal(request_id, "a request");
        assert_true(handle[0] == '\0' || strcmp(handle, "a handle") == 0);
        lease_give_back(seg, i);
    }
    lease_sweep(seg, live, PROCESSES);
    assert_int_equal(lease_sweep(seg, live, PROCESSES), 0);
    assert_int_equal(lease_count(seg), 0);
    assert_int_equal(lease_waiting(seg), 0);
    for (unsigned i = 0; i < WAITERS_MAX; i++)
        assert_int_equal(seg->waiters[i].owner, 0);
    for (unsigned i = 0; i < WAITERS_MAX / 64; i++)
        assert_int_equal(seg->line->words[i], 0);
    assert_int_equal(shared->held_twice, 0);
    assert_true(seg->totals->pool_peak <= most);
}

static void
nothing_leaks_when_processes_are_killed_at_any_instant(void **state)
{
    struct timespec pause = { 0 };

    srandom(1);
    for (unsigned i = 0; i < PROCESSES; i++)
        spawn(i);
    for (unsigned n = 0; n < 400; n++) {
        unsigned victim = (unsigned)random() % PROCESSES;
        pause.tv_nsec = random() % 2000000;
        nanosleep(&pause, NULL); /* the instant is what is random here */
        assert_true(lease_count(seg) <= POOL_MAX);
        kill(pids[victim], SIGKILL);
        reap(victim);
        spawn(victim);
    }
    wait_for_progress_of_all();
    stop_all_and_find_nothing_left();
}

static void
nothing_is_lost_without_any_death(void **state)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        spawn(i);
    wait_for_progress_of_all();
    wait_for_progress_of_all();
    stop_all_and_find_nothing_left();
}

/* With a pool of one and a short hold nearly every request meets a release. */
static void
no_wake_up_is_lost(void **state)
{
    most = 1;
    atomic_store(&seg->control->pool_max, 1);
    patient = true;
    for (unsigned i = 0; i < PROCESSES; i++)
        spawn(i);
    for (unsigned n = 0; n < 5; n++)
        wait_for_progress_of_all();
    patient = false;
    stop_all_and_find_nothing_left();
    assert_int_equal(shared->stuck, 0);
}

static void
the_maximum_can_change_under_load(void **state)
{
    static const uint32_t sizes[] = { 1, 3, 4, 2 };

    for (unsigned i = 0; i < PROCESSES; i++)
        spawn(i);
    for (unsigned n = 0; n < 40; n++) {
        atomic_store(&seg->control->pool_max, sizes[n % 4]);
        uint64_t before = atomic_load(&shared->grants[n % PROCESSES]);
        uint64_t until = clock_ns() + DEADLINE_NS;
        while (atomic_load(&shared->grants[n % PROCESSES]) < before + 5 && clock_ns() < until)
            usleep(500);
        assert_true(clock_ns() < until);
        /* Those above it drain: within the deadline the new size holds. */
        while (lease_count(seg) > sizes[n % 4] && clock_ns() < until)
            usleep(100);
        assert_true(clock_ns() < until);
    }
    atomic_store(&seg->control->pool_max, POOL_MAX);
    wait_for_progress_of_all();
    stop_all_and_find_nothing_left();
}

/* With fault points compiled in: a death at each named place, alone and under load. */
static void
nothing_leaks_at_any_fault_point(void **state)
{
#ifdef WITH_FAULT_POINTS
    static const char *const points[] = { "lease-claimed", "lease-waiter-claimed",
        "lease-waiter-marked", "lease-queued", "lease-ticket-taken", "lease-handed",
        "lease-picked-up", "lease-freeing", "lease-freed", "lease-leaving", "lease-waiter-unmarked",
        "lease-named", "lease-running", "lease-adopted" };
    char fault[64];

    for (unsigned n = 0; n < 3 * sizeof points / sizeof *points; n++) {
        const char *name = points[n / 3];
        atomic_store(&shared->stop, 0);
        unsetenv("SNOWFLAKE_MCP_FAULT");
        for (unsigned i = 1; i < PROCESSES; i++)
            spawn(i);
        snprintf(fault, sizeof fault, "%s:%u", name, 1 + n % 3 * 7);
        setenv("SNOWFLAKE_MCP_FAULT", fault, 1);
        spawn(0);
        /* Adoption needs somebody else's death. */
        unsetenv("SNOWFLAKE_MCP_FAULT");
        uint64_t until = clock_ns() + DEADLINE_NS;
        int status = 0;
        /* By turns a full line, where leases are handed over, and none, where they are free. */
        most = 2 * POOL_MAX * CALLS;
        for (bool full = true; waitpid(pids[0], &status, WNOHANG) == 0; full = !full) {
            atomic_store(&seg->control->pool_max, full ? POOL_MAX : most);
            if (clock_ns() > until)
                fail_msg("%s was not reached", fault);
            if (strcmp(name, "lease-adopted") == 0) {
                kill(pids[1], SIGKILL);
                reap(1);
                spawn(1);
            }
            usleep(1000);
        }
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        atomic_store(&seg->slots[0].identity, 0);
        live[0] = 0;
        lease_sweep(seg, live, PROCESSES);
        atomic_store(&seg->control->pool_max, POOL_MAX);
        spawn(0);
        wait_for_progress_of_all();
        stop_all_and_find_nothing_left();
    }
#else
    skip();
#endif
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_is_lost_without_any_death),
        T(nothing_leaks_when_processes_are_killed_at_any_instant),
        T(no_wake_up_is_lost),
        T(the_maximum_can_change_under_load),
        T(nothing_leaks_at_any_fault_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
