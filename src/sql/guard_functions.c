/* guard_functions.c - classifies calls by name: what reads, what acts, what an option opens.
 *
 * Runs in the workers.  Must never let a name through because its letter case or its quotes differ
 * from the list: denying compares without case, allowing compares exactly. */
#include "sql/guard_functions.h"

#include "must.h"
#include "sql/sql_lex.h"

enum match { EXACT, PREFIX };

/* Calls that are refused, or need an option.  Anything without a schema that is not named here
 * is a built-in or a plain function of the caller's schema, and allowed. */
static const struct {
    const char *name;
    enum match match;
    enum guard_rule rule;
} listed[] = {
    { "SYSTEM$", PREFIX, GUARD_SYSTEM_FUNCTION }, /* but see readable_system */
    { "SNOWFLAKE$", PREFIX, GUARD_SYSTEM_FUNCTION },

    { "SET_", PREFIX, GUARD_ACTING_FUNCTION }, /* SET_SYS_CONTEXT, SET_SESSION_CONTEXT */
    { "SETVARIABLE", EXACT, GUARD_ACTING_FUNCTION },
    { "EXECUTE_", PREFIX, GUARD_ACTING_FUNCTION }, /* EXECUTE_AI_EVALUATION */
    { "FINETUNE", EXACT, GUARD_ACTING_FUNCTION },

    { "TO_QUERY", EXACT, GUARD_DYNAMIC_SQL },

    { "NEXTVAL", EXACT, GUARD_SEQUENCE },
    { "GETNEXTVAL", EXACT, GUARD_SEQUENCE },

    { "RESULT_SCAN", EXACT, GUARD_RESULT_SCAN },

    { "GET_PRESIGNED_URL", EXACT, GUARD_STAGE },
    { "BUILD_SCOPED_FILE_URL", EXACT, GUARD_STAGE },
    { "BUILD_STAGE_FILE_URL", EXACT, GUARD_STAGE },
    { "GET_STAGE_LOCATION", EXACT, GUARD_STAGE },
    { "GET_ABSOLUTE_PATH", EXACT, GUARD_STAGE },
    { "GET_RELATIVE_PATH", EXACT, GUARD_STAGE },
    { "TO_FILE", EXACT, GUARD_STAGE },
    { "TRY_TO_FILE", EXACT, GUARD_STAGE },
    { "INFER_SCHEMA", EXACT, GUARD_STAGE },
    { "DIRECTORY", EXACT, GUARD_STAGE },

    { "AI_", PREFIX, GUARD_AI_FUNCTION },
    { "CORTEX_", PREFIX, GUARD_AI_FUNCTION },
    { "DATA_AGENT_", PREFIX, GUARD_AI_FUNCTION },
    { "EMBED_TEXT_", PREFIX, GUARD_AI_FUNCTION },
    /* Of SNOWFLAKE.CORTEX: found without their schema when it is the current one. */
    { "CLASSIFY_TEXT", EXACT, GUARD_AI_FUNCTION },
    { "COMPLETE", EXACT, GUARD_AI_FUNCTION },
    { "COUNT_TOKENS", EXACT, GUARD_AI_FUNCTION },
    { "ENTITY_SENTIMENT", EXACT, GUARD_AI_FUNCTION },
    { "EXTRACT_ANSWER", EXACT, GUARD_AI_FUNCTION },
    { "PARSE_DOCUMENT", EXACT, GUARD_AI_FUNCTION },
    { "SEARCH_PREVIEW", EXACT, GUARD_AI_FUNCTION },
    { "SENTIMENT", EXACT, GUARD_AI_FUNCTION },
    { "SUMMARIZE", EXACT, GUARD_AI_FUNCTION },
    { "TRY_COMPLETE", EXACT, GUARD_AI_FUNCTION },
};

static const char *const readable_system[] = {
    "SYSTEM$CLUSTERING_DEPTH",
    "SYSTEM$CLUSTERING_INFORMATION",
    "SYSTEM$ESTIMATE_QUERY_ACCELERATION",
    "SYSTEM$EXPLAIN_JSON_TO_TEXT",
    "SYSTEM$EXPLAIN_PLAN_JSON",
    "SYSTEM$GET_TAG",
    "SYSTEM$LAST_CHANGE_COMMIT_TIME",
    "SYSTEM$PIPE_STATUS",
    "SYSTEM$STREAM_HAS_DATA",
    "SYSTEM$TYPEOF",
    NULL,
};

/* Snowflake's own, callable without a schema in FROM and TABLE(). */
static const char *const table_functions[] = {
    "DIRECTORY", /* by option: listed above */
    "EXPLAIN_JSON",
    "FLATTEN",
    "GENERATOR",
    "GETNEXTVAL", /* by option */
    "GET_OBJECT_REFERENCES",
    "GET_QUERY_OPERATOR_STATS",
    "INFER_SCHEMA",            /* by option */
    "CORTEX_SEARCH_DATA_SCAN", /* by option */
    "RESULT_SCAN",             /* by option */
    "SEMANTIC_VIEW",
    "SPLIT_TO_TABLE",
    "STRTOK_SPLIT_TO_TABLE",
    "VALIDATE",
    NULL,
};

