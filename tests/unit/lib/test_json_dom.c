/* test_json_dom.c - json_dom. */
#include "json_dom.h"
#include "must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct json *
parse(const char *text)
{
    struct json_fault f;
    /* No NUL behind it: the parser must go by the length. */
    size_t n = strlen(text);
    char *p = malloc(n ? n : 1);
    assert_non_null(p);
    memcpy(p, text, n);
    struct json *doc = json_parse((struct str){ p, n }, 100, &f);
    free(p);
    if (doc)
        assert_int_equal(f.kind, JSON_OK);
    return doc;
}

static void
values_have_their_type(void **state)
{
    struct json *doc =
        parse("{\"o\":{},\"a\":[],\"s\":\"x\",\"n\":1,\"t\":true,\"f\":false,\"z\":null}");
    assert_int_equal(json_type(doc), JSON_OBJECT);
    assert_int_equal(json_type(json_get(doc, "o")), JSON_OBJECT);
    assert_int_equal(json_type(json_get(doc, "a")), JSON_ARRAY);
    assert_int_equal(json_type(json_get(doc, "s")), JSON_STRING);
    assert_int_equal(json_type(json_get(doc, "n")), JSON_NUMBER);
    assert_int_equal(json_type(json_get(doc, "t")), JSON_BOOL);
    assert_int_equal(json_type(json_get(doc, "f")), JSON_BOOL);
    assert_int_equal(json_type(json_get(doc, "z")), JSON_NULL);
    assert_int_equal(json_type(json_get(doc, "S")), JSON_ABSENT); /* case counts */
    assert_int_equal(json_type(NULL), JSON_ABSENT);
    json_free(doc);
    json_free(NULL);
}

static void
lookups_on_anything_else_find_nothing(void **state)
{
    struct json *doc = parse("[1,[2],\"x\"]");
    assert_null(json_get(doc, "x"));
    assert_null(json_get(NULL, "x"));
    assert_null(json_first(json_following(json_following(json_first(doc)))));
    assert_null(json_first(NULL));
    assert_null(json_following(NULL));
    assert_string_equal(json_key(json_first(doc)), "");
    assert_string_equal(json_key(NULL), "");
    assert_int_equal(json_count(NULL), 0);
    json_free(doc);
}

static void
members_are_walked_in_order(void **state)
{
    struct json *doc = parse("{\"b\":1,\"\\u0061\":2,\"c\":3}");
    assert_int_equal(json_count(doc), 3);
    const struct json *m = json_first(doc);
    assert_string_equal(json_key(m), "b");
    m = json_following(m);
    assert_string_equal(json_key(m), "a");
    m = json_following(m);
    assert_string_equal(json_key(m), "c");
    assert_null(json_following(m));
    json_free(doc);
}

static void
scalars_are_read_exactly_or_not_at_all(void **state)
{
    struct json *doc =
        parse("[\"a\\u00e4\\ud83d\\ude00\",true,false,null,0,-5,1.0,1e3,9007199254740991,"
              "9007199254740993,1.5,1e400,\"7\"]");
    static const int64_t values[] = { 0, -5, 1, 1000, INT64_C(9007199254740991) };
    int64_t i;
    const struct json *v = json_first(doc);
    assert_true(str_is(json_string(v), "a\xc3\xa4\xf0\x9f\x98\x80"));
    assert_int_equal(json_integer(v, &i), -1);
    v = json_following(v);
    assert_true(json_bool(v, false));
    v = json_following(v);
    assert_false(json_bool(v, true));
    v = json_following(v);
    assert_true(json_bool(v, true)); /* null is neither */
    assert_null(json_string(v).p);
    assert_int_equal(json_integer(v, &i), -1);
    for (size_t n = 0; n < NELEM(values); n++) {
        v = json_following(v);
        assert_int_equal(json_integer(v, &i), 0);
        assert_true(i == values[n]);
        assert_true(json_bool(v, true));
    }
    for (int n = 0; n < 4; n++) { /* 2^53 + 1, 1.5, 1e400, "7" */
        v = json_following(v);
        assert_int_equal(json_integer(v, &i), -1);
    }
    assert_null(json_following(v));
    assert_int_equal(json_integer(NULL, &i), -1);
    assert_true(json_bool(NULL, true));
    json_free(doc);
}

static void
what_the_checker_refuses_is_not_parsed(void **state)
{
    static const struct {
        const char *text;
        enum json_fault_kind kind;
    } cases[] = {
        { "", JSON_SYNTAX },
        { "{} x", JSON_SYNTAX },
        { "01", JSON_SYNTAX },
        { "\xef\xbb\xbf{}", JSON_SYNTAX },
        { "\"\xff\"", JSON_UTF8 },
        { "\"\\u0000\"", JSON_NUL },
        { "{\"a\":[{\"b\":1,\"b\":2}]}", JSON_DUPLICATE },
        { "[[[[1]]]]", JSON_DEPTH },
    };
    for (size_t i = 0; i < NELEM(cases); i++) {
        struct json_fault f;
        assert_null(json_parse(str_of(cases[i].text), 3, &f));
        assert_int_equal(f.kind, cases[i].kind);
        assert_null(json_parse(str_of(cases[i].text), 3, NULL));
    }
}

static void
the_deepest_text_is_parsed(void **state)
{
    char deep[2000];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    struct json_fault f;
    struct json *doc = json_parse((struct str){ deep, sizeof deep }, 5000, &f);
    assert_non_null(doc);
    json_free(doc);
}

/* cJSON before 1.7.19 stops after 63 bytes of a number, patched ones do not: either it is read,
 * or the fault is the text's and not a lack of memory. */
static void
a_long_number_is_never_mistaken_for_lack_of_memory(void **state)
{
    for (size_t digits = 60; digits < 70; digits++) {
        char text[100] = "[1,";
        memset(text + 3, '9', digits);
        strcpy(text + 3 + digits, "]");
        for (int top_level = 0; top_level < 2; top_level++) {
            struct json_fault f;
            struct str s = top_level ? (struct str){ text + 3, digits } : str_of(text);
            struct json *doc = json_parse(s, 9, &f);
            if (!doc) {
                assert_true(digits > 63);
                assert_int_equal(f.kind, JSON_SYNTAX);
                assert_string_equal(f.message, "number of more than 63 characters");
            }
            json_free(doc);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_type),
        cmocka_unit_test(lookups_on_anything_else_find_nothing),
        cmocka_unit_test(members_are_walked_in_order),
        cmocka_unit_test(scalars_are_read_exactly_or_not_at_all),
        cmocka_unit_test(what_the_checker_refuses_is_not_parsed),
        cmocka_unit_test(the_deepest_text_is_parsed),
        cmocka_unit_test(a_long_number_is_never_mistaken_for_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
