/* How many CPUs are granted: the texts that the kernel writes. */
#include "proc/cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_quota_is_rounded_up_to_whole_cpus(void **state)
{
    assert_int_equal(cpus_of_quota(STR("50000 100000")), 1);
    assert_int_equal(cpus_of_quota(STR("150000 100000")), 2);
    assert_int_equal(cpus_of_quota(STR("400000 100000")), 4);
}

static void
no_quota_or_nonsense_is_no_limit(void **state)
{
    assert_int_equal(cpus_of_quota(STR("max 100000")), 0);
    assert_int_equal(cpus_of_quota(STR("-1 100000")), 0);
    assert_int_equal(cpus_of_quota(STR("100000")), 0);
    assert_int_equal(cpus_of_quota(STR("100000 0")), 0);
    assert_int_equal(cpus_of_quota(STR("")), 0);
    assert_int_equal(cpus_of_quota(STR_NONE), 0);
}

static void
the_own_group_is_found_in_both_hierarchies(void **state)
{
    struct str text = STR("12:cpu,cpuacct:/docker/abc\n5:memory:/m\n0::/system.slice/x.service");
    assert_true(str_is(cpus_cgroup_path(text, NULL), "/system.slice/x.service"));
    assert_true(str_is(cpus_cgroup_path(text, "cpu"), "/docker/abc"));
    assert_true(str_is(cpus_cgroup_path(text, "cpuacct"), "/docker/abc"));
    assert_null(cpus_cgroup_path(text, "pids").p);
    assert_null(cpus_cgroup_path(STR("5:memory:/m"), NULL).p);
    assert_null(cpus_cgroup_path(STR(""), NULL).p);
}

static void
at_least_one_is_granted(void **state)
{
    assert_true(cpus_granted() >= 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_is_rounded_up_to_whole_cpus),
        cmocka_unit_test(no_quota_or_nonsense_is_no_limit),
        cmocka_unit_test(the_own_group_is_found_in_both_hierarchies),
        cmocka_unit_test(at_least_one_is_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
