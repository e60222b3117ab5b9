/* The command line: what is understood, and what the error names. */
#include "proc/options.h"

#include "must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct options o;
static struct err e;

static int
parse(const char *a, const char *b, const char *c)
{
    static char copies[4][64];
    char *argv[5] = { copies[0] };
    const char *given[] = { a, b, c };
    int argc = 1;
    memset(&e, 0, sizeof e);
    strcpy(copies[0], "snowflake-mcp");
    for (size_t i = 0; i < NELEM(given) && given[i] != NULL; i++) {
        snprintf(copies[i + 1], sizeof copies[0], "%s", given[i]);
        argv[argc++] = copies[i + 1];
    }
    return options_parse(&o, argc, argv, &e);
}

static void
nothing_means_serve_with_the_default_file(void **state)
{
    assert_int_equal(parse(NULL, NULL, NULL), 0);
    assert_int_equal(o.job, JOB_SERVE);
    assert_null(o.config_file);
}

static void
a_value_may_follow_or_be_attached(void **state)
{
    assert_int_equal(parse("--config", "/a/b.yaml", NULL), 0);
    assert_string_equal(o.config_file, "/a/b.yaml");
    assert_int_equal(parse("--config=/c.yaml", "--check-config", NULL), 0);
    assert_string_equal(o.config_file, "/c.yaml");
    assert_int_equal(o.job, JOB_CHECK_CONFIG);
    assert_int_equal(parse("--dump-docs", "man", NULL), 0);
    assert_int_equal(o.job, JOB_DUMP_DOCS);
    assert_int_equal(o.document, DOCUMENT_MAN);
}

static void
a_typing_error_is_answered_with_the_nearest_option(void **state)
{
    assert_int_equal(parse("--chek-config", NULL, NULL), -1);
    assert_non_null(strstr(e.text, "did you mean --check-config?"));
    assert_int_equal(parse("--frobnicate", NULL, NULL), -1);
    assert_non_null(strstr(e.text, "unknown option --frobnicate"));
    assert_null(strstr(e.text, "did you mean"));
}

static void
what_cannot_be_is_refused(void **state)
{
    assert_int_equal(parse("--config", NULL, NULL), -1);
    assert_non_null(strstr(e.text, "--config needs a value"));
    assert_int_equal(parse("--config=", NULL, NULL), -1);
    assert_int_equal(parse("--demo=yes", NULL, NULL), -1);
    assert_non_null(strstr(e.text, "takes no value"));
    assert_int_equal(parse("--demo", "--config", "x.yaml"), -1);
    assert_non_null(strstr(e.text, "--demo reads no configuration file"));
    assert_int_equal(parse("--demo", "--check-config", NULL), -1);
    assert_non_null(strstr(e.text, "exclude each other"));
    assert_int_equal(parse("serve", NULL, NULL), -1);
    assert_non_null(strstr(e.text, "unexpected argument serve"));
    assert_int_equal(parse("--dump-docs", "html", NULL), -1);
    assert_non_null(strstr(e.text, "yaml, env and man"));
    assert_int_equal(parse("--stdio", NULL, NULL), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_means_serve_with_the_default_file),
        cmocka_unit_test(a_value_may_follow_or_be_attached),
        cmocka_unit_test(a_typing_error_is_answered_with_the_nearest_option),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
