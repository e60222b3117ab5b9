/* The child table against an injected clock: every order is written down and compared. */
#include "proc/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define EXITED(code)   ((code) << 8)
#define KILLED(signal) (signal)

static const struct child_policy policy = {
    .n_workers = 2,
    .metrics = true,
    .heartbeat_limit_ms = 5000,
    .drain_ms = 20000,
    .hurry_ms = 3000,
    .kill_after_ms = 1000,
    .quick_ms = 1000,
    .loop_ms = 10000,
    .backoff_first_ms = 200,
    .backoff_max_ms = 5000,
    .loop_deaths = 5,
};

static struct child_table *t;
static uint64_t now;
static pid_t next_pid;

static int
setup(void **state)
{
    t = child_table_new(&policy);
    now = 1000000;
    next_pid = 100;
    return t == NULL;
}

static int
teardown(void **state)
{
    child_table_free(t);
    return 0;
}

static pid_t
expect_spawn(unsigned seat, unsigned slot)
{
    struct child_action a;
    assert_true(child_next(t, now, &a));
    assert_int_equal(a.what, CHILD_SPAWN);
    assert_int_equal(a.seat, seat);
    assert_int_equal(a.slot, slot);
    child_spawned(t, slot, next_pid, now);
    assert_int_equal(child_pid(t, slot), next_pid);
    return next_pid++;
}

static void
expect(enum child_do what, pid_t pid)
{
    struct child_action a;
    assert_true(child_next(t, now, &a));
    assert_int_equal(a.what, what);
    if (pid != 0)
        assert_int_equal(a.pid, pid);
}

static void
expect_leave(int code)
{
    struct child_action a;
    assert_true(child_next(t, now, &a));
    assert_int_equal(a.what, CHILD_LEAVE);
    assert_int_equal(a.code, code);
}

static void
expect_nothing(void)
{
    struct child_action a;
    assert_false(child_next(t, now, &a));
}

static struct child_end
dies(pid_t pid, int status)
{
    struct child_end end;
    assert_true(child_exited(t, pid, status, now, &end));
    return end;
}

static void
serves(unsigned slot)
{
    child_look(t, slot, now, true, now);
}

/* Two workers (pids 100, 101) and the metrics child (102), all serving. */
static void
start_all(void)
{
    expect_spawn(0, 0);
    expect_spawn(1, 2);
    expect_spawn(2, 4);
    expect_nothing();
    serves(0);
    serves(2);
    serves(4);
}

static void
each_seat_gets_one_process_and_its_own_pair_of_slots(void **state)
{
    assert_int_equal(child_slots(t), 6);
    assert_false(child_all_serving(t));
    start_all();
    assert_true(child_all_serving(t));
    assert_true(child_is_metrics(t, 2));
    assert_false(child_is_metrics(t, 1));
    expect_nothing();
}

static void
a_first_death_is_replaced_at_once_in_the_same_slot(void **state)
{
    start_all();
    struct child_end end = dies(101, KILLED(SIGKILL));
    assert_int_equal(end.seat, 1);
    assert_int_equal(end.slot, 2);
    assert_false(end.expected);
    assert_false(end.killed_by_us);
    assert_int_equal(child_wait_ms(t, now), 0);
    expect_spawn(1, 2);
    expect_nothing();
}

static void
quick_deaths_back_off_up_to_a_bound_and_are_told_once(void **state)
{
    start_all();
    static const uint64_t pauses[] = { 0, 200, 400, 800, 1600, 3200, 5000, 5000, 5000 };
    pid_t pid = 100;
    for (unsigned i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        now += 50;
        dies(pid, KILLED(SIGSEGV));
        if (i == 4) {
            struct child_action a;
            assert_true(child_next(t, now, &a));
            assert_int_equal(a.what, CHILD_TELL_LOOP);
            assert_int_equal(a.seat, 0);
            assert_int_equal(a.delay_ms, 1600);
        }
        if (pauses[i] > 0) {
            now += pauses[i] - 1;
            expect_nothing();
            assert_int_equal(child_wait_ms(t, now), 1);
            now += 1;
        }
        pid = expect_spawn(0, 0);
        serves(0);
    }
}

