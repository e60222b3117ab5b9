/* result.h - the rows of a finished statement, cut into partitions of JSON text.
 *
 * The engine's thread renders rows as they stream out of DuckDB: partition 0 stays text, the later
 * ones are kept gzipped, the way they are sent.  So a million rows cost their compressed size and
 * the event loop never renders anything.  After result_finish() it never changes. */
#ifndef EMULATOR_RESULT_H
#define EMULATOR_RESULT_H

#include "emulator/types.h"

struct result;

struct result_stats { /* DML; -1: not applicable */
    int64_t inserted, updated, deleted, duplicates;
};

/* rows_per_partition 0: growing partitions, from 1,000 rows up to 64,000. */
struct result *result_new(uint64_t rows_per_partition, uint64_t max_rows);
void result_free(struct result *r);

/* While it is built.  0 or -1 (no memory, or a type that cannot be shown). */
int result_columns(struct result *r, duckdb_result *from);
int result_rename(struct result *r, size_t column, const char *name);
int result_add(struct result *r, duckdb_data_chunk chunk); /* renders and forgets it */
bool result_full(const struct result *r);                  /* max_rows are there */
/* A table of one row: DDL's status, DML's counts.  The numbers are FIXED, text is TEXT. */
int result_one_row(struct result *r, size_t n, const char *const *names, const char *const *values,
    enum types_kind kind);
int result_finish(struct result *r);
struct result_stats *result_stats(struct result *r);

uint64_t result_rows(const struct result *r);
size_t result_bytes(const struct result *r); /* memory held by the partitions */
size_t result_partitions(const struct result *r);
/* `"resultSetMetaData":{...}` and, for partition 0, the rows as JSON array text. */
void result_put_metadata(const struct result *r, struct buf *out);
struct str result_first_rows(const struct result *r);
/* A partition from 1 on: the gzip stream of {"data":[...]}. */
struct str result_partition_gzip(const struct result *r, size_t partition);

#endif
