/* test_json_text.c - json_text and json_check. */
#include "json_text.h"
#include "must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* Checks a copy of exact size, so that a sanitizer sees a read past the end. */
static enum json_fault_kind
check_at(struct str s, unsigned max_depth, unsigned dup_depth, struct json_fault *f)
{
    char *p = malloc(s.n ? s.n : 1);
    assert_non_null(p);
    if (s.n)
        memcpy(p, s.p, s.n);
    int r = json_check((struct str){ p, s.n }, max_depth, dup_depth, f);
    free(p);
    assert_int_equal(r, f->kind == JSON_OK ? 0 : -1);
    assert_true(f->offset <= s.n);
    assert_true((f->message[0] != '\0') == (r != 0));
    return f->kind;
}

static enum json_fault_kind
check(struct str s)
{
    struct json_fault f;
    return check_at(s, 100, 100, &f);
}

static void
rfc8259_texts_pass(void **state)
{
    static const char *const good[] = { "null", "true", "false", "0", "-0", "1.5e+10", "1E5",
        "0.1e-7", "123456789012345678901234567890123456789012345678901234567890123456789", "\"\"",
        "\"a\"", " \t\r\n1 \t\r\n", "[]", "[ ]", "{}", "{ }", "[1,2]", "[[],{}]",
        "{\"a\":1,\"b\":[true,null]}", " { \"a\" : 1 , \"b\" : 2 } ",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0001\\uFFFF\\uabCD\"", "\"\\uD83D\\ude00\"",
        "\"\\ud7ff\\ue000\"", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\x7f\"",
        "\"a long string of more than sixteen bytes, \xe2\x82\xac included\"", "{\"\":0}",
        "{\"a\":{\"a\":{\"a\":1}}}", "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2}" };
    for (size_t i = 0; i < NELEM(good); i++)
        if (check(str_of(good[i])) != JSON_OK)
            fail_msg("refused: %s", good[i]);
}

static void
everything_else_is_a_syntax_fault(void **state)
{
    static const char *const bad[] = { "", " ", "nul", "nulll", "True", "NaN", "Infinity",
        "-Infinity", "01", "-01", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x10", "1_000", "00",
        "1 2", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{1:2}", "{a:1}",
        "{'a':1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
        "{\"a\":1]", "{}}", "[]]", "{}x", "\"", "\"a", "\"\\\"", "\"\\", "\"\\x41\"", "\"\\u12\"",
        "\"\\u12g4\"", "\"\\u\"", "\"\\U0041\"", "\"\n\"", "\"\t\"", "\"a control\x1f character\"",
        "'a'", "// x\n1", "/**/1", "1//", "\xef\xbb\xbf{}", "\xa0z", "\f1", "[1\v]", "\"\\ud8\"",
        "undefined", "{\"a\":1}{\"b\":2}", "nan", "tru\"e\"" };
    for (size_t i = 0; i < NELEM(bad); i++)
        if (check(str_of(bad[i])) != JSON_SYNTAX)
            fail_msg("not a syntax fault: %s", bad[i]);
    assert_int_equal(check(STR("1\0")), JSON_SYNTAX);
    assert_int_equal(check(STR("\0")), JSON_SYNTAX);
    assert_int_equal(check(STR("\"a\0b\"")), JSON_SYNTAX);
    assert_int_equal(check(STR("\"\\\0\"")), JSON_SYNTAX);
    assert_int_equal(check(STR("{\"a\":1\0}")), JSON_SYNTAX);
    assert_int_equal(check(STR_NONE), JSON_SYNTAX);
}

