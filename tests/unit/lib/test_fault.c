/* test_fault.c - fault points, compiled in here whatever the build was configured with. */
#include "config.h"

#ifndef WITH_FAULT_POINTS
#define WITH_FAULT_POINTS 1
#endif
#include "fault.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

/* How many passes of "b" (with some of "a" and "bb" between) a process survives; at most 5. */
static int
passes_survived(const char *fault, const char *once)
{
    int ends[2], status;
    char c;
    assert_int_equal(pipe(ends), 0);
    pid_t p = fork();
    if (p == 0) {
        if (fault)
            setenv("SNOWFLAKE_MCP_FAULT", fault, 1);
        if (once)
            setenv("SNOWFLAKE_MCP_FAULT_ONCE", once, 1);
        for (int i = 0; i < 5; i++) {
            FAULT("a");
            FAULT("bb");
            FAULT("b");
            if (write(ends[1], "x", 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    int n = 0;
    while (read(ends[0], &c, 1) == 1)
        n++;
    close(ends[0]);
    assert_int_equal(waitpid(p, &status, 0), p);
    if (n < 5)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return n;
}

static void
only_the_named_point_kills(void **state)
{
    assert_int_equal(passes_survived(NULL, NULL), 5);
    assert_int_equal(passes_survived("c", NULL), 5);
    assert_int_equal(passes_survived("bbb", NULL), 5);
    assert_int_equal(passes_survived("", NULL), 5);
    assert_int_equal(passes_survived("b", NULL), 0);
}

static void
the_nth_pass_kills(void **state)
{
    assert_int_equal(passes_survived("b:1", NULL), 0);
    assert_int_equal(passes_survived("b:3", NULL), 2);
    assert_int_equal(passes_survived("b:9", NULL), 5);
}

static void
the_successor_lives_when_once_is_enough(void **state)
{
    char dir[] = "/tmp/test_fault.XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/died", dir);
    assert_int_equal(passes_survived("b:2", path), 1);
    assert_int_equal(passes_survived("b:2", path), 5);
    unlink(path);
    rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_named_point_kills),
        cmocka_unit_test(the_nth_pass_kills),
        cmocka_unit_test(the_successor_lives_when_once_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
