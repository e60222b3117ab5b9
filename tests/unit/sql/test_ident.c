/* test_ident.c - names and literals stay inside the quotes they are written in. */
#include "must.h"
#include "sql/ident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
a_name_is_folded_taken_or_quoted(void **state)
{
    static const struct {
        const char *name, *sql;
    } cases[] = {
        { "customer", "\"CUSTOMER\"" },
        { "_a1$", "\"_A1$\"" },
        { "select", "\"SELECT\"" },
        { "\"Customer\"", "\"Customer\"" },
        { "\"my \"\"x\"\"\"", "\"my \"\"x\"\"\"" },
        { "\"a.b\"", "\"a.b\"" },
        { "my table", "\"my table\"" },
        { "a.b", "\"a.b\"" },
        { "my-Table", "\"my-Table\"" },
        { "1a", "\"1a\"" },
        { "$a", "\"$a\"" },
        { "caf\xC3\xA9", "\"caf\xC3\xA9\"" },
        { "a\"b", "\"a\"\"b\"" },
        { "x\"; drop table t --", "\"x\"\"; drop table t --\"" },
        { "a\\", "\"a\\\"" },
        { " a", "\" a\"" },
    };
    struct err e;
    struct buf b;

    buf_init(&b, 1000);
    for (size_t i = 0; i < NELEM(cases); i++) {
        buf_clear(&b);
        assert_int_equal(sql_put_ident(&b, str_of(cases[i].name), &e), 0);
        assert_string_equal(buf_text(&b), cases[i].sql);
    }
    buf_fini(&b);
}

static void
a_bad_name_is_refused_with_a_sentence(void **state)
{
    static const struct str names[] = {
        { "", 0 },
        { "\"\"", 2 },
        { "\"", 1 },
        { "\"a", 2 },
        { "\"a\"b\"", 5 },
        { "\"a\"\"", 4 },
        { "a\0b", 3 },
        { "\"a\0b\"", 5 },
        { "\xFF", 1 },
        { NULL, 0 },
    };
    struct buf b;

    buf_init(&b, 1000);
    for (size_t i = 0; i < NELEM(names); i++) {
        struct err e = { "" };
        assert_int_equal(sql_put_ident(&b, names[i], &e), -1);
        assert_true(strlen(e.text) > 10);
        assert_int_equal(b.len, 0);
    }
    assert_int_equal(sql_put_ident(&b, STR(""), NULL), -1);
    buf_fini(&b);
}

static void
length_is_counted_in_characters(void **state)
{
    char name[600];
    struct buf b;
    struct err e;

    buf_init(&b, 4000);
    memset(name, 'a', sizeof name);
    assert_int_equal(sql_put_ident(&b, (struct str){ name, 255 }, &e), 0);
    assert_int_equal(sql_put_ident(&b, (struct str){ name, 256 }, &e), -1);
    memset(name, '"', sizeof name); /* a quoted name of quotes, each written twice */
    assert_int_equal(sql_put_ident(&b, (struct str){ name, 2 + 510 }, &e), 0);
    assert_int_equal(sql_put_ident(&b, (struct str){ name, 2 + 512 }, &e), -1);
    for (size_t i = 0; i < 256; i++)
        memcpy(name + 2 * i, "\xC3\xA9", 2);
    assert_int_equal(sql_put_ident(&b, (struct str){ name, 510 }, &e), 0);
    assert_int_equal(sql_put_ident(&b, (struct str){ name, 512 }, &e), -1);
    buf_fini(&b);
}

static void
a_qualified_name_splits_at_dots_outside_quotes(void **state)
{
    static const struct {
        const char *text, *sql;
    } cases[] = {
        { "t", "\"T\"" },
        { "db.schema.\"My Table\"", "\"DB\".\"SCHEMA\".\"My Table\"" },
        { " db . \"a.b\" . \"c\"\".d\" ", "\"DB\".\"a.b\".\"c\"\".d\"" },
        { "a\"b.c", "\"a\"\"b\".\"C\"" },
        { "my-db.x y", "\"my-db\".\"x y\"" },
        { "a..b", NULL },
        { ".a", NULL },
        { "a.", NULL },
        { "", NULL },
        { " ", NULL },
        { "a.b.c.d", NULL },
    };
    struct buf b;

    buf_init(&b, 1000);
    for (size_t i = 0; i < NELEM(cases); i++) {
        struct str parts[SQL_NAME_PARTS_MAX];
        struct err e = { "" };
        size_t n;

        int rc = sql_split_qualified(str_of(cases[i].text), parts, &n, &e);
        assert_int_equal(rc, cases[i].sql ? 0 : -1);
        if (rc != 0) {
            assert_true(strlen(e.text) > 10);
            continue;
        }
        buf_clear(&b);
        assert_int_equal(sql_put_qualified(&b, parts, n, &e), 0);
        assert_string_equal(buf_text(&b), cases[i].sql);
    }
    buf_fini(&b);
}

static void
a_string_stays_in_its_quotes(void **state)
{
    static const struct {
        struct str value;
        const char *sql;
    } cases[] = {
        { { "", 0 }, "''" },
        { { "it's", 4 }, "'it''s'" },
        { { "a\\", 2 }, "'a\\\\'" },
        { { "\\'; drop table t --", 19 }, "'\\\\''; drop table t --'" },
        { { "a\nb", 3 }, "'a\nb'" },
        { { "a\0"
            "1",
              3 },
            "'a\\x001'" },
        { { "$$", 2 }, "'$$'" },
    };
    struct err e;
    struct buf b;

    buf_init(&b, 1000);
    for (size_t i = 0; i < NELEM(cases); i++) {
        buf_clear(&b);
        assert_int_equal(sql_put_string(&b, cases[i].value, &e), 0);
        assert_string_equal(buf_text(&b), cases[i].sql);
    }
    buf_clear(&b);
    assert_int_equal(sql_put_string(&b, STR("\xC3"), &e), -1);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_folded_taken_or_quoted),
        cmocka_unit_test(a_bad_name_is_refused_with_a_sentence),
        cmocka_unit_test(length_is_counted_in_characters),
        cmocka_unit_test(a_qualified_name_splits_at_dots_outside_quotes),
        cmocka_unit_test(a_string_stays_in_its_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
