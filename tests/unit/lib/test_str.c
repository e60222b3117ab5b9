/* test_str.c - str, err, clock. */
#include "clock.h"
#include "err.h"
#include "str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
comparison_looks_at_length_and_bytes(void **state)
{
    assert_true(str_eq(STR("ab"), STR("ab")));
    assert_false(str_eq(STR("ab"), STR("abc")));
    assert_false(str_eq(STR("ab"), STR("aB")));
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq_nocase(STR("aBz"), STR("AbZ")));
    assert_false(str_eq_nocase(STR("@"), STR("`"))); /* 32 apart, but no letters */
    assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
    assert_true(str_is(STR("x"), "x"));
    assert_true(str_is_nocase(STR("Content-Type"), "content-type"));
    assert_true(str_starts(STR("Bearer x"), "Bearer "));
    assert_false(str_starts(STR("Bea"), "Bearer"));
    assert_true(str_starts(STR_NONE, ""));
}

static void
trim_and_from_stay_inside(void **state)
{
    assert_true(str_is(str_trim(STR(" \t a b\t ")), "a b"));
    assert_int_equal(str_trim(STR(" \t")).n, 0);
    assert_int_equal(str_trim(STR_NONE).n, 0);
    assert_true(str_is(str_from(STR("abc"), 1), "bc"));
    assert_int_equal(str_from(STR("abc"), 9).n, 0);
    assert_null(str_from(STR_NONE, 1).p);
}

static void
split_gives_every_part_once(void **state)
{
    struct str rest = STR("a,,b,"), part;
    assert_true(str_split(&rest, ',', &part));
    assert_true(str_is(part, "a"));
    assert_true(str_split(&rest, ',', &part));
    assert_int_equal(part.n, 0);
    assert_true(str_split(&rest, ',', &part));
    assert_true(str_is(part, "b"));
    assert_true(str_split(&rest, ',', &part));
    assert_int_equal(part.n, 0);
    assert_false(str_split(&rest, ',', &part));
    assert_false(str_split(&rest, ',', &part));
}

