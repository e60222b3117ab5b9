/* catalog.h - what Snowflake's catalogue knows and DuckDB's does not, as tables and macros in the
 * DuckDB database "memory": declared types, comments, owners, times of creation, warehouses, roles.
 *
 * Names in it are spelled as in names.h.  Engine threads only. */
#ifndef EMULATOR_CATALOG_H
#define EMULATOR_CATALOG_H

#include "emulator/engine.h"
#include "err.h"

/* Runs every statement of a text of our own.  0, or -1 with DuckDB's words in *e. */
int catalog_run(duckdb_connection con, const char *sql, struct err *e);

/* The one number that a query of our own gives, or -1. */
int64_t catalog_count(duckdb_connection con, const char *sql);

int catalog_create(duckdb_connection con, struct err *e);
int catalog_lock_down(duckdb_connection con, struct err *e); /* no files, no network from here on */

/* Readies a fresh connection for a job: time zone, and does the job's context exist? */
int catalog_session(duckdb_connection con, const struct engine_job *job, struct failure *f);

/* Roles and warehouses are fixed. */
bool catalog_has_role(const char *name);
bool catalog_has_warehouse(const char *name);

#endif
