/* types.h - what a DuckDB column is in Snowflake's terms, and its cells as JSON.
 *
 * Cells are exact: whole numbers and decimals are written from their integers, times from counted
 * ticks; only REAL ever is a double.  Used by the engine's threads, one reader per result. */
#ifndef EMULATOR_TYPES_H
#define EMULATOR_TYPES_H

#include "buf.h"

#include <duckdb.h>

enum types_kind {
    TYPES_FIXED,
    TYPES_REAL,
    TYPES_TEXT,
    TYPES_BINARY,
    TYPES_BOOLEAN,
    TYPES_DATE,
    TYPES_TIME,
    TYPES_TIMESTAMP_NTZ,
    TYPES_TIMESTAMP_LTZ,
    TYPES_TIMESTAMP_TZ,
    TYPES_VARIANT,
    TYPES_OBJECT,
    TYPES_ARRAY,
};

struct types_column {
    char *name; /* malloc'd; freed by the result that holds the column */
    enum types_kind kind;
    int precision, scale; /* FIXED only */
};

/* The names under which the types without a DuckDB twin are registered: TIMESTAMP_TZ is a struct
 * of UTC wall clock and minutes east; VARIANT, OBJECT and ARRAY are JSON text. */
#define TYPES_TZ  "TIMESTAMP_TZ"
#define TYPES_VAR "SF_VARIANT"
#define TYPES_OBJ "SF_OBJECT"
#define TYPES_ARR "SF_ARRAY"

struct types_reader;

/* Reads columns of this type; NULL without memory or for a type we cannot show. */
struct types_reader *types_reader_new(duckdb_logical_type type);
void types_reader_free(struct types_reader *r);

/* Kind, precision and scale; the name is left alone. */
void types_describe(const struct types_reader *r, struct types_column *c);

/* Appends one cell as a JSON string or null. */
void types_put_cell(const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out,
    struct buf *tmp);

/* Appends one element of resultSetMetaData.rowType. */
void types_put_rowtype(const struct types_column *c, struct buf *out);

/* "fixed", "timestamp_ntz", ... */
const char *types_name(enum types_kind k);

/* The parts, for tests and for error texts. */
void types_put_int128(struct buf *out, __int128 v, int scale);
void types_put_real(struct buf *out, double v);
void types_put_seconds(struct buf *out, __int128 nanoseconds);

#endif
