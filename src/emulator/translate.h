/* translate.h - one Snowflake statement as DuckDB SQL, or a failure.
 *
 * A recursive-descent reader of the Snowflake dialect that writes DuckDB's as it goes.  What it
 * does not know it refuses: a syntax error, an unknown function, or 000002 "Unsupported feature"
 * for what Snowflake has and we do not.  Any thread; no state of its own. */
#ifndef EMULATOR_TRANSLATE_H
#define EMULATOR_TRANSLATE_H

#include "arena.h"
#include "emulator/engine.h"

enum plan_kind {
    PLAN_ROWS,   /* sql gives the rows of the answer                        */
    PLAN_CHANGE, /* sql changes rows and gives their number                 */
    PLAN_STATUS, /* sql (if any) changes the catalogue; answer is `status`  */
    PLAN_CANCEL, /* nothing to run: cancel the statement `cancel`           */
};

enum plan_change { PLAN_INSERTED, PLAN_UPDATED, PLAN_DELETED };

#define PLAN_AFTER  64
#define PLAN_TABLES 64

struct plan_table { /* string literals as stored, and the name as Snowflake writes it */
    const char *database, *schema, *name, *shown;
};

/* Something that must be there: asked (it gives a count) before the statement runs. */
struct plan_check {
    const char *sql, *code, *sqlstate, *message;
};
#define PLAN_CHECKS 8

struct plan {
    enum plan_kind kind;
    enum plan_change change;
    const char *sql;
    const char *after[PLAN_AFTER]; /* bookkeeping once sql succeeded */
    size_t after_count;
    struct plan_table tables[PLAN_TABLES]; /* what it reads, for the words of a failure */
    size_t table_count;
    struct plan_check checks[PLAN_CHECKS];
    size_t check_count;
    const char *status; /* STATUS: the text, CANCEL: what to answer */
    const char *column; /* STATUS: name of the column, NULL: "status" */
    const char *cancel;
    bool needs_warehouse;
    bool unresolved; /* sql holds probes: prepare it, let them note their types, translate again */
    bool uses_history;
};

/* What the arguments of type-dependent functions turned out to be, by position in the statement. */
enum site_type {
    SITE_UNKNOWN,
    SITE_INTEGER,
    SITE_DECIMAL,
    SITE_REAL,
    SITE_TEXT,
    SITE_BOOLEAN,
    SITE_DATE,
    SITE_TIME,
    SITE_TIMESTAMP,
    SITE_TIMESTAMP_LTZ,
    SITE_TIMESTAMP_TZ,
    SITE_BINARY,
    SITE_JSON,
    SITE_INTERVAL,
    SITE_NULL,
    SITE_OTHER,
};

#define SITE_MAX  256
#define SITE_ARGS 3

struct site {
    bool known;
    struct {
        enum site_type type;
        int scale;
    } arg[SITE_ARGS];
};

struct sites {
    struct site site[SITE_MAX];
};

/* 0 and a plan whose texts live in the arena, or -1 with *f. */
int translate(struct arena *a, const struct engine_job *job, const struct sites *known,
    struct plan *plan, struct failure *f);

#endif
