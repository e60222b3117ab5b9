/* failure.h - why a statement failed, in Snowflake's codes and words. */
#ifndef EMULATOR_FAILURE_H
#define EMULATOR_FAILURE_H

#include "str.h"

struct failure {
    char code[8]; /* "" : no failure */
    char sqlstate[8];
    char message[1024];
};

/* Sets all three and returns -1. */
int failure_set(struct failure *f, const char *code, const char *sqlstate, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* 000002, 0A000: what Snowflake can and the emulator cannot. */
int failure_unsupported(struct failure *f, const char *feature);

/* 001003, 42000: "SQL compilation error:\nsyntax error line L at position P unexpected 'X'." */
int failure_syntax(struct failure *f, unsigned line, unsigned column, struct str unexpected);

/* From the text of a DuckDB error. */
int failure_from_duckdb(struct failure *f, const char *text);

#endif
