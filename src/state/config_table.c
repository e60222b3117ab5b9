/* config_table.c - the settings and their names as tables, made from config.def and
 * config_names.def, and how a name is looked up.
 *
 * Any process.  Must never list a setting by hand. */
#include "state/config_table.h"

#include "must.h"

enum when { RESTART, RELOAD };

const struct config_option config_lines[] = {
#define SECTION(name, h) { .section = name, .help = h },
#define LINE(f, p, e, k, w, h)                                                                     \
    .path = p, .env = e, .help = h, .kind = (k), .reload = (w) == RELOAD,                          \
    .offset = offsetof(struct config, f), .index = CONFIG_I_##f
#define OPT_TEXT(f, path, env, d, when, help)                                                      \
    { LINE(f, path, env, CONFIG_TEXT, when, help), .text = (d) },
#define OPT_PATH(f, path, env, d, when, help)                                                      \
    { LINE(f, path, env, CONFIG_PATH, when, help), .text = (d) },
#define OPT_SECRET(f, path, env, when, help) { LINE(f, path, env, CONFIG_SECRET, when, help) },
#define OPT_FLAG(f, path, env, d, when, help)                                                      \
    { LINE(f, path, env, CONFIG_FLAG, when, help), .dflt = (d) },
#define OPT_CHOICE(f, path, env, choices, d, when, help)                                           \
    { LINE(f, path, env, CONFIG_CHOICE, when, help), .text = (choices), .dflt = (d) },
#define OPT_LIST(f, path, env, d, when, help)                                                      \
    { LINE(f, path, env, CONFIG_LIST, when, help), .text = (d) },
#define OPT_NUM(f, path, env, u, d, lo, hi, when, help)                                            \
    { LINE(f, path, env, CONFIG_NUM, when, help), .unit = CONFIG_##u, .dflt = (d), .min = (lo),    \
        .max = (hi) },
#include "state/config.def"
};
const unsigned config_lines_count = NELEM(config_lines);

const struct config_alias config_aliases[] = {
#define ALIAS(name, field, plain) { name, CONFIG_I_##field, CONFIG_PLAIN_##plain },
#define SYNONYM(field, word, choice)
#define ABSENT(name, remark)
#define PREFIX(text)
#include "state/config_names.def"
#undef ALIAS
};
const unsigned config_aliases_count = NELEM(config_aliases);

static const struct {
    enum config_index index;
    const char *word, *choice;
} synonyms[] = {
#undef SYNONYM
#define ALIAS(name, field, plain)
#define SYNONYM(field, word, choice) { CONFIG_I_##field, word, choice },
#include "state/config_names.def"
#undef SYNONYM
#undef ABSENT
};

const struct config_absence config_absences[] = {
#define SYNONYM(field, word, choice)
#define ABSENT(name, remark) { name, remark },
#include "state/config_names.def"
#undef ABSENT
#undef PREFIX
};
const unsigned config_absences_count = NELEM(config_absences);

static const char *const prefixes[] = {
#define ABSENT(name, remark)
#define PREFIX(text) text,
#include "state/config_names.def"
#undef PREFIX
};

const struct config_option *
config_option(enum config_index i)
{
    for (unsigned k = 0; k < NELEM(config_lines); k++)
        if (!config_lines[k].section && config_lines[k].index == i)
            return &config_lines[k];
    must(false);
    return NULL;
}

void *
config_field(struct config *c, const struct config_option *o)
{
    return (char *)c + o->offset;
}

const void *
config_field_const(const struct config *c, const struct config_option *o)
{
    return (const char *)c + o->offset;
}

const struct config_option *
config_by_path(struct str path)
{
    for (unsigned k = 0; k < NELEM(config_lines); k++)
        if (!config_lines[k].section && str_is(path, config_lines[k].path))
            return &config_lines[k];
    return NULL;
}

bool
config_is_section(struct str path)
{
    for (unsigned k = 0; k < NELEM(config_lines); k++)
        if (config_lines[k].section && str_is(path, config_lines[k].section))
            return true;
    return false;
}

const struct config_option *
config_by_env(struct str name, enum config_plain *plain, bool *alias)
{
    const struct config_option *found = NULL;

    *plain = CONFIG_PLAIN_OWN;
    *alias = false;
    for (unsigned k = 0; k < NELEM(config_lines) && !found; k++)
        if (!config_lines[k].section && str_is(name, config_lines[k].env))
            found = &config_lines[k];
    for (unsigned k = 0; k < NELEM(config_aliases); k++) {
        if (!str_is(name, config_aliases[k].name))
            continue;
        *plain = config_aliases[k].plain;
        if (!found) {
            *alias = true;
            found = config_option(config_aliases[k].index);
        }
    }
    return found;
}

const struct config_absence *
config_absent(struct str name)
{
    for (unsigned k = 0; k < NELEM(config_absences); k++) {
        const char *known = config_absences[k].name;
        bool stem = known[strlen(known) - 1] == '_';
        if (stem ? str_starts(name, known) : str_is(name, known))
            return &config_absences[k];
    }
    return NULL;
}

const char *
config_synonym(enum config_index i, struct str word)
{
    for (unsigned k = 0; k < NELEM(synonyms); k++)
        if (synonyms[k].index == i && str_is_nocase(word, synonyms[k].word))
            return synonyms[k].choice;
    return NULL;
}

bool
config_has_prefix(struct str name)
{
    /* The program's own switches for tests; no settings. */
    if (str_starts(name, "SNOWFLAKE_MCP_"))
        return false;
    for (unsigned k = 0; k < NELEM(prefixes); k++)
        if (str_starts(name, prefixes[k]))
            return true;
    return false;
}

/* Near enough to be a typo: a third of the letters at most. */
static void
keep_nearest(struct str given, const char *known, const char **best, unsigned *distance)
{
    unsigned d = str_distance(given, str_of(known));

    if (d < *distance && d <= given.n / 3 && d <= 5) {
        *distance = d;
        *best = known;
    }
}

const char *
config_nearest_path(struct str path)
{
    const char *best = NULL;
    unsigned distance = 64;

    for (unsigned k = 0; k < NELEM(config_lines); k++)
        keep_nearest(path, config_lines[k].section ? config_lines[k].section : config_lines[k].path,
            &best, &distance);
    /* The right name under the wrong section. */
    for (size_t i = path.n; !best && i-- > 0;) {
        if (path.p[i] != '.')
            continue;
        struct str last = str_from(path, i + 1);
        for (unsigned k = 0; k < NELEM(config_lines); k++)
            if (!config_lines[k].section && str_is(last, strchr(config_lines[k].path, '.') + 1))
                best = config_lines[k].path;
        break;
    }
    return best;
}

const char *
config_nearest_env(struct str name)
{
    const char *best = NULL;
    unsigned distance = 64;

    for (unsigned k = 0; k < NELEM(config_lines); k++)
        if (!config_lines[k].section)
            keep_nearest(name, config_lines[k].env, &best, &distance);
    for (unsigned k = 0; k < NELEM(config_aliases); k++)
        keep_nearest(name, config_aliases[k].name, &best, &distance);
    return best;
}
