/* The decimal quotient against arithmetic done another way. */
#include "emulator/functions_c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t
divide(int64_t a, int a_scale, int64_t b, int b_scale, int scale)
{
    __int128 q;

    assert_int_equal(functions_c_divide(a, a_scale, b, b_scale, scale, &q), 0);
    return (int64_t)q;
}

static void
quotients_have_the_wanted_decimals(void **state)
{
    (void)state;
    assert_int_equal(divide(7, 0, 2, 0, 6), 3500000);
    assert_int_equal(divide(1, 0, 3, 0, 6), 333333);
    assert_int_equal(divide(2, 0, 3, 0, 6), 666667);
    assert_int_equal(divide(-2, 0, 3, 0, 6), -666667);
    assert_int_equal(divide(100, 2, 3, 0, 8), 33333333); /* 1.00 / 3 */
    assert_int_equal(divide(10, 0, 5, 1, 6), 20000000);  /* 10 / 0.5 */
}

static void
halves_are_rounded_away_from_zero(void **state)
{
    (void)state;
    assert_int_equal(divide(1, 0, 2, 0, 0), 1);
    assert_int_equal(divide(-1, 0, 2, 0, 0), -1);
    assert_int_equal(divide(1, 0, -2, 0, 0), -1);
    assert_int_equal(divide(149, 0, 100, 0, 0), 1);
    assert_int_equal(divide(5, 1, 1, 0, 0), 1); /* 0.5 / 1: the divisor grows */
    assert_int_equal(divide(4, 1, 1, 0, 0), 0);
}

/* Small enough that 128 bits hold everything at once. */
static void
it_agrees_with_plain_arithmetic(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 20000; i++) {
        int64_t a = rand() - RAND_MAX / 2, b = rand() % 100000 - 50000;
        int sa = rand() % 5, sb = rand() % 5, scale = rand() % 10;
        __int128 n = a, d = b, q;
        if (b == 0)
            continue;
        for (int k = 0; k < scale + sb; k++)
            n *= 10;
        for (int k = 0; k < sa; k++)
            d *= 10;
        q = n / d;
        __int128 r2 = (n % d) * 2;
        if ((r2 < 0 ? -r2 : r2) >= (d < 0 ? -d : d))
            q += (n < 0) == (d < 0) ? 1 : -1;
        assert_int_equal(divide(a, sa, b, sb, scale), (int64_t)q);
    }
}

static void
operands_of_38_digits_do_not_overflow(void **state)
{
    __int128 most = 1, q;

    (void)state;
    for (int i = 0; i < 38; i++)
        most *= 10;
    most -= 1;
    assert_int_equal(functions_c_divide(most, 0, most, 0, 6, &q), 0);
    assert_int_equal((int64_t)q, 1000000);
    assert_int_equal(functions_c_divide(1, 0, most, 0, 37, &q), 0);
    assert_int_equal((int64_t)q, 0);
    assert_int_equal(functions_c_divide(most - 1, 0, most, 0, 12, &q), 0);
    assert_int_equal((int64_t)q, 1000000000000);
    assert_int_equal(functions_c_divide(most, 0, 1, 0, 6, &q), -1); /* 44 digits */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotients_have_the_wanted_decimals),
        cmocka_unit_test(halves_are_rounded_away_from_zero),
        cmocka_unit_test(it_agrees_with_plain_arithmetic),
        cmocka_unit_test(operands_of_38_digits_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
