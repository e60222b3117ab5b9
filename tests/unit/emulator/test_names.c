/* Names that Snowflake tells apart must stay apart in a catalogue that ignores case. */
#include "emulator/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

static const char *const exact[] = { "ID", "id", "Id", "iD", "A_LONG_NAME_WITH_NUMBERS_123",
    "a long name with blanks", "Mixed \"Quotes\"", "ünï", "ÜNÏ", "x", "X", "aAaAaAaA", "AaAaAaAa",
    "ROWID", "USER", "MEMORY", "MAIN", "$odd", "1" };

#define COUNT (sizeof exact / sizeof exact[0])

static char *
spelled(const char *name)
{
    struct buf b;

    buf_init(&b, 1000);
    names_put(&b, str_of(name));
    char *text = buf_take(&b, NULL);
    assert_non_null(text);
    return text;
}

static void
different_names_differ_without_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < COUNT; k++) {
            char *a = spelled(exact[i]), *b = spelled(exact[k]);
            assert_int_equal(strcasecmp(a, b) == 0, i == k);
            free(a);
            free(b);
        }
    }
}

static void
what_is_shown_is_the_exact_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        char *a = spelled(exact[i]);
        names_show(a);
        assert_string_equal(a, exact[i]);
        free(a);
    }
}

static void
names_are_taken_out_of_a_longer_text(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    buf_put_z(&b, "column \"");
    names_put(&b, STR("Id"));
    buf_put_z(&b, "\" not found in ");
    names_put_quoted(&b, STR("a \"b"));
    char *text = buf_take(&b, NULL);
    names_show(text);
    assert_string_equal(text, "column \"Id\" not found in \"a \"\"b\"");
    free(text);
}

static void
upper_case_names_stay_as_they_are(void **state)
{
    (void)state;
    char *a = spelled("CUSTOMER_1");
    assert_string_equal(a, "CUSTOMER_1");
    free(a);
}

static void
a_mark_in_a_name_cannot_hide_anything(void **state)
{
    (void)state;
    char *a = spelled("AB\x1f"
                      "CD");
    names_show(a);
    assert_string_equal(a, "AB CD");
    free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(different_names_differ_without_case),
        cmocka_unit_test(what_is_shown_is_the_exact_name),
        cmocka_unit_test(names_are_taken_out_of_a_longer_text),
        cmocka_unit_test(upper_case_names_stay_as_they_are),
        cmocka_unit_test(a_mark_in_a_name_cannot_hide_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