/* In INFORMATION_SCHEMA, where nobody else can create anything; beside all *_HISTORY. */
static const char *const information_functions[] = {
    "COMPLETE_TASK_GRAPHS",
    "CURRENT_TASK_GRAPHS",
    "DATABASE_REFRESH_PROGRESS",
    "DATABASE_REFRESH_PROGRESS_BY_JOB",
    "DATA_METRIC_FUNCTION_EXPECTATIONS",
    "DATA_METRIC_FUNCTION_REFERENCES",
    "DYNAMIC_TABLES",
    "EXTERNAL_TABLE_FILES",
    "ICEBERG_TABLE_FILES",
    "LOGIN_HISTORY_BY_USER",
    "POLICY_REFERENCES",
    "QUERY_HISTORY_BY_SESSION",
    "QUERY_HISTORY_BY_USER",
    "QUERY_HISTORY_BY_WAREHOUSE",
    "REPLICATION_GROUP_DANGLING_REFERENCES",
    "REPLICATION_GROUP_REFRESH_PROGRESS",
    "REPLICATION_GROUP_REFRESH_PROGRESS_BY_JOB",
    "TAG_REFERENCES",
    "TAG_REFERENCES_ALL_COLUMNS",
    "TASK_DEPENDENTS",
    "VALIDATE_PIPE_LOAD",
    NULL,
};

static bool
in_list(const char *const *list, struct str name)
{
    for (; *list != NULL; list++) {
        if (str_is_nocase(name, *list))
            return true;
    }
    return false;
}

static bool
starts_nocase(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && str_is_nocase((struct str){ s.p, n }, prefix);
}

static bool
ends_nocase(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n > n && str_is_nocase((struct str){ s.p + s.n - n, n }, suffix);
}

static struct str
last_part(const struct guard_name *name)
{
    return name->part[name->n - 1];
}

/* The policy's entry, written as in SQL, names exactly the first `n` parts. */
static bool
entry_is(const char *entry, const struct guard_name *name, unsigned n, bool nocase)
{
    struct sql_lexer l;
    struct sql_token t;
    char part[GUARD_NAME_BYTES];
    unsigned i = 0;

    sql_lex_init(&l, str_of(entry));
    while (sql_lex_next(&l, &t)) {
        if (sql_token_is_op(&t, '.'))
            continue;
        long len = sql_decode(&t, part, sizeof part);
        if (len < 0 || i == n)
            return false;
        struct str have = { part, (size_t)len };
        if (nocase ? !str_eq_nocase(have, name->part[i]) : !str_eq(have, name->part[i]))
            return false;
        i++;
    }
    return t.kind == SQL_END && i == n && n > 0;
}

static bool
listed_in_full(const char *const *list, const struct guard_name *name, bool nocase)
{
    for (; list != NULL && *list != NULL; list++) {
        if (entry_is(*list, name, name->n, nocase))
            return true;
    }
    return false;
}

static bool
is_denied(const struct guard_policy *p, const struct guard_name *name)
{
    return listed_in_full(p->denied_functions, name, true) ||
           (p->denied_functions != NULL && in_list(p->denied_functions, last_part(name)));
}

static bool
in_listed_schema(const struct guard_policy *p, const struct guard_name *name)
{
    for (const char *const *s = p->function_schemas; s != NULL && *s != NULL; s++) {
        if (entry_is(*s, name, name->n - 1, false))
            return true;
    }
    return false;
}

static bool
option_is_on(const struct guard_policy *p, enum guard_rule r)
{
    switch (r) {
    case GUARD_SEQUENCE:
        return p->allow_sequences;
    case GUARD_STAGE:
        return p->allow_stage_reads;
    case GUARD_RESULT_SCAN:
        return p->allow_result_scan;
    case GUARD_AI_FUNCTION:
        return p->allow_ai;
    default:
        return false;
    }
}

/* What the list of names above says, options applied. */
static enum guard_rule
rule_by_name(const struct guard_policy *p, struct str fn)
{
    for (size_t i = 0; i < NELEM(listed); i++) {
        bool hit = listed[i].match == EXACT ? str_is_nocase(fn, listed[i].name)
                                            : starts_nocase(fn, listed[i].name);
        if (!hit || option_is_on(p, listed[i].rule))
            continue;
        if (listed[i].rule == GUARD_SYSTEM_FUNCTION && in_list(readable_system, fn))
            return GUARD_OK;
        return listed[i].rule;
    }
    return GUARD_OK;
}

static enum guard_rule
qualified_rule(const struct guard_policy *p, const struct guard_name *name)
{
    struct str fn = last_part(name), schema = name->part[name->n - 2];

    if (in_listed_schema(p, name)) /* their author answers for SET_X() and the like */
        return starts_nocase(fn, "SYSTEM$") ? GUARD_SYSTEM_FUNCTION : GUARD_OK;
    enum guard_rule r = rule_by_name(p, fn);
    if (r != GUARD_OK)
        return r;
    if (name->n <= 3 && str_is(schema, "INFORMATION_SCHEMA"))
        return ends_nocase(fn, "_HISTORY") || in_list(information_functions, fn)
                   ? GUARD_OK
                   : GUARD_FUNCTION_SCHEMA;
    if (name->n == 3 && str_is(schema, "CORTEX") && str_is(name->part[0], "SNOWFLAKE"))
        return p->allow_ai ? GUARD_OK : GUARD_AI_FUNCTION;
    return GUARD_FUNCTION_SCHEMA;
}

enum guard_rule
guard_function_rule(const struct guard_policy *p, const struct guard_name *name, bool as_table)
{
    struct str fn = last_part(name);

    if (is_denied(p, name))
        return GUARD_DENIED_FUNCTION;
    if (listed_in_full(p->allowed_functions, name, false))
        return GUARD_OK;
    if (memchr(fn.p, '\\', fn.n) != NULL) /* some readers would take it for an escape */
        return GUARD_UNCLASSIFIED;
    if (as_table && listed_in_full(p->procedures, name, false))
        return GUARD_OK;
    if (name->n > 1)
        return qualified_rule(p, name);
    enum guard_rule r = rule_by_name(p, fn);
    if (r == GUARD_OK && as_table && !in_list(table_functions, fn))
        return GUARD_TABLE_FUNCTION;
    return r;
}
