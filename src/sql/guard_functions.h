/* guard_functions.h - which function calls only read (inside the guard). */
#ifndef SQL_GUARD_FUNCTIONS_H
#define SQL_GUARD_FUNCTIONS_H

#include "sql/guard.h"

enum {
    GUARD_PARTS_MAX = 5,
    GUARD_NAME_BYTES = GUARD_PARTS_MAX * 255 * 4,
};

/* A name in its parts, each as Snowflake would compare it: unquoted ones in upper case. */
struct guard_name {
    unsigned n;
    struct str part[GUARD_PARTS_MAX];
    size_t used;
    char text[GUARD_NAME_BYTES];
};

/* GUARD_OK or the rule that refuses a call of this name.  `as_table`: called in FROM or TABLE(),
 * where a stored procedure may stand. */
enum guard_rule guard_function_rule(
    const struct guard_policy *p, const struct guard_name *name, bool as_table);

#endif
