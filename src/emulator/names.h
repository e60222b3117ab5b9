/* names.h - Snowflake's identifiers as DuckDB's.
 *
 * Snowflake tells "Id" from "ID", DuckDB does not.  A name with lower-case ASCII letters is given
 * a suffix that says which ones they are, so DuckDB sees different names; whatever comes out of
 * DuckDB loses the suffix again.  Upper-case names stay as they are. */
#ifndef EMULATOR_NAMES_H
#define EMULATOR_NAMES_H

#include "buf.h"

/* Appends the DuckDB spelling of an exact Snowflake name, without quotes. */
void names_put(struct buf *out, struct str exact);
/* The same in double quotes, ready for SQL. */
void names_put_quoted(struct buf *out, struct str exact);
/* Takes the suffixes out of any text, in place. */
void names_show(char *text);

#endif