static void
a_worker_killed_from_outside_is_replaced_at_once_each_time(void **state)
{
    start_all();
    pid_t pid = 100;
    unsigned told = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct child_action a;
        dies(pid, KILLED(SIGKILL));
        assert_true(child_next(t, now, &a));
        if (a.what == CHILD_TELL_LOOP) { /* worth a word all the same */
            told++;
            assert_int_equal(a.delay_ms, 0);
            assert_true(child_next(t, now, &a));
        }
        assert_int_equal(a.what, CHILD_SPAWN);
        child_spawned(t, a.slot, pid = next_pid++, now);
        serves(0);
        now += 10;
    }
    assert_int_equal(told, 1);
}

static void
one_that_is_killed_before_it_serves_backs_off(void **state)
{
    start_all();
    pid_t pid = 100;
    dies(pid, KILLED(SIGSEGV));
    pid = expect_spawn(0, 0);
    dies(pid, KILLED(SIGKILL));
    expect_nothing();
    now += policy.backoff_first_ms;
    expect_spawn(0, 0);
}

static void
a_long_life_ends_the_back_off(void **state)
{
    start_all();
    pid_t pid = 100;
    for (int i = 0; i < 3; i++) {
        dies(pid, KILLED(SIGSEGV));
        now += 5000;
        pid = expect_spawn(0, 0);
        serves(0);
    }
    now += policy.loop_ms;
    dies(pid, KILLED(SIGSEGV));
    pid = expect_spawn(0, 0);
    dies(pid, KILLED(SIGSEGV));
    expect_spawn(0, 0);
}

static void
exit_2_is_not_started_again(void **state)
{
    start_all();
    dies(100, EXITED(CHILD_EXIT_NO_RESTART));
    expect(CHILD_TELL_GONE, 0);
    now += 100000;
    expect_nothing();
    assert_false(child_draining(t));
}

static void
when_all_workers_exited_2_the_supervisor_exits_2(void **state)
{
    start_all();
    dies(100, EXITED(CHILD_EXIT_NO_RESTART));
    dies(101, EXITED(CHILD_EXIT_NO_RESTART));
    expect(CHILD_TELL_GONE, 0);
    expect(CHILD_TELL_GONE, 0);
    expect(CHILD_TERM, 102);
    dies(102, EXITED(0));
    expect_leave(CHILD_EXIT_NO_RESTART);
}

static void
a_server_that_never_served_gives_up_with_exit_1(void **state)
{
    pid_t pids[2];
    pids[0] = expect_spawn(0, 0);
    pids[1] = expect_spawn(1, 2);
    pid_t metrics = expect_spawn(2, 4);
    for (unsigned deaths = 0; deaths < policy.loop_deaths; deaths++)
        for (unsigned seat = 0; seat < 2; seat++) {
            now += 10;
            dies(pids[seat], EXITED(CHILD_EXIT_FAILED));
            if (deaths + 1 < policy.loop_deaths) {
                now += policy.backoff_max_ms;
                pids[seat] = expect_spawn(seat, 2 * seat);
            } else {
                expect(CHILD_TELL_LOOP, 0);
            }
        }
    expect(CHILD_TELL_NEVER, 0);
    expect(CHILD_TERM, metrics);
    dies(metrics, EXITED(0));
    expect_leave(CHILD_EXIT_FAILED);
}

static void
one_worker_that_once_served_keeps_the_server_trying(void **state)
{
    expect_spawn(0, 0);
    pid_t pid = expect_spawn(1, 2);
    expect_spawn(2, 4);
    serves(0);
    for (unsigned deaths = 0; deaths < 20; deaths++) {
        dies(pid, EXITED(CHILD_EXIT_FAILED));
        if (deaths + 1 == policy.loop_deaths)
            expect(CHILD_TELL_LOOP, 0);
        now += policy.backoff_max_ms;
        pid = expect_spawn(1, 2);
    }
    assert_false(child_draining(t));
}

