/* catalog_sql.h - the statements that make the emulator's own catalogue. */
#ifndef EMULATOR_CATALOG_SQL_H
#define EMULATOR_CATALOG_SQL_H

#include <stddef.h>

extern const char *const catalog_sql[];
extern const size_t catalog_sql_count;

#endif
