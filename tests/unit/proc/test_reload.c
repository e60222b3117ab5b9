/* What changed between two configurations, setting by setting. */
#include "proc/reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static unsigned changes, restarts;
static const char *last;

static void
note(void *arg, const char *path, bool restart)
{
    changes++;
    restarts += restart;
    last = path;
}

static void
compare(const struct config *was, const struct config *is)
{
    changes = restarts = 0;
    last = "";
    reload_compare(was, is, note, NULL);
}

static void
the_same_values_are_no_change_wherever_they_stand(void **state)
{
    char here[] = "WH", there[] = "WH";
    const char *list_here[] = { "a", "b", NULL }, *list_there[] = { "a", "b", NULL };
    struct secret *secret_here = secret_new(STR("pat")), *secret_there = secret_new(STR("pat"));
    struct config was = { .sf_warehouse = here, .guard_functions = list_here };
    struct config is = { .sf_warehouse = there, .guard_functions = list_there };
    was.sf_password = secret_here;
    is.sf_password = secret_there;
    compare(&was, &is);
    assert_int_equal(changes, 0);
    secret_free(secret_here);
    secret_free(secret_there);
}

static void
every_kind_of_value_is_compared(void **state)
{
    const char *list[] = { "a", NULL }, *longer[] = { "a", "b", NULL };
    struct secret *secret = secret_new(STR("pat"));
    struct config was = { .guard_functions = list }, is = { .guard_functions = longer };
    compare(&was, &is);
    assert_string_equal(last, "guard.functions");
    is = was;
    is.sf_password = secret;
    compare(&was, &is);
    assert_string_equal(last, "snowflake.token");
    is = was;
    is.pool_max = 20;
    compare(&was, &is);
    assert_string_equal(last, "pool.max");
    is = was;
    is.sf_role = "READER";
    compare(&was, &is);
    assert_string_equal(last, "snowflake.role");
    is = was;
    is.query_log_sql = true;
    compare(&was, &is);
    assert_string_equal(last, "query.log_sql");
    assert_int_equal(changes, 1);
    assert_int_equal(restarts, 0);
    secret_free(secret);
}

static void
what_needs_a_restart_is_told_apart(void **state)
{
    struct config was = { .server_port = 8000 }, is = { .server_port = 8080 };
    compare(&was, &is);
    assert_int_equal(restarts, 1);
    assert_string_equal(last, "server.port");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_values_are_no_change_wherever_they_stand),
        cmocka_unit_test(every_kind_of_value_is_compared),
        cmocka_unit_test(what_needs_a_restart_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