static void
a_silent_worker_gets_term_then_kill_then_a_successor(void **state)
{
    start_all();
    uint64_t beat = now;
    for (unsigned i = 0; i < 4; i++) {
        now += 1000;
        child_look(t, 0, beat, true, now);
        serves(2);
        expect_nothing();
    }
    now += 1000;
    child_look(t, 0, beat, true, now);
    serves(2);
    expect(CHILD_TERM, 100);
    now += policy.kill_after_ms - 1;
    expect_nothing();
    now += 1;
    struct child_action a;
    assert_true(child_next(t, now, &a));
    assert_int_equal(a.what, CHILD_KILL);
    assert_int_equal(a.pid, 100);
    assert_int_equal(a.why, CHILD_WHY_HUNG);
    expect_nothing();
    struct child_end end = dies(100, KILLED(SIGKILL));
    assert_true(end.killed_by_us);
    assert_false(end.expected);
    assert_int_equal(end.why, CHILD_WHY_HUNG);
    expect_spawn(0, 0);
}

static void
a_worker_that_never_beats_at_start_is_hung_too(void **state)
{
    pid_t pid = expect_spawn(0, 0);
    expect_spawn(1, 2);
    expect_spawn(2, 4);
    for (unsigned i = 0; i < 6; i++) {
        now += 1000;
        child_look(t, 0, 0, false, now);
    }
    expect(CHILD_TERM, pid);
}

static void
a_supervisor_that_was_stopped_itself_blames_nobody(void **state)
{
    start_all();
    uint64_t beat = now;
    child_look(t, 0, beat, true, now);
    now += 3600 * 1000; /* SIGSTOP to the whole group, an hour, SIGCONT */
    child_look(t, 0, beat, true, now);
    expect_nothing();
}

static void
drain_asks_all_workers_waits_then_kills_and_takes_the_metrics_child_last(void **state)
{
    start_all();
    child_drain(t, CHILD_EXIT_CLEAN, now);
    expect(CHILD_TERM, 100);
    expect(CHILD_TERM, 101);
    expect_nothing();
    struct child_end end = dies(100, EXITED(0));
    assert_true(end.expected);
    expect_nothing(); /* no successor, and the metrics child still answers */
    now += policy.drain_ms;
    expect(CHILD_KILL, 101);
    end = dies(101, KILLED(SIGKILL));
    assert_true(end.killed_by_us);
    expect(CHILD_TERM, 102);
    now += policy.kill_after_ms;
    expect(CHILD_KILL, 102);
    dies(102, KILLED(SIGKILL));
    expect_leave(CHILD_EXIT_CLEAN);
}

static void
a_second_request_to_stop_shortens_the_wait(void **state)
{
    start_all();
    child_drain(t, CHILD_EXIT_CLEAN, now);
    expect(CHILD_TERM, 100);
    expect(CHILD_TERM, 101);
    now += 300;
    child_hurry(t, now);
    expect(CHILD_TERM, 100);
    expect(CHILD_TERM, 101);
    expect(CHILD_TERM, 102);
    now += policy.hurry_ms - 1;
    expect_nothing();
    now += 1;
    expect(CHILD_KILL, 100);
    expect(CHILD_KILL, 101);
    expect(CHILD_KILL, 102);
}

static void
a_process_that_was_forked_while_the_stop_arrived_is_stopped(void **state)
{
    struct child_action a;
    assert_true(child_next(t, now, &a));
    child_drain(t, CHILD_EXIT_CLEAN, now);
    child_spawned(t, a.slot, 100, now);
    expect(CHILD_TERM, 100);
    dies(100, KILLED(SIGTERM));
    expect_leave(CHILD_EXIT_CLEAN);
}

static void
replace_starts_successors_first_and_drains_the_old_ones(void **state)
{
    start_all();
    child_replace(t, now);
    assert_true(child_replacing(t));
    expect_spawn(0, 1); /* 103 */
    expect_spawn(1, 3); /* 104 */
    expect_spawn(2, 5); /* 105 */
    expect_nothing();   /* the old ones serve until the new ones do */
    assert_true(child_all_serving(t));
    serves(1);
    expect(CHILD_TERM, 100);
    expect_nothing();
    dies(100, EXITED(0));
    expect_nothing();
    serves(3);
    serves(5);
    expect(CHILD_TERM, 101);
    expect(CHILD_TERM, 102);
    now += policy.drain_ms;
    expect(CHILD_KILL, 101);
    expect(CHILD_KILL, 102);
    dies(101, KILLED(SIGKILL));
    dies(102, EXITED(0));
    assert_false(child_replacing(t));
    assert_true(child_all_serving(t));
    expect_nothing();
}

