/* The set of clients seen lately counts each once and forgets the quiet ones. */
#include "state/active.h"

#include "encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MINUTE UINT64_C(60000000000)

static uint64_t
client(uint64_t i)
{
    return hash64((struct str){ (const char *)&i, sizeof i });
}

static struct active_table *
table(void)
{
    struct active_table *t = aligned_alloc(64, active_table_bytes);

    assert_non_null(t);
    memset(t, 0, active_table_bytes);
    return t;
}

static void
each_client_counts_once(void **state)
{
    struct active_table *t = table();

    assert_int_equal(active_count(t, MINUTE, 30 * MINUTE), 0);
    for (int round = 0; round < 3; round++)
        for (uint64_t i = 0; i < 500; i++)
            active_seen(t, client(i), (uint64_t)round * MINUTE);
    assert_int_equal(active_count(t, 2 * MINUTE, 30 * MINUTE), 500);
    free(t);
}

static void
quiet_clients_are_forgotten(void **state)
{
    struct active_table *t = table();

    active_seen(t, client(1), 10 * MINUTE);
    active_seen(t, client(2), 30 * MINUTE);
    assert_int_equal(active_count(t, 40 * MINUTE, 30 * MINUTE), 2);
    assert_int_equal(active_count(t, 41 * MINUTE, 30 * MINUTE), 1);
    active_seen(t, client(1), 41 * MINUTE);
    assert_int_equal(active_count(t, 60 * MINUTE, 30 * MINUTE), 2);
    free(t);
}

static void
a_full_table_keeps_the_newest(void **state)
{
    struct active_table *t = table();

    for (uint64_t i = 0; i < 200000; i++)
        active_seen(t, client(i), i < 199000 ? MINUTE : 9 * MINUTE);
    assert_int_equal(active_count(t, 9 * MINUTE, MINUTE), 1000);
    assert_int_equal(active_count(t, 9 * MINUTE, 60 * MINUTE), 16384);
    free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_counts_once),
        cmocka_unit_test(quiet_clients_are_forgotten),
        cmocka_unit_test(a_full_table_keeps_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
