/* sample.h - the sample databases: TPC-H shaped rows, and one table with every type. */
#ifndef EMULATOR_SAMPLE_H
#define EMULATOR_SAMPLE_H

#include "err.h"

#include <duckdb.h>

/* The same scale gives the same rows, on every machine. */
int sample_create(duckdb_connection con, double scale, struct err *e);

#endif