static void
numbers_are_whole_and_in_range(void **state)
{
    uint64_t u;
    int64_t i;
    assert_int_equal(str_to_u64(STR("18446744073709551615"), &u), 0);
    assert_true(u == UINT64_MAX);
    static const char *const bad[] = { "", "18446744073709551616", "99999999999999999999", "+1",
        "-1", " 1", "1 ", "0x1", "1a" };
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        assert_int_equal(str_to_u64(str_of(bad[n]), &u), -1);
    assert_int_equal(str_to_i64(STR("-9223372036854775808"), &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(str_to_i64(STR("9223372036854775807"), &i), 0);
    assert_true(i == INT64_MAX);
    assert_int_equal(str_to_i64(STR("9223372036854775808"), &i), -1);
    assert_int_equal(str_to_i64(STR("-9223372036854775809"), &i), -1);
    assert_int_equal(str_to_i64(STR("-"), &i), -1);
    assert_int_equal(str_to_i64(STR("--1"), &i), -1);
    assert_int_equal(str_to_i64(STR("+1"), &i), -1);
    assert_int_equal(str_to_i64(STR("-0"), &i), 0);
    assert_true(i == 0);
}

static void
copy_cuts_and_says_so(void **state)
{
    char to[4];
    assert_true(str_copy(to, sizeof to, STR("abc")));
    assert_string_equal(to, "abc");
    assert_false(str_copy(to, sizeof to, STR("abcd")));
    assert_string_equal(to, "abc");
    assert_true(str_copy(to, sizeof to, STR_NONE));
    assert_string_equal(to, "");
}

static bool
valid(const char *z)
{
    /* A copy of exact size, so that a sanitizer sees a read past the end. */
    size_t n = strlen(z);
    char *p = malloc(n ? n : 1);
    assert_non_null(p);
    memcpy(p, z, n);
    bool answer = utf8_is_valid(p, n);
    free(p);
    return answer;
}

static void
utf8_is_rfc3629(void **state)
{
    static const char *const good[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "a long plain text and \xe2\x82\xac at its end", "12345678\xf0\x9f\x98\x80zyxwvuts" };
    static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z",
        "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xe2\x82z",
        "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
        "12345678\x80", "a long plain text and then \xff", "12345678\xf0\x9f\x98" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(valid(bad[i]));
    assert_true(utf8_is_valid("a\0b", 3));
    assert_int_equal(utf8_char("\xe2\x82\xac", 3), 3);
    assert_int_equal(utf8_char("", 0), 0);
}

/* Every code point, encoded by hand, is accepted exactly when it is no surrogate. */
static void
utf8_accepts_every_code_point(void **state)
{
    for (uint32_t c = 0x80; c < 0x110000; c++) {
        char t[4];
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
        for (size_t i = n; i-- > 1;)
            t[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 63));
        t[0] = (char)(lead[n] | c >> 6 * (n - 1));
        bool surrogate = c >= 0xd800 && c < 0xe000;
        if (utf8_char(t, n) != (surrogate ? 0 : n))
            fail_msg("U+%04X", c);
    }
}

static void
cut_never_ends_inside_a_character(void **state)
{
    const char *z = "ab\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t expected[] = { 0, 1, 2, 2, 2, 5, 5, 5, 5, 9, 9 };
    for (size_t max = 0; max < sizeof expected / sizeof *expected; max++)
        assert_int_equal(utf8_cut(z, 9, max), expected[max]);
    assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

static void
distance_is_levenshteins(void **state)
{
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
    assert_int_equal(str_distance(STR("abc"), STR("")), 3);
    assert_int_equal(str_distance(STR("wiat_max"), STR("wait_max")), 2);
    assert_int_equal(str_distance(STR("same"), STR("same")), 0);
    char a[65];
    memset(a, 'a', sizeof a);
    assert_int_equal(str_distance((struct str){ a, 64 }, STR("")), 64);
    assert_int_equal(str_distance((struct str){ a, 65 }, (struct str){ a, 65 }), 64);
}

static void
error_text_is_one_line_and_prefixed(void **state)
{
    struct err e;
    assert_int_equal(err_set(&e, "line %d:\nbad", 3), -1);
    assert_string_equal(e.text, "line 3: bad");
    assert_int_equal(err_prefix(&e, "%s", "config.yaml"), -1);
    assert_string_equal(e.text, "config.yaml: line 3: bad");
    err_set(&e, "again: %s", e.text); /* its own text as an argument */
    assert_string_equal(e.text, "again: config.yaml: line 3: bad");
    assert_int_equal(err_set(NULL, "x"), -1);
    assert_int_equal(err_prefix(NULL, "x"), -1);
}

static void
error_text_is_cut_at_a_character(void **state)
{
    struct err e;
    char long_text[600];
    memset(long_text, 'a', sizeof long_text);
    long_text[510] = '\xc3', long_text[511] = '\xa4', long_text[599] = '\0';
    err_set(&e, "%s", long_text);
    assert_int_equal(strlen(e.text), 510);
    err_prefix(&e, "p");
    assert_int_equal(strlen(e.text), 511);
    assert_memory_equal(e.text, "p: aaa", 6);
}

static void
clocks_skip_together(void **state)
{
    uint64_t mono = clock_ms();
    int64_t wall = clock_wall_ms();
    clock_skip_ms(3600000);
    assert_in_range(clock_ms() - mono, 3600000, 3660000);
    assert_in_range(clock_wall_ms() - wall, 3600000, 3660000);
    assert_in_range(clock_wall_s() - wall / 1000, 3599, 3660);
    clock_skip_ms(-3600000);
    uint64_t a = clock_ns(), b = clock_ns();
    assert_true(b >= a);
}

static void
rfc3339_is_utc_with_milliseconds(void **state)
{
    char text[32];
    clock_rfc3339(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_rfc3339(text, INT64_C(1767323045678));
    assert_string_equal(text, "2026-01-02T03:04:05.678Z");
    clock_rfc3339(text, -1);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    clock_rfc3339(text, INT64_MAX); /* absurd, but no overrun */
    assert_true(strlen(text) < 32);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_looks_at_length_and_bytes),
        cmocka_unit_test(trim_and_from_stay_inside),
        cmocka_unit_test(split_gives_every_part_once),
        cmocka_unit_test(numbers_are_whole_and_in_range),
        cmocka_unit_test(copy_cuts_and_says_so),
        cmocka_unit_test(utf8_is_rfc3629),
        cmocka_unit_test(utf8_accepts_every_code_point),
        cmocka_unit_test(cut_never_ends_inside_a_character),
        cmocka_unit_test(distance_is_levenshteins),
        cmocka_unit_test(error_text_is_one_line_and_prefixed),
        cmocka_unit_test(error_text_is_cut_at_a_character),
        cmocka_unit_test(clocks_skip_together),
        cmocka_unit_test(rfc3339_is_utc_with_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
