/* test_buf.c - buf and arena. */
#include "arena.h"
#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
an_empty_buffer_is_an_empty_text(void **state)
{
    struct buf b;
    buf_init(&b, 10);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_str(&b).n, 0);
    assert_non_null(buf_str(&b).p);
    buf_drop_front(&b, 0);
    buf_truncate(&b, 0);
    buf_clear(&b);
    buf_fini(&b);
}

static void
appends_add_up(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_put(&b, "ab", 2);
    buf_put_str(&b, STR("cd"));
    buf_put_str(&b, STR_NONE);
    buf_put_z(&b, "ef");
    buf_put_c(&b, ' ');
    buf_put_u64(&b, UINT64_MAX);
    buf_put_c(&b, ' ');
    buf_put_i64(&b, INT64_MIN);
    buf_put_c(&b, ' ');
    buf_put_u64(&b, 0);
    buf_printf(&b, " %s-%d", "x", 7);
    assert_string_equal(buf_text(&b), "abcdef 18446744073709551615 -9223372036854775808 0 x-7");
    assert_int_equal(b.len, strlen(buf_text(&b)));
    assert_false(b.failed);
    buf_fini(&b);
    assert_null(b.p);
}

static void
the_maximum_is_exact_and_failure_sticks(void **state)
{
    struct buf b;
    buf_init(&b, 5);
    buf_put_z(&b, "12345");
    assert_false(b.failed);
    buf_put_c(&b, '6');
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "12345");
    buf_truncate(&b, 1);
    buf_put_c(&b, '2'); /* there is room now, but it has failed */
    buf_printf(&b, "x");
    assert_null(buf_room(&b, 1));
    assert_string_equal(buf_text(&b), "1");
    buf_clear(&b);
    assert_false(b.failed);
    buf_put_z(&b, "ok");
    assert_string_equal(buf_text(&b), "ok");
    buf_fini(&b);
}

static void
printf_past_the_maximum_keeps_what_was_there(void **state)
{
    struct buf b;
    buf_init(&b, 300);
    buf_put_z(&b, "start");
    buf_printf(&b, "%400d", 1);
    assert_true(b.failed);
    assert_string_equal(buf_text(&b), "start");
    buf_clear(&b);
    buf_printf(&b, "%300d", 1); /* grows past the first 256 bytes, up to the very end */
    assert_false(b.failed);
    assert_int_equal(b.len, 300);
    assert_int_equal(strlen(buf_text(&b)), 300);
    buf_fini(&b);
}

static void
room_is_written_then_counted(void **state)
{
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 100; i++) {
        char *p = buf_room(&b, 1000);
        assert_non_null(p);
        memset(p, 'a' + i % 26, 1000);
        buf_grew(&b, 1000);
    }
    assert_int_equal(b.len, 100000);
    assert_int_equal(b.p[99999], 'a' + 99 % 26);
    assert_int_equal(b.p[100000], 0);
    assert_null(buf_room(&b, 1));
    buf_wipe(&b);
    assert_null(b.p);
}

static void
absurd_sizes_fail_and_do_not_overflow(void **state)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_put_z(&b, "x");
    assert_false(b.failed);
    assert_null(buf_room(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_clear(&b);
    assert_null(buf_room(&b, SIZE_MAX - 1));
    buf_fini(&b);
}

static void
dropping_the_front_keeps_the_rest(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    buf_put_z(&b, "hello world");
    buf_drop_front(&b, 6);
    assert_string_equal(buf_text(&b), "world");
    buf_drop_front(&b, 5);
    assert_string_equal(buf_text(&b), "");
    buf_fini(&b);
}

static void
take_gives_the_bytes_away(void **state)
{
    struct buf b;
    size_t n;
    buf_init(&b, 100);
    char *p = buf_take(&b, &n);
    assert_string_equal(p, "");
    assert_int_equal(n, 0);
    free(p);
    buf_put_z(&b, "mine");
    p = buf_take(&b, &n);
    assert_string_equal(p, "mine");
    assert_int_equal(n, 4);
    assert_int_equal(b.len, 0);
    free(p);
    buf_init(&b, 2);
    buf_put_z(&b, "ab");
    buf_put_z(&b, "c");
    assert_null(buf_take(&b, &n));
    assert_false(b.failed);
    buf_fini(&b);
}

static void
arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    struct arena *a = arena_new(1 << 20);
    assert_non_null(a);
    char *last = NULL;
    for (size_t n = 0; n < 3000; n += 7) {
        char *p = arena_alloc(a, n);
        assert_non_null(p);
        assert_ptr_not_equal(p, last);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0x55, n); /* the next round would see it, if it were handed out twice */
        last = p;
    }
    arena_free(a);
    arena_free(NULL);
}

static void
arena_copies_and_prints(void **state)
{
    struct arena *a = arena_new(100000);
    assert_string_equal(arena_copy(a, STR("abc")), "abc");
    assert_string_equal(arena_copy(a, STR_NONE), "");
    struct str s = arena_str(a, STR("a\0b"));
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b", 4);
    assert_string_equal(arena_printf(a, "%s=%d", "x", 5), "x=5");
    char *wide = arena_printf(a, "%9000d", 5); /* more than a block */
    assert_int_equal(strlen(wide), 9000);
    assert_string_equal(arena_printf(a, "still"), "still");
    arena_free(a);
}

static void
arena_is_bounded(void **state)
{
    struct arena *a = arena_new(10000);
    assert_null(arena_alloc(a, 10001));
    assert_non_null(arena_alloc(a, 9000));
    assert_null(arena_alloc(a, 1001));
    assert_null(arena_copy(a, (struct str){ "", 2000 }));
    assert_null(arena_str(a, (struct str){ "", 2000 }).p);
    assert_null(arena_printf(a, "%2000d", 1));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_non_null(arena_alloc(a, 500));
    arena_reset(a);
    assert_non_null(arena_alloc(a, 10000));
    arena_free(a);
}

static void
reset_reuses_the_first_block(void **state)
{
    struct arena *a = arena_new(1 << 20);
    char *first = arena_alloc(a, 100);
    memset(first, 1, 100);
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(a, 4000));
    arena_reset(a);
    char *again = arena_alloc(a, 100);
    assert_ptr_equal(first, again);
    for (int i = 0; i < 100; i++)
        assert_int_equal(again[i], 0);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(appends_add_up),
        cmocka_unit_test(the_maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(printf_past_the_maximum_keeps_what_was_there),
        cmocka_unit_test(room_is_written_then_counted),
        cmocka_unit_test(absurd_sizes_fail_and_do_not_overflow),
        cmocka_unit_test(dropping_the_front_keeps_the_rest),
        cmocka_unit_test(take_gives_the_bytes_away),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_copies_and_prints),
        cmocka_unit_test(arena_is_bounded),
        cmocka_unit_test(reset_reuses_the_first_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
