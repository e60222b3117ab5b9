/* guard_functions.c - classifies calls by name: what reads, what acts, what an option opens.
 *
 * Runs in the workers.  Must never let a name through because its letter case or its quotes differ
 * from the list: denying compares without case, allowing compares exactly. */
#include "sql/guard_functions.h"

#include "must.h"
#include "sql/sql_lex.h"

enum match { EXACT, PREFIX };

#define NAME(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* Calls that are refused, or need an option.  Anything without a schema that is not named here
 * is a built-in or a plain function of the caller's schema, and allowed. */
static const struct {
    struct str name;
    enum match match;
    enum guard_rule rule;
} listed[] = {
    { NAME("SYSTEM$"), PREFIX, GUARD_SYSTEM_FUNCTION }, /* but see readable_system */
    { NAME("SNOWFLAKE$"), PREFIX, GUARD_SYSTEM_FUNCTION },

    { NAME("SET_"), PREFIX, GUARD_ACTING_FUNCTION }, /* SET_SYS_CONTEXT, SET_SESSION_CONTEXT */
    { NAME("SETVARIABLE"), EXACT, GUARD_ACTING_FUNCTION },
    { NAME("EXECUTE_"), PREFIX, GUARD_ACTING_FUNCTION }, /* EXECUTE_AI_EVALUATION */
    { NAME("FINETUNE"), EXACT, GUARD_ACTING_FUNCTION },

    { NAME("TO_QUERY"), EXACT, GUARD_DYNAMIC_SQL },

    { NAME("NEXTVAL"), EXACT, GUARD_SEQUENCE },
    { NAME("GETNEXTVAL"), EXACT, GUARD_SEQUENCE },

    { NAME("RESULT_SCAN"), EXACT, GUARD_RESULT_SCAN },

    { NAME("GET_PRESIGNED_URL"), EXACT, GUARD_STAGE },
    { NAME("BUILD_SCOPED_FILE_URL"), EXACT, GUARD_STAGE },
    { NAME("BUILD_STAGE_FILE_URL"), EXACT, GUARD_STAGE },
    { NAME("GET_STAGE_LOCATION"), EXACT, GUARD_STAGE },
    { NAME("GET_ABSOLUTE_PATH"), EXACT, GUARD_STAGE },
    { NAME("GET_RELATIVE_PATH"), EXACT, GUARD_STAGE },
    { NAME("TO_FILE"), EXACT, GUARD_STAGE },
    { NAME("TRY_TO_FILE"), EXACT, GUARD_STAGE },
    { NAME("INFER_SCHEMA"), EXACT, GUARD_STAGE },
    { NAME("DIRECTORY"), EXACT, GUARD_STAGE },

    { NAME("AI_"), PREFIX, GUARD_AI_FUNCTION },
    { NAME("CORTEX_"), PREFIX, GUARD_AI_FUNCTION },
    { NAME("DATA_AGENT_"), PREFIX, GUARD_AI_FUNCTION },
    { NAME("EMBED_TEXT_"), PREFIX, GUARD_AI_FUNCTION },
    /* Of SNOWFLAKE.CORTEX: found without their schema when it is the current one. */
    { NAME("CLASSIFY_TEXT"), EXACT, GUARD_AI_FUNCTION },
    { NAME("COMPLETE"), EXACT, GUARD_AI_FUNCTION },
    { NAME("COUNT_TOKENS"), EXACT, GUARD_AI_FUNCTION },
    { NAME("ENTITY_SENTIMENT"), EXACT, GUARD_AI_FUNCTION },
    { NAME("EXTRACT_ANSWER"), EXACT, GUARD_AI_FUNCTION },
    { NAME("PARSE_DOCUMENT"), EXACT, GUARD_AI_FUNCTION },
    { NAME("SEARCH_PREVIEW"), EXACT, GUARD_AI_FUNCTION },
    { NAME("SENTIMENT"), EXACT, GUARD_AI_FUNCTION },
    { NAME("SUMMARIZE"), EXACT, GUARD_AI_FUNCTION },
    { NAME("TRY_COMPLETE"), EXACT, GUARD_AI_FUNCTION },
};

static const struct str readable_system[] = {
    NAME("SYSTEM$CLUSTERING_DEPTH"),
    NAME("SYSTEM$CLUSTERING_INFORMATION"),
    NAME("SYSTEM$ESTIMATE_QUERY_ACCELERATION"),
    NAME("SYSTEM$EXPLAIN_JSON_TO_TEXT"),
    NAME("SYSTEM$EXPLAIN_PLAN_JSON"),
    NAME("SYSTEM$GET_TAG"),
    NAME("SYSTEM$LAST_CHANGE_COMMIT_TIME"),
    NAME("SYSTEM$PIPE_STATUS"),
    NAME("SYSTEM$STREAM_HAS_DATA"),
    NAME("SYSTEM$TYPEOF"),
    { NULL, 0 },
};

