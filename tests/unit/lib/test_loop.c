/* test_loop.c - loop. */
#include "clock.h"
#include "loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *l;

static int
setup(void **state)
{
    l = loop_new();
    return l ? 0 : -1;
}

static int
teardown(void **state)
{
    loop_free(l);
    return 0;
}

static unsigned fired;
static struct loop_timer *timer;

static void
count(void *arg)
{
    fired++;
}

static void
count_and_stop(void *arg)
{
    fired++;
    loop_stop(l);
}

static void
a_timer_fires_once_and_not_early(void **state)
{
    fired = 0;
    timer = loop_timer_new(l, count_and_stop, NULL);
    uint64_t start = clock_ms();
    loop_timer_set(timer, 30);
    loop_run(l);
    assert_int_equal(fired, 1);
    assert_in_range(clock_ms() - start, 29, 5000);
    assert_false(loop_run_once(l, 20)); /* one-shot */
    assert_int_equal(fired, 1);
    loop_timer_free(timer);
    loop_timer_free(NULL);
}

static void
a_later_deadline_replaces_an_earlier_one(void **state)
{
    fired = 0;
    timer = loop_timer_new(l, count, NULL);
    loop_timer_set(timer, 1);
    loop_timer_set(timer, 60000);
    assert_false(loop_run_once(l, 30));
    loop_timer_set(timer, UINT64_MAX); /* far away is no overflow */
    assert_false(loop_run_once(l, 10));
    assert_int_equal(fired, 0);
    loop_timer_set(timer, 0);
    assert_true(loop_run_once(l, 5000));
    assert_int_equal(fired, 1);
    loop_timer_set(timer, 0);
    loop_timer_clear(timer);
    assert_false(loop_run_once(l, 10));
    assert_int_equal(fired, 1);
    loop_timer_free(timer);
}

static void
free_itself(void *arg)
{
    fired++;
    loop_timer_free(timer);
    loop_stop(l);
}

static void
repeat_twice(void *arg)
{
    if (++fired < 3)
        loop_timer_set(timer, 1);
    else
        loop_stop(l);
}

static void
a_timer_may_be_set_or_freed_in_its_callback(void **state)
{
    fired = 0;
    timer = loop_timer_new(l, repeat_twice, NULL);
    loop_timer_set(timer, 0);
    loop_run(l);
    assert_int_equal(fired, 3);
    loop_timer_free(timer);
    timer = loop_timer_new(l, free_itself, NULL);
    loop_timer_set(timer, 0);
    loop_run(l);
    assert_int_equal(fired, 4);
}

static unsigned seen;

static void
note(void *arg, unsigned events)
{
    seen |= events;
}

static void
a_descriptor_reports_what_is_asked_for(void **state)
{
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    struct loop_fd *w = loop_fd_new(l, p[0], 0, note, NULL);
    assert_non_null(w);
    seen = 0;
    assert_int_equal(write(p[1], "x", 1), 1);
    assert_false(loop_run_once(l, 10));
    assert_int_equal(seen, 0);
    loop_fd_events(w, LOOP_READ);
    assert_true(loop_run_once(l, 5000));
    assert_int_equal(seen, LOOP_READ);
    seen = 0;
    assert_true(loop_run_once(l, 5000)); /* level-triggered and persistent */
    assert_int_equal(seen, LOOP_READ);
    loop_fd_events(w, LOOP_READ | LOOP_WRITE);
    seen = 0;
    assert_true(loop_run_once(l, 5000));
    assert_int_equal(seen, LOOP_READ | LOOP_WRITE);
    loop_fd_events(w, LOOP_WRITE);
    seen = 0;
    assert_true(loop_run_once(l, 5000));
    assert_int_equal(seen, LOOP_WRITE);
    loop_fd_events(w, 0);
    seen = 0;
    assert_false(loop_run_once(l, 10));
    assert_int_equal(seen, 0);
    loop_fd_free(w);
    loop_fd_free(NULL);
    close(p[0]);
    close(p[1]);
}

static struct loop_fd *watched;

static void
free_watch(void *arg, unsigned events)
{
    seen |= events;
    loop_fd_free(watched);
    watched = NULL;
}

static void
change_watch(void *arg, unsigned events)
{
    seen |= events;
    loop_fd_events(watched, events == LOOP_READ ? LOOP_WRITE : 0);
}

static void
a_watch_may_be_changed_or_freed_in_its_callback(void **state)
{
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    assert_int_equal(write(p[1], "x", 1), 1);
    seen = 0;
    watched = loop_fd_new(l, p[0], LOOP_READ, change_watch, NULL);
    assert_true(loop_run_once(l, 5000));
    assert_int_equal(seen, LOOP_READ);
    assert_true(loop_run_once(l, 5000));
    assert_int_equal(seen, LOOP_READ | LOOP_WRITE);
    assert_false(loop_run_once(l, 10));
    loop_fd_free(watched);
    watched = loop_fd_new(l, p[0], LOOP_READ, free_watch, NULL);
    assert_true(loop_run_once(l, 5000));
    assert_null(watched);
    assert_false(loop_run_once(l, 10));
    close(p[0]);
    close(p[1]);
}

/* The changelist must not lose a watch when the kernel gives a closed number out again. */
static void
a_reused_descriptor_number_is_watched_anew(void **state)
{
    for (int i = 0; i < 20; i++) {
        int p[2], q[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
        watched = loop_fd_new(l, p[0], LOOP_READ, note, NULL);
        if (i % 2) {
            seen = 0;
            assert_int_equal(write(p[1], "x", 1), 1);
            assert_true(loop_run_once(l, 5000));
        }
        loop_fd_free(watched);
        close(p[0]);
        close(p[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, q), 0);
        assert_int_equal(q[0], p[0]);
        watched = loop_fd_new(l, q[0], LOOP_READ, note, NULL);
        assert_int_equal(write(q[1], "x", 1), 1);
        seen = 0;
        assert_true(loop_run_once(l, 5000));
        assert_int_equal(seen, LOOP_READ);
        loop_fd_free(watched);
        close(q[0]);
        close(q[1]);
    }
}

static void
no_descriptor_is_refused(void **state)
{
    assert_null(loop_fd_new(l, -1, LOOP_READ, note, NULL));
}

static int got_signal;

static void
on_signal(void *arg, int signo)
{
    got_signal = signo;
    loop_stop(arg);
}

static void
signals_arrive_in_the_loop(void **state)
{
    assert_int_equal(loop_on_signal(l, SIGUSR1, on_signal, l), 0);
    assert_int_equal(loop_on_signal(l, SIGUSR2, on_signal, l), 0);
    raise(SIGUSR2);
    assert_int_equal(got_signal, 0);
    loop_run(l);
    assert_int_equal(got_signal, SIGUSR2);
    raise(SIGUSR1);
    loop_run(l);
    assert_int_equal(got_signal, SIGUSR1);
}

static void
a_broken_pipe_is_no_signal(void **state)
{
    int p[2];
    assert_int_equal(pipe(p), 0);
    close(p[0]);
    assert_int_equal(write(p[1], "x", 1), -1);
    close(p[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timer_fires_once_and_not_early, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_deadline_replaces_an_earlier_one, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_timer_may_be_set_or_freed_in_its_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_reports_what_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_watch_may_be_changed_or_freed_in_its_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_reused_descriptor_number_is_watched_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(no_descriptor_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_arrive_in_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_pipe_is_no_signal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