static void
a_second_reload_waits_until_the_first_has_drained(void **state)
{
    start_all();
    child_replace(t, now);
    expect_spawn(0, 1);
    expect_spawn(1, 3);
    expect_spawn(2, 5);
    serves(1);
    serves(3);
    serves(5);
    expect(CHILD_TERM, 100);
    expect(CHILD_TERM, 101);
    expect(CHILD_TERM, 102);
    child_replace(t, now);
    expect_nothing(); /* both slots of each seat are taken */
    dies(100, EXITED(0));
    expect_spawn(0, 0);
    expect_nothing();
}

static void
a_reload_during_a_reload_discards_successors_that_never_served(void **state)
{
    start_all();
    child_replace(t, now);
    pid_t stale = expect_spawn(0, 1);
    expect_spawn(1, 3);
    expect_spawn(2, 5);
    child_replace(t, now);
    expect(CHILD_TERM, stale);
    expect(CHILD_TERM, stale + 1);
    expect(CHILD_TERM, stale + 2);
    dies(stale, EXITED(0));
    expect_spawn(0, 1);
    serves(1);
    expect(CHILD_TERM, 100);
}

static void
a_successor_that_cannot_start_leaves_the_old_worker_in_place(void **state)
{
    start_all();
    child_replace(t, now);
    pid_t pid = expect_spawn(0, 1);
    expect_spawn(1, 3);
    expect_spawn(2, 5);
    dies(pid, EXITED(CHILD_EXIT_NO_RESTART));
    expect(CHILD_TELL_GONE, 0);
    expect_nothing();
    assert_int_equal(child_pid(t, 0), 100);
    dies(100, KILLED(SIGKILL));
    expect_spawn(0, 0);
}

static void
an_old_worker_that_dies_during_a_reload_hands_its_seat_to_the_successor(void **state)
{
    start_all();
    child_replace(t, now);
    expect_spawn(0, 1);
    expect_spawn(1, 3);
    expect_spawn(2, 5);
    dies(100, KILLED(SIGKILL));
    expect_nothing();
    serves(1);
    expect_nothing();
    assert_true(child_all_serving(t));
}

static void
a_failed_fork_is_tried_again_later(void **state)
{
    struct child_action a;
    assert_true(child_next(t, now, &a));
    child_spawn_failed(t, a.slot, now);
    assert_true(child_next(t, now, &a));
    assert_int_equal(a.seat, 1);
    child_spawn_failed(t, a.slot, now);
    assert_true(child_next(t, now, &a));
    assert_int_equal(a.seat, 2);
    child_spawn_failed(t, a.slot, now);
    expect_nothing();
    now += policy.backoff_max_ms;
    expect_spawn(0, 0);
}

static void
a_stranger_is_not_ours(void **state)
{
    struct child_end end;
    start_all();
    assert_false(child_exited(t, 4711, EXITED(0), now, &end));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(each_seat_gets_one_process_and_its_own_pair_of_slots),
        T(a_first_death_is_replaced_at_once_in_the_same_slot),
        T(quick_deaths_back_off_up_to_a_bound_and_are_told_once),
        T(a_worker_killed_from_outside_is_replaced_at_once_each_time),
        T(one_that_is_killed_before_it_serves_backs_off),
        T(a_long_life_ends_the_back_off),
        T(exit_2_is_not_started_again),
        T(when_all_workers_exited_2_the_supervisor_exits_2),
        T(a_server_that_never_served_gives_up_with_exit_1),
        T(one_worker_that_once_served_keeps_the_server_trying),
        T(a_silent_worker_gets_term_then_kill_then_a_successor),
        T(a_worker_that_never_beats_at_start_is_hung_too),
        T(a_supervisor_that_was_stopped_itself_blames_nobody),
        T(drain_asks_all_workers_waits_then_kills_and_takes_the_metrics_child_last),
        T(a_second_request_to_stop_shortens_the_wait),
        T(a_process_that_was_forked_while_the_stop_arrived_is_stopped),
        T(replace_starts_successors_first_and_drains_the_old_ones),
        T(a_second_reload_waits_until_the_first_has_drained),
        T(a_reload_during_a_reload_discards_successors_that_never_served),
        T(a_successor_that_cannot_start_leaves_the_old_worker_in_place),
        T(an_old_worker_that_dies_during_a_reload_hands_its_seat_to_the_successor),
        T(a_failed_fork_is_tried_again_later),
        T(a_stranger_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
