/* guard.h - says whether a statement only reads.
 *
 * The role's privileges are the real boundary; this is the second one.  It allows what it can
 * classify by structure and refuses the rest.  No heap, no locks, linear time.  Any process. */
#ifndef SQL_GUARD_H
#define SQL_GUARD_H

#include "str.h"

/* The rules: guard_rules.def, one line each. */
enum guard_rule {
#define RULE(sym, name, text) GUARD_##sym,
#include "sql/guard_rules.def"
#undef RULE
    GUARD__COUNT
};

enum guard_statement {
    GUARD_SELECT, /* also WITH and a parenthesised query */
    GUARD_SHOW,
    GUARD_DESCRIBE,
    GUARD_EXPLAIN,
    GUARD_LIST,
};

/* What the operator permits beyond plain reads; all zero is the strictest.  Lists end with NULL
 * and may be NULL.  Their names are written as in SQL: UTIL is upper case, "util" is not. */
struct guard_policy {
    bool allow_stage_reads; /* FROM @stage, links to staged files, INFER_SCHEMA            */
    bool allow_list_files;  /* LIST and LS                                                 */
    bool allow_sequences;   /* seq.NEXTVAL, TABLE(GETNEXTVAL(seq))                         */
    bool allow_ai;          /* AI_*, SNOWFLAKE.CORTEX.*: cost, and data leaves the account */
    bool allow_result_scan; /* RESULT_SCAN: results of others who use the same login       */

    /* Schemas whose functions may be called: "UTIL" allows UTIL.F(), "MYDB.UTIL" allows
     * MYDB.UTIL.F(), neither the other.  Table functions in them are allowed too. */
    const char *const *function_schemas;
    /* What TABLE(x()) may run beside Snowflake's own table functions, named in full. */
    const char *const *procedures;
    /* Single functions, named in full ("UTIL.PRICE", "SYSTEM$WAIT"): stronger than the rules. */
    const char *const *allowed_functions;
    /* By last name or in full; stronger than everything else.  Any case. */
    const char *const *denied_functions;
};

struct guard_verdict {
    bool allowed;
    enum guard_rule rule; /* GUARD_OK when allowed                                          */
    enum guard_statement kind;
    unsigned line, column;  /* of the word that was refused, from 1; 0 when allowed          */
    size_t statement_bytes; /* send this much: the text without a trailing `;` and what follows */
    uint64_t fingerprint;   /* the same for statements that differ in literals, letter case,
                               blanks and comments; 0 when refused                          */
    char message[512];      /* for the caller: rule, place, word, what to write instead;
                               holds a word of the SQL, so never log it.  Empty when allowed */
};

/* Any bytes are fine.  The verdict is always complete. */
void guard_check(const struct guard_policy *p, struct str sql, struct guard_verdict *v);

/* "flow-operator" and the like: stable names for logs, metrics and replies. */
const char *guard_rule_name(enum guard_rule r);
const char *guard_rule_text(enum guard_rule r);

#endif
