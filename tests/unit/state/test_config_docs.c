/* The sample files and the manual page are those that the table generates, and the samples load. */
#include "state/config_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { DOC_MAX = 1 << 20 };

/* Where the sources are: the build's current folder unless SRCDIR says otherwise. */
static void
compare(const char *name, void (*write)(struct buf *out), const char *how)
{
    const char *root = getenv("SRCDIR");
    char path[512];
    struct buf want;

    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("%s is not here: run from the top of the sources, or set SRCDIR\n", path);
        skip();
        return;
    }
    char *have = malloc(DOC_MAX);
    assert_non_null(have);
    size_t n = fread(have, 1, DOC_MAX - 1, f);
    have[n] = '\0';
    fclose(f);
    buf_init(&want, DOC_MAX);
    write(&want);
    assert_false(want.failed);
    if (strcmp(have, buf_text(&want)) != 0)
        fail_msg("%s is not up to date: run snowflake-mcp --dump-docs %s > %s", name, how, name);
    free(have);
    buf_fini(&want);
}

static void
the_sample_yaml_is_up_to_date(void **state)
{
    compare("etc/config.example.yaml", config_write_yaml, "yaml");
}
static void
the_sample_env_is_up_to_date(void **state)
{
    compare("etc/env.example", config_write_env, "env");
}
static void
the_manual_page_is_up_to_date(void **state)
{
    compare("man/snowflake-mcp.yaml.5", config_write_man, "man");
}

/* The text with the comment signs before settings taken away. */
static void
uncomment(struct buf *to, const char *from, bool yaml)
{
    while (*from) {
        size_t line = strcspn(from, "\n");
        const char *hash = memchr(from, '#', line);
        if (hash && hash + 1 < from + line && hash[1] != ' ' && (!yaml || hash == from + 2)) {
            buf_put(to, from, (size_t)(hash - from));
            buf_put(to, hash + 1, line - (size_t)(hash + 1 - from));
        } else {
            buf_put(to, from, line);
        }
        buf_put_c(to, '\n');
        from += line + (from[line] == '\n');
    }
}

/* Every default is a value that its own setting accepts, under the name that is printed. */
static void
uncommented_samples_give_the_defaults(void **state)
{
    static const char *const base[] = { "SNOWFLAKE_HOST=h", "SNOWFLAKE_PASSWORD=x",
        "SNOWFLAKE_AUTHENTICATOR=token", "SNOWFLAKE_PRIVATE_KEY=x",
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE=x", NULL };
    char *const *environ_ = (char *const *)(uintptr_t)base;
    struct buf sample, text, problems, printed[3];

    buf_init(&problems, 1 << 16);
    for (int i = 0; i < 3; i++) {
        buf_init(&sample, DOC_MAX);
        buf_init(&text, DOC_MAX);
        buf_init(&printed[i], DOC_MAX);
        if (i == 1)
            config_write_yaml(&sample);
        if (i == 2)
            config_write_env(&sample);
        uncomment(&text, buf_text(&sample), i == 1);
        struct config *c = config_load_texts(i == 1 ? text.p : NULL, text.len,
            i == 2 ? text.p : NULL, text.len, environ_, &problems);
        if (!c || problems.len)
            fail_msg("sample %d: %s", i, buf_text(&problems));
        for (unsigned k = 0; k < config_lines_count; k++) {
            if (config_lines[k].section)
                continue;
            buf_printf(&printed[i], "%s: ", config_lines[k].path);
            config_put_value(&printed[i], c, &config_lines[k]);
            buf_put_c(&printed[i], '\n');
        }
        config_free(c);
        buf_fini(&sample);
        buf_fini(&text);
    }
    assert_string_equal(buf_text(&printed[1]), buf_text(&printed[0]));
    assert_string_equal(buf_text(&printed[2]), buf_text(&printed[0]));
    for (int i = 0; i < 3; i++)
        buf_fini(&printed[i]);
    buf_fini(&problems);
}

static void
names_are_declared_once_and_fit_their_sections(void **state)
{
    const char *section = "";

    for (unsigned k = 0; k < config_lines_count; k++) {
        const struct config_option *o = &config_lines[k];
        enum config_plain plain;
        bool alias;
        if (o->section) {
            section = o->section;
            continue;
        }
        assert_ptr_equal(config_by_path(str_of(o->path)), o);
        assert_ptr_equal(config_by_env(str_of(o->env), &plain, &alias), o);
        assert_false(alias);
        assert_int_equal(strncmp(o->path, section, strlen(section)), 0);
        assert_ptr_equal(strrchr(o->path, '.'), o->path + strlen(section));
        assert_null(config_absent(str_of(o->env)));
        if (o->kind == CONFIG_NUM)
            assert_true(o->min <= o->dflt && o->dflt <= o->max);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_yaml_is_up_to_date),
        cmocka_unit_test(the_sample_env_is_up_to_date),
        cmocka_unit_test(the_manual_page_is_up_to_date),
        cmocka_unit_test(uncommented_samples_give_the_defaults),
        cmocka_unit_test(names_are_declared_once_and_fit_their_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
