/* engine.h - runs statements on DuckDB: threads, one connection per statement, interrupts.
 *
 * The event loop starts and stops jobs and is told of their end in its own thread; in between a
 * job belongs to the engine.  At most `max_running` jobs that need a warehouse run at a time, the
 * others wait in line; SHOW and DESCRIBE never wait for them. */
#ifndef EMULATOR_ENGINE_H
#define EMULATOR_ENGINE_H

#include "emulator/failure.h"
#include "emulator/result.h"
#include "err.h"
#include "loop.h"

#include <stdatomic.h>

struct engine;

struct engine_options {
    struct loop *loop;
    double scale;            /* of the sample data */
    unsigned duckdb_threads; /* per query */
    unsigned max_running;
    unsigned latency_ms; /* added to each statement */
    uint64_t rows_per_partition;
    const char *init_file; /* DuckDB SQL run at start; NULL: none */
};

struct engine *engine_new(const struct engine_options *o, struct err *e);
void engine_free(struct engine *en); /* interrupts and joins; no callbacks any more */

enum engine_stop { ENGINE_RUNS, ENGINE_CANCELED, ENGINE_TIMED_OUT };
enum engine_state { ENGINE_QUEUED, ENGINE_RUNNING, ENGINE_ENDED };

struct engine_bind {
    char *key;   /* "1" or a name */
    char *type;  /* "FIXED", "TEXT", ... */
    char *value; /* NULL: SQL null */
};

/* The owner keeps everything `const` unchanged from engine_start() until done(). */
struct engine_job {
    const char *sql;
    const char *database, *schema, *warehouse, *role, *user, *account; /* NULL: none */
    const char *timezone;                                              /* NULL: UTC */
    const char *handle;
    const struct engine_bind *binds;
    size_t bind_count;
    uint64_t max_rows;        /* 0: all */
    uint64_t statement_count; /* MULTI_STATEMENT_COUNT; 0: any */
    const char *history;      /* JSON array for QUERY_HISTORY, or NULL */
    void (*done)(struct engine_job *);

    struct result *result; /* NULL: see failure; the owner frees it */
    struct failure failure;
    char *cancel_handle; /* SYSTEM$CANCEL_QUERY's argument; malloc'd */

    _Atomic int state;          /* enum engine_state */
    _Atomic int stop;           /* enum engine_stop: why it was told to end */
    _Atomic int64_t started_ms; /* wall clock; 0: still in line */
    void *running;              /* engine's own */
    struct engine_job *next;
    bool needs_warehouse;
};

void engine_start(struct engine *en, struct engine_job *job);
/* Ends a queued or running job soon; harmless for an ended one.  done() comes as always. */
void engine_stop_job(struct engine *en, struct engine_job *job, enum engine_stop why);

struct engine_counts {
    unsigned running, queued, peak_running;
};
void engine_count(struct engine *en, struct engine_counts *c);
/* Forgets the peak (tests). */
void engine_reset_peak(struct engine *en);

#endif