static void
bad_utf8_and_lone_surrogates_are_told_apart(void **state)
{
    static const char *const bad[] = { "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
        "\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"", "{\"\x80\":1}", "\"\\ud800\"", "\"\\udc00\"",
        "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\ud800\"", "\"\\udc00\\ud800\"",
        "\"\\ud83d\\u0041\"", "\"sixteen plain bytes and then \xe2\x28\xa1\"" };
    for (size_t i = 0; i < NELEM(bad); i++)
        if (check(str_of(bad[i])) != JSON_UTF8)
            fail_msg("not a UTF-8 fault: %s", bad[i]);
}

static void
an_escaped_nul_is_refused(void **state)
{
    struct json_fault f;
    assert_int_equal(check_at(STR("{\"a\":\"x\\u0000y\"}"), 10, 10, &f), JSON_NUL);
    assert_int_equal(f.offset, 7);
    assert_int_equal(check(STR("{\"\\u0000\":1}")), JSON_NUL);
    assert_int_equal(check(STR("\"\\\\u0000\"")), JSON_OK); /* a backslash, then plain text */
}

static void
depth_counts_arrays_and_objects(void **state)
{
    struct json_fault f;
    assert_int_equal(check_at(STR("1"), 0, 0, &f), JSON_OK);
    assert_int_equal(check_at(STR("[]"), 0, 0, &f), JSON_DEPTH);
    assert_int_equal(check_at(STR("[{}]"), 2, 0, &f), JSON_OK);
    assert_int_equal(check_at(STR("[{\"a\":[]}]"), 2, 0, &f), JSON_DEPTH);
    assert_int_equal(f.offset, 6);
    char deep[5000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(check_at((struct str){ deep, sizeof deep }, 1 << 30, 0, &f), JSON_DEPTH);
    memset(deep + 1000, ']', 1000);
    assert_int_equal(check_at((struct str){ deep, 2000 }, 1 << 30, 0, &f), JSON_OK);
}

static void
duplicate_keys_are_found_after_unescaping(void **state)
{
    struct json_fault f;
    assert_int_equal(check_at(STR("{\"a\":1,\"b\":2,\"a\":3}"), 9, 9, &f), JSON_DUPLICATE);
    assert_int_equal(f.offset, 13);
    assert_string_equal(f.message, "duplicate key");
    assert_int_equal(check(STR("{\"a\":1,\"\\u0061\":3}")), JSON_DUPLICATE);
    assert_int_equal(check(STR("{\"\\u0061\":1,\"a\":3}")), JSON_DUPLICATE);
    assert_int_equal(check(STR("{\"\\/\":1,\"\\u002f\":3}")), JSON_DUPLICATE);
    assert_int_equal(check(STR("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":3}")), JSON_DUPLICATE);
    assert_int_equal(check(STR("{\"\":1,\"\":3}")), JSON_DUPLICATE);
    assert_int_equal(check(STR("{\"a\":{\"b\":1,\"c\":{},\"b\":2}}")), JSON_DUPLICATE);
    assert_int_equal(check(STR("[{\"x\":[{\"b\":1}],\"x\":2}]")), JSON_DUPLICATE);
    /* Keys of inner objects do not disturb the outer ones, escaped or not. */
    assert_int_equal(
        check(STR("{\"\\u0061\":{\"\\u0062\":1,\"a\":2},\"b\":{\"\\u0061\":1}}")), JSON_OK);
    assert_int_equal(
        check(STR("{\"\\u0061\":{\"\\u0062\":1},\"\\u0063\":{\"\\u0064\":1},\"a\":1}")),
        JSON_DUPLICATE);
    /* The first 16 bytes are the same. */
    assert_int_equal(check(STR("{\"0123456789abcdefX\":1,\"0123456789abcdefY\":1}")), JSON_OK);
}

static void
duplicates_are_searched_as_deep_as_asked(void **state)
{
    struct json_fault f;
    struct str s = STR("{\"x\":{\"a\":1,\"a\":2}}");
    assert_int_equal(check_at(s, 9, 2, &f), JSON_DUPLICATE);
    assert_int_equal(check_at(s, 9, 1, &f), JSON_OK);
    assert_int_equal(check_at(STR("{\"a\":{\"a\":1,\"a\":1},\"a\":2}"), 9, 1, &f), JSON_DUPLICATE);
    assert_int_equal(check_at(STR("{\"a\":1,\"a\":2}"), 9, 0, &f), JSON_OK);
}

/* n keys; the last one is key number `again` once more, unless that is negative. */
static void
put_keys(struct buf *b, int n, int again, bool escape)
{
    buf_clear(b);
    buf_put_c(b, '{');
    for (int i = 0; i < n; i++)
        buf_printf(b, "%s\"%sey%d\":{\"a\":%d}", i ? "," : "",
            escape && i % 3 == 0 ? "\\u006b" : "k", i, i);
    if (again >= 0)
        buf_printf(b, ",\"key%d\":0", again);
    buf_put_c(b, '}');
    assert_false(b->failed);
}

static void
many_keys_are_compared_too(void **state)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    for (int n = 1; n < 120; n++)
        for (int escape = 0; escape < 2; escape++) {
            put_keys(&b, n, -1, escape);
            assert_int_equal(check(buf_str(&b)), JSON_OK);
            put_keys(&b, n, n / 2, escape);
            struct json_fault f;
            assert_int_equal(check_at(buf_str(&b), 9, 9, &f), JSON_DUPLICATE);
            assert_memory_equal(b.p + f.offset, "\"key", 4);
            assert_true(f.offset > b.len - 14); /* the second of the two */
        }
    buf_fini(&b);
}

static double
cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void
very_many_keys_are_not_quadratic(void **state)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    put_keys(&b, 200000, -1, true);
    double start = cpu_s();
    assert_int_equal(check(buf_str(&b)), JSON_OK);
    assert_true(cpu_s() - start < 5.0); /* 0.1 s as a rule, minutes when quadratic */
    put_keys(&b, 200000, 150000, true);
    assert_int_equal(check(buf_str(&b)), JSON_DUPLICATE);
    buf_fini(&b);
}

static void
members_are_found_by_their_unescaped_key(void **state)
{
    struct str o =
        STR(" { \"a\" : 1 , \"b\":{\"c\":\"}\\\"]\",\"a\":9}, \"\\u0063\" :[1,{\"x\":[2]}] ,"
            "\"d\":\"x\\\\\",\"e\":-1.5e3}");
    assert_int_equal(check(o), JSON_OK);
    assert_true(str_is(json_member(o, "a"), "1"));
    assert_true(str_is(json_member(o, "b"), "{\"c\":\"}\\\"]\",\"a\":9}"));
    assert_true(str_is(json_member(o, "c"), "[1,{\"x\":[2]}]"));
    assert_true(str_is(json_member(o, "d"), "\"x\\\\\""));
    assert_true(str_is(json_member(o, "e"), "-1.5e3"));
    assert_null(json_member(o, "A").p);
    assert_null(json_member(o, "").p);
    assert_null(json_member(o, "\\u0063").p);
    assert_null(json_member(STR_NONE, "a").p);
    assert_null(json_member(STR("{}"), "a").p);
    assert_null(json_member(STR("[1]"), "a").p);
    assert_null(json_member(STR("\"a\""), "a").p);
    assert_true(str_is(json_member(STR("{\"\":7}"), ""), "7"));
}

static void
ids_keep_their_raw_bytes(void **state)
{
    struct str o = STR("{\"id\":9007199254740993,\"f\":1.0,\"s\":\"\\u0061\"}");
    assert_true(str_is(json_member(o, "id"), "9007199254740993"));
    assert_true(str_is(json_member(o, "f"), "1.0"));
    assert_true(str_is(json_member(o, "s"), "\"\\u0061\""));
}

static void
elements_come_in_order(void **state)
{
    static const char *const expected[] = { "1", "\",]\"", "[ 2 , [3] ]", "{\"a\":[]}", "null" };
    struct str a = STR("[1, \",]\" ,[ 2 , [3] ],{\"a\":[]} , null ]"), e;
    size_t at = 0, n = 0;
    while (json_next_element(a, &at, &e)) {
        assert_true(n < NELEM(expected));
        assert_true(str_is(e, expected[n++]));
    }
    assert_int_equal(n, NELEM(expected));
    assert_false(json_next_element(a, &at, &e));
    at = 0;
    assert_false(json_next_element(STR("[]"), &at, &e));
    assert_false(json_next_element(STR(" [ ] "), &at, &e));
    assert_false(json_next_element(STR("{\"a\":1}"), &at, &e));
    assert_false(json_next_element(STR("1"), &at, &e));
    assert_false(json_next_element(STR_NONE, &at, &e));
}

static void
members_come_in_order(void **state)
{
    struct str o = STR("{\"a\":1, \"b\" : [2] }"), k, v;
    size_t at = 0;
    assert_true(json_next_member(o, &at, &k, &v));
    assert_true(str_is(k, "\"a\"") && str_is(v, "1"));
    assert_true(json_next_member(o, &at, &k, &v));
    assert_true(str_is(k, "\"b\"") && str_is(v, "[2]"));
    assert_false(json_next_member(o, &at, &k, &v));
    assert_false(json_next_member(o, &at, &k, &v));
}

static void
the_first_byte_tells_the_type(void **state)
{
    assert_int_equal(json_type_of(STR(" \n{}")), JSON_OBJECT);
    assert_int_equal(json_type_of(STR("[]")), JSON_ARRAY);
    assert_int_equal(json_type_of(STR("\"x\"")), JSON_STRING);
    assert_int_equal(json_type_of(STR("-1")), JSON_NUMBER);
    assert_int_equal(json_type_of(STR("7")), JSON_NUMBER);
    assert_int_equal(json_type_of(STR("true")), JSON_BOOL);
    assert_int_equal(json_type_of(STR("false")), JSON_BOOL);
    assert_int_equal(json_type_of(STR("null")), JSON_NULL);
    assert_int_equal(json_type_of(STR(" ")), JSON_ABSENT);
    assert_int_equal(json_type_of(STR_NONE), JSON_ABSENT);
    assert_int_equal(json_type_of(STR("x")), JSON_ABSENT);
}

static void
assert_unescaped(const char *raw, const char *expected)
{
    struct buf b;
    buf_init(&b, 1000);
    json_unescape(&b, str_of(raw));
    assert_string_equal(buf_text(&b), expected);
    buf_fini(&b);
}

static void
unescaping_decodes_every_escape(void **state)
{
    assert_unescaped("\"\"", "");
    assert_unescaped("\"plain\"", "plain");
    assert_unescaped("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    assert_unescaped(
        "\"a\\u0041\\u00e4\\u20AC\\ud83d\\ude00z\"", "aA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
    /* Unchecked text: replaced, and nothing is read past the end. */
    assert_unescaped("\"\\ud83d\"", "\xef\xbf\xbd");
    assert_unescaped("\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                           "A");
    assert_unescaped("\"\\u12\"", "\xef\xbf\xbd");
    assert_unescaped("\"", "");
    assert_unescaped("", "");
}

static void
assert_written(struct str s, const char *expected)
{
    struct buf b;
    buf_init(&b, 1000);
    json_put_string(&b, s);
    assert_string_equal(buf_text(&b), expected);
    struct json_fault f;
    assert_int_equal(json_check(buf_str(&b), 0, 0, &f) == 0, memchr(s.p, 0, s.n) == NULL);
    buf_fini(&b);
}

static void
written_strings_are_valid_json(void **state)
{
    assert_written(STR(""), "\"\"");
    assert_written(
        STR("plain, and longer than sixteen bytes"), "\"plain, and longer than sixteen bytes\"");
    assert_written(
        STR("\"\\/\b\f\n\r\t\x01\x1f\x7f"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    assert_written(STR("\xc3\xa4 \xf0\x9f\x98\x80"), "\"\xc3\xa4 \xf0\x9f\x98\x80\"");
    assert_written(
        STR("a\xff\xe2\x82z\xc3"), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\"");
    assert_written(STR("a\0b"), "\"a\\u0000b\"");
    struct buf b;
    buf_init(&b, 100);
    json_put_z(&b, "x");
    json_put_string(&b, STR_NONE);
    json_put_string_body(&b, STR("a\"b"));
    assert_string_equal(buf_text(&b), "\"x\"\"\"a\\\"b");
    buf_fini(&b);
    buf_init(&b, 4);
    json_put_string(&b, STR("abc"));
    assert_true(b.failed);
    buf_fini(&b);
}

static void
json_inside_a_json_string_comes_back(void **state)
{
    struct buf inner, outer, back;
    buf_init(&inner, 1000);
    buf_init(&outer, 1000);
    buf_init(&back, 1000);
    json_put_string(&inner, STR("a \"quoted\" \\ word\n\x01 \xe2\x82\xac"));
    json_put_string(&outer, buf_str(&inner));
    json_unescape(&back, buf_str(&outer));
    assert_string_equal(buf_text(&back), buf_text(&inner));
    buf_fini(&inner);
    buf_fini(&outer);
    buf_fini(&back);
}

static void
every_byte_at_every_place_survives_writing(void **state)
{
    struct buf b, back;
    buf_init(&b, 1000);
    buf_init(&back, 1000);
    for (unsigned c = 1; c < 128; c++)
        for (size_t n = 1; n < 40; n++) {
            char text[40];
            memset(text, 'x', n);
            text[n - 1] = (char)c;
            buf_clear(&b);
            buf_clear(&back);
            json_put_string(&b, (struct str){ text, n });
            assert_int_equal(check(buf_str(&b)), JSON_OK);
            json_unescape(&back, buf_str(&b));
            assert_true(str_eq(buf_str(&back), (struct str){ text, n }));
        }
    buf_fini(&b);
    buf_fini(&back);
}

static void
number_literals_are_recognised(void **state)
{
    static const char *const good[] = { "0", "-0", "10", "1.5", "-1.5E+3", "0e0" };
    static const char *const bad[] = { "", "-", "01", "1.", ".1", "1e", "+1", " 1", "1 ", "1x",
        "NaN" };
    for (size_t i = 0; i < NELEM(good); i++)
        assert_true(json_is_number(str_of(good[i])));
    for (size_t i = 0; i < NELEM(bad); i++)
        assert_false(json_is_number(str_of(bad[i])));
    assert_false(json_is_number(STR_NONE));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc8259_texts_pass),
        cmocka_unit_test(everything_else_is_a_syntax_fault),
        cmocka_unit_test(bad_utf8_and_lone_surrogates_are_told_apart),
        cmocka_unit_test(an_escaped_nul_is_refused),
        cmocka_unit_test(depth_counts_arrays_and_objects),
        cmocka_unit_test(duplicate_keys_are_found_after_unescaping),
        cmocka_unit_test(duplicates_are_searched_as_deep_as_asked),
        cmocka_unit_test(many_keys_are_compared_too),
        cmocka_unit_test(very_many_keys_are_not_quadratic),
        cmocka_unit_test(members_are_found_by_their_unescaped_key),
        cmocka_unit_test(ids_keep_their_raw_bytes),
        cmocka_unit_test(elements_come_in_order),
        cmocka_unit_test(members_come_in_order),
        cmocka_unit_test(the_first_byte_tells_the_type),
        cmocka_unit_test(unescaping_decodes_every_escape),
        cmocka_unit_test(written_strings_are_valid_json),
        cmocka_unit_test(json_inside_a_json_string_comes_back),
        cmocka_unit_test(every_byte_at_every_place_survives_writing),
        cmocka_unit_test(number_literals_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
