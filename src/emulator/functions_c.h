/* functions_c.h - functions that SQL macros cannot express, registered with DuckDB.
 *
 * _div_S(a, b)       exact decimal quotient with S decimals, rounded half away from zero
 * _fdiv, _real_text  quotient and text of REAL
 * _without_nulls     a JSON object without members that are null
 * _ticks(seconds)    a table that takes so long: one row per millisecond or so */
#ifndef EMULATOR_FUNCTIONS_C_H
#define EMULATOR_FUNCTIONS_C_H

#include "emulator/types.h"
#include "err.h"

int functions_c_register(duckdb_connection con, struct err *e);

/* a / b in decimals: 0, or -1 when the quotient does not fit 38 digits.  b != 0. */
int functions_c_divide(__int128 a, int a_scale, __int128 b, int b_scale, int scale, __int128 *q);

#endif
