/* run.h - one statement from its text to its result, on one connection. */
#ifndef EMULATOR_RUN_H
#define EMULATOR_RUN_H

#include "emulator/engine.h"

/* Fills job->result or job->failure.  Engine threads only. */
void run_statement(duckdb_connection con, struct engine_job *job, uint64_t rows_per_partition);

#endif