/* Snowflake's own, callable without a schema in FROM and TABLE(). */
static const struct str table_functions[] = {
    NAME("DIRECTORY"), /* by option: listed above */
    NAME("EXPLAIN_JSON"),
    NAME("FLATTEN"),
    NAME("GENERATOR"),
    NAME("GETNEXTVAL"), /* by option */
    NAME("GET_OBJECT_REFERENCES"),
    NAME("GET_QUERY_OPERATOR_STATS"),
    NAME("INFER_SCHEMA"),            /* by option */
    NAME("CORTEX_SEARCH_DATA_SCAN"), /* by option */
    NAME("RESULT_SCAN"),             /* by option */
    NAME("SEMANTIC_VIEW"),
    NAME("SPLIT_TO_TABLE"),
    NAME("STRTOK_SPLIT_TO_TABLE"),
    NAME("VALIDATE"),
    { NULL, 0 },
};

/* In INFORMATION_SCHEMA, where nobody else can create anything; beside all *_HISTORY and
 * *_REFERENCES. */
static const struct str information_functions[] = {
    NAME("COMPLETE_TASK_GRAPHS"),
    NAME("CURRENT_TASK_GRAPHS"),
    NAME("DATABASE_REFRESH_PROGRESS"),
    NAME("DATABASE_REFRESH_PROGRESS_BY_JOB"),
    NAME("DATA_METRIC_FUNCTION_EXPECTATIONS"),
    NAME("DYNAMIC_TABLES"),
    NAME("EXTERNAL_TABLE_FILES"),
    NAME("ICEBERG_TABLE_FILES"),
    NAME("LOGIN_HISTORY_BY_USER"),
    NAME("QUERY_HISTORY_BY_SESSION"),
    NAME("QUERY_HISTORY_BY_USER"),
    NAME("QUERY_HISTORY_BY_WAREHOUSE"),
    NAME("REPLICATION_GROUP_REFRESH_PROGRESS"),
    NAME("REPLICATION_GROUP_REFRESH_PROGRESS_BY_JOB"),
    NAME("TAG_REFERENCES_ALL_COLUMNS"),
    NAME("TASK_DEPENDENTS"),
    NAME("VALIDATE_PIPE_LOAD"),
    { NULL, 0 },
};

static bool
in_list(const struct str *list, struct str name)
{
    for (; list->p != NULL; list++) {
        if (list->n == name.n && str_eq_nocase(name, *list))
            return true;
    }
    return false;
}

static bool
matches(struct str name, struct str want, enum match how)
{
    if (how == PREFIX && name.n > want.n)
        name.n = want.n;
    return name.n == want.n && str_eq_nocase(name, want);
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
listed_in_full(const char *const *list, const struct guard_name *name)
{
    for (; list != NULL && *list != NULL; list++) {
        if (entry_is(*list, name, name->n, false))
            return true;
    }
    return false;
}

static bool
is_denied(const struct guard_policy *p, const struct guard_name *name)
{
    for (const char *const *d = p->denied_functions; d != NULL && *d != NULL; d++) {
        if (str_is_nocase(last_part(name), *d) || entry_is(*d, name, name->n, true))
            return true;
    }
    return false;
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
        bool hit = matches(fn, listed[i].name, listed[i].match);
        if (!hit || option_is_on(p, listed[i].rule))
            continue;
        if (listed[i].rule == GUARD_SYSTEM_FUNCTION && in_list(readable_system, fn))
            return GUARD_OK;
        return listed[i].rule;
    }
    return GUARD_OK;
}

static bool
reads_information(struct str fn)
{
    return ends_nocase(fn, "_HISTORY") || ends_nocase(fn, "_HISTORY_ALL") ||
           ends_nocase(fn, "_REFERENCES") || in_list(information_functions, fn);
}

static enum guard_rule
qualified_rule(const struct guard_policy *p, const struct guard_name *name)
{
    struct str fn = last_part(name), schema = name->part[name->n - 2];

    if (in_listed_schema(p, name)) /* their author answers for SET_X() and the like */
        return matches(fn, STR("SYSTEM$"), PREFIX) ? GUARD_SYSTEM_FUNCTION : GUARD_OK;
    enum guard_rule r = rule_by_name(p, fn);
    if (r != GUARD_OK)
        return r;
    if (name->n <= 3 && str_is(schema, "INFORMATION_SCHEMA"))
        return reads_information(fn) ? GUARD_OK : GUARD_FUNCTION_SCHEMA;
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
    if (listed_in_full(p->allowed_functions, name))
        return GUARD_OK;
    if (memchr(fn.p, '\\', fn.n) != NULL) /* some readers would take it for an escape */
        return GUARD_UNCLASSIFIED;
    if (as_table && listed_in_full(p->procedures, name))
        return GUARD_OK;
    if (name->n > 1)
        return qualified_rule(p, name);
    enum guard_rule r = rule_by_name(p, fn);
    if (r == GUARD_OK && as_table && !in_list(table_functions, fn))
        return GUARD_TABLE_FUNCTION;
    return r;
}
