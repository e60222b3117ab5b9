/* config.h - the settings in force: one immutable struct per load, generated from config.def.
 *
 * config_load() reads the real environment, `.env`, the YAML file and the defaults, in that order
 * of precedence, and either gives a whole, checked configuration or ALL problems found.  The
 * supervisor loads before fork; workers inherit.  A value is lent as long as the struct lives. */
#ifndef STATE_CONFIG_H
#define STATE_CONFIG_H

#include "buf.h"
#include "err.h"
#include "secret.h"

struct config {
#define SECTION(name, help)
#define OPT_TEXT(f, path, env, dflt, when, help)                const char *f;
#define OPT_PATH(f, path, env, dflt, when, help)                const char *f;
#define OPT_SECRET(f, path, env, when, help)                    struct secret *f;
#define OPT_FLAG(f, path, env, dflt, when, help)                bool f;
#define OPT_CHOICE(f, path, env, choices, dflt, when, help)     int f; /* index into choices */
#define OPT_LIST(f, path, env, dflt, when, help)                const char *const *f; /* NULL-terminated */
#define OPT_NUM(f, path, env, unit, dflt, min, max, when, help) uint64_t f;
#include "state/config.def"
#undef SECTION
#undef OPT_TEXT
#undef OPT_PATH
#undef OPT_SECRET
#undef OPT_FLAG
#undef OPT_CHOICE
#undef OPT_LIST
#undef OPT_NUM
    struct config_private *priv; /* memory and origins */
};

/* Enumerators for the OPT_CHOICE settings that code branches on. */
enum { SF_AUTH_AUTO, SF_AUTH_KEY_PAIR, SF_AUTH_TOKEN, SF_AUTH_OAUTH };
enum { SF_PROTOCOL_HTTPS, SF_PROTOCOL_HTTP };
enum { SF_SUBMIT_AUTO, SF_SUBMIT_SYNC, SF_SUBMIT_ASYNC };
enum { METRICS_COMMENTS_AUTO, METRICS_COMMENTS_ALWAYS, METRICS_COMMENTS_NEVER };
enum { LOG_TIMESTAMPS_AUTO, LOG_TIMESTAMPS_ON, LOG_TIMESTAMPS_OFF };

struct config_source {
    const char *yaml_file; /* NULL: INSTALL_PREFIX/config.yaml, whose absence is no error */
    const char *env_file;  /* NULL: .env beside the YAML file, whose absence is no error */
    char *const *environ_; /* the real environment */
    bool files;            /* false (--demo): read neither file */
    /* Settings given on the command line or by --demo, "yaml.path=value", NULL-terminated or NULL;
     * weaker than the real environment, stronger than the files. */
    const char *const *overrides;
};

/* Never NULL unless memory ran out.  Each problem and warning is one line in *problems ("file:line:
 * key: what is wrong; what to do"), errors start with "error: ", warnings with "warning: ".
 * NULL is returned when there was any error. */
struct config *config_load(const struct config_source *s, struct buf *problems);
void config_free(struct config *c);

/* value, where it came from (file:line, environment, default), secrets masked; one line each. */
void config_print(const struct config *c, struct buf *out);

/* Generated documents: sample YAML, sample .env, the settings part of the man page. */
void config_write_yaml(struct buf *out);
void config_write_env(struct buf *out);
void config_write_man(struct buf *out);

#endif
