/* options.c - reads the command line of snowflake-mcp.
 *
 * Runs once, in main, before anything else.  Must never guess: what is not understood is an error
 * that names the nearest option. */
#include "proc/options.h"

#include "must.h"
#include "str.h"

#include <stdlib.h>

static const struct option {
    const char *name;
    enum options_job job;
    bool value;
} table[] = {
    { "--config", JOB_SERVE, true },
    { "--demo", JOB_DEMO, false },
    { "--check-config", JOB_CHECK_CONFIG, false },
    { "--print-config", JOB_PRINT_CONFIG, false },
    { "--dump-docs", JOB_DUMP_DOCS, true },
    { "--version", JOB_VERSION, false },
    { "--help", JOB_HELP, false },
};

const char options_help[] =
    "usage: snowflake-mcp [--config FILE] [--demo | --check-config | --print-config]\n"
    "\n"
    "Serves read-only access to Snowflake over the Model Context Protocol.\n"
    "\n"
    "  --config FILE     settings (default: config.yaml in the installation folder);\n"
    "                    .env is read from the same folder\n"
    "  --demo            serve sample data from snowflake-emulator; reads no file\n"
    "  --check-config    report every problem of the configuration and exit (0 or 2)\n"
    "  --print-config    print each setting, its value and where it comes from\n"
    "  --dump-docs WHAT  print a generated document: yaml, env or man\n"
    "  --version         print the version\n"
    "  --help            print this text\n"
    "\n"
    "Each setting is described in snowflake-mcp.yaml(5), signals and exit codes in\n"
    "snowflake-mcp(8).\n";

static const struct option *
find(struct str name)
{
    for (size_t i = 0; i < NELEM(table); i++)
        if (str_is(name, table[i].name))
            return &table[i];
    return NULL;
}

static int
unknown(struct str name, struct err *e)
{
    const char *best = NULL;
    unsigned least = 4; /* further away it is no typing error */
    for (size_t i = 0; i < NELEM(table); i++) {
        unsigned d = str_distance(name, str_of(table[i].name));
        if (d < least) {
            least = d;
            best = table[i].name;
        }
    }
    if (best != NULL)
        return err_set(e, "unknown option %.*s (did you mean %s?)", STR_ARG(name), best);
    return err_set(e, "unknown option %.*s (--help lists them)", STR_ARG(name));
}

static int
parse_document(struct options *o, const char *text, struct err *e)
{
    static const char *const names[] = { "yaml", "env", "man" };
    for (size_t i = 0; i < NELEM(names); i++)
        if (str_is(str_of(text), names[i])) {
            o->document = (enum options_document)i;
            return 0;
        }
    return err_set(e, "--dump-docs %s: there are yaml, env and man", text);
}

static int
set_job(struct options *o, const struct option *opt, const char **chosen, struct err *e)
{
    if (*chosen != NULL && find(str_of(*chosen))->job != opt->job)
        return err_set(e, "%s and %s exclude each other", *chosen, opt->name);
    *chosen = opt->name;
    o->job = opt->job;
    return 0;
}

int
options_parse(struct options *o, int argc, char *const *argv, struct err *e)
{
    const char *chosen = NULL;
    *o = (struct options){ .job = JOB_SERVE };
    for (int i = 1; i < argc; i++) {
        struct str arg = str_of(argv[i]), name = arg;
        if (!str_starts(arg, "-"))
            return err_set(e, "unexpected argument %s (--help lists the options)", argv[i]);
        const char *equals = strchr(argv[i], '=');
        if (equals != NULL)
            name.n = (size_t)(equals - arg.p);
        const struct option *opt = find(name);
        if (opt == NULL)
            return unknown(name, e);
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (!opt->value && value != NULL)
            return err_set(e, "%s takes no value", opt->name);
        if (opt->value && value == NULL && i + 1 < argc)
            value = argv[++i];
        if (opt->value && (value == NULL || *value == '\0'))
            return err_set(e, "%s needs a value", opt->name);

        if (opt->job == JOB_SERVE)
            o->config_file = value;
        else if (set_job(o, opt, &chosen, e) != 0)
            return -1;
        else if (opt->job == JOB_DUMP_DOCS && parse_document(o, value, e) != 0)
            return -1;
    }
    if (o->job == JOB_DEMO && o->config_file != NULL)
        return err_set(e, "--demo reads no configuration file: leave out --config");
    return 0;
}
