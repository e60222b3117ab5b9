/* config_table.h - what the files of config*.c share: the table made from config.def, and the state
 * of one load.  Nobody else includes it but their tests and fuzz targets. */
#ifndef STATE_CONFIG_TABLE_H
#define STATE_CONFIG_TABLE_H

#include "arena.h"
#include "state/config.h"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_PATH,
    CONFIG_SECRET,
    CONFIG_FLAG,
    CONFIG_CHOICE,
    CONFIG_LIST,
    CONFIG_NUM
};
enum config_unit { CONFIG_COUNT, CONFIG_BYTES, CONFIG_MSEC, CONFIG_SEC, CONFIG_MINUTE };
/* What a number without a suffix means in one environment variable. */
enum config_plain { CONFIG_PLAIN_OWN, CONFIG_PLAIN_SEC, CONFIG_PLAIN_MIN, CONFIG_PLAIN_MIB };

/* Index of a setting: CONFIG_I_pool_max. */
enum config_index {
#define SECTION(name, help)
#define OPT_TEXT(f, path, env, dflt, when, help)                CONFIG_I_##f,
#define OPT_PATH(f, path, env, dflt, when, help)                CONFIG_I_##f,
#define OPT_SECRET(f, path, env, when, help)                    CONFIG_I_##f,
#define OPT_FLAG(f, path, env, dflt, when, help)                CONFIG_I_##f,
#define OPT_CHOICE(f, path, env, choices, dflt, when, help)     CONFIG_I_##f,
#define OPT_LIST(f, path, env, dflt, when, help)                CONFIG_I_##f,
#define OPT_NUM(f, path, env, unit, dflt, min, max, when, help) CONFIG_I_##f,
#include "state/config.def"
#undef SECTION
#undef OPT_TEXT
#undef OPT_PATH
#undef OPT_SECRET
#undef OPT_FLAG
#undef OPT_CHOICE
#undef OPT_LIST
#undef OPT_NUM
    CONFIG_I__COUNT
};

struct config_option {
    const char *section; /* set: a section's line, nothing else but help */
    const char *path, *env, *help;
    enum config_kind kind;
    enum config_unit unit;
    const char *text; /* default of TEXT, PATH, LIST; choices of CHOICE */
    uint64_t dflt, min, max;
    bool reload;
    size_t offset; /* of the field in struct config */
    enum config_index index;
};

/* Sections and settings in the order of config.def. */
extern const struct config_option config_lines[];
extern const unsigned config_lines_count;
const struct config_option *config_option(enum config_index i);
void *config_field(struct config *c, const struct config_option *o);
const void *config_field_const(const struct config *c, const struct config_option *o);

struct config_alias {
    const char *name;
    enum config_index index;
    enum config_plain plain;
};
extern const struct config_alias config_aliases[];
extern const unsigned config_aliases_count;
struct config_absence {
    const char *name, *remark;
};
extern const struct config_absence config_absences[];
extern const unsigned config_absences_count;

/* By name; NULL when there is none. */
const struct config_option *config_by_path(struct str path);
const struct config_option *config_by_env(struct str name, enum config_plain *plain, bool *alias);
const struct config_absence *config_absent(struct str name);
const char *config_synonym(enum config_index i, struct str word);
bool config_is_section(struct str path);
bool config_has_prefix(struct str name); /* one of ours */
/* The known name that is most like it, or NULL when none is near. */
const char *config_nearest_path(struct str path);
const char *config_nearest_env(struct str name);
#define CONFIG_SUGGESTIONS_MAX 50 /* a file of another kind is not compared line by line */

/* One load ------------------------------------------------------------------------------------- */

enum config_from { /* later ones win */
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_YAML,
    CONFIG_FROM_ENV_FILE,
    CONFIG_FROM_OVERRIDE,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM__COUNT
};

/* A value as somebody gave it.  Strings live in the load's arena. */
struct config_given {
    bool set, alias;
    enum config_plain plain;
    const char *file; /* as named in problems; "environment", "command line" */
    unsigned line;    /* 0: none */
    const char *key;  /* the name that was used there */
    struct str text;
    const struct str *items; /* a YAML sequence; else NULL */
    size_t n_items;
};

/* One line of .env. */
struct config_env_line {
    const char *name;
    struct str value;
    unsigned line;
    struct config_env_line *next; /* the line before it in the file */
};

struct config_load {
    struct config *c;
    struct arena *arena; /* becomes the configuration's */
    struct buf *problems;
    bool failed;
    unsigned errors;
    bool out_of_memory;
    unsigned unknown; /* names that were not known so far */
    unsigned env_count;
    const char *base;     /* folder that relative paths start from, or NULL */
    const char *env_file; /* as read, with its permissions */
    unsigned env_mode;
    char *const *environ_;
    struct config_env_line *env_lines; /* last one first */
    struct config_given given[CONFIG_I__COUNT][CONFIG_FROM__COUNT];
};

/* What config_load() knows of each value afterwards. */
struct config_origin {
    enum config_from from;
    bool wrong;   /* what was given could not be read; told already */
    bool adapted; /* a default that was lowered to fit another setting */
    const char *file;
    unsigned line;
    const char *key;
};
struct config_private {
    struct arena *arena;
    struct config_origin origins[CONFIG_I__COUNT];
};

/* Appends "error: file:line: key: ..." and remembers that there was one; file, key may be NULL. */
void config_error(struct config_load *l, const char *file, unsigned line, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void config_warning(struct config_load *l, const char *file, unsigned line, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The text in quotes, cut and with control characters escaped, for a problem's line. */
const char *config_quote(struct config_load *l, struct str text);
/* Arena memory; NULL sets out_of_memory. */
void *config_alloc(struct config_load *l, size_t n);
char *config_copy(struct config_load *l, struct str s);

/* " # comment" and blanks taken off (runbook-contract.md, R14). */
struct str config_strip(struct str value);
/* Value of a variable for a ${NAME} reference: the real environment, then .env. False: none. */
bool config_lookup(const struct config_load *l, struct str name, struct str *value);

/* Texts into l->given, problems into l->problems. */
void config_read_yaml(struct config_load *l, const char *file, struct str text);
void config_read_env(struct config_load *l, const char *file, struct str text);
/* `lines` of l->env_lines into l->given, with warnings for names that are not known. */
void config_take_env_file(struct config_load *l, const char *file);
void config_take_environment(struct config_load *l);

/* Converts one given value into its field. */
void config_take_value(
    struct config_load *l, const struct config_option *o, const struct config_given *g);
void config_take_default(struct config_load *l, const struct config_option *o);
void config_put_value(struct buf *out, const struct config *c, const struct config_option *o);
/* A number with the largest unit that fits it, as the files take it. */
void config_put_number(struct buf *out, enum config_unit unit, uint64_t v);

/* Checks that need several settings. */
void config_check(struct config_load *l);

/* For tests and fuzzing: the same from texts; NULL means there is no such file. */
struct config *config_load_texts(const char *yaml, size_t yaml_bytes, const char *env,
    size_t env_bytes, char *const *environ_, struct buf *problems);

#endif
