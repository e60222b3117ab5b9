/* plan_query.c - the tools that read rows: query_view and execute_query.
 *
 * Workers.  query_view writes its own SELECT: names quoted, values bound.  execute_query passes the
 * caller's statement through the read-only guard. */
#include "mcp/plan.h"
#include "sql/guard.h"
#include "sql/ident.h"

#include <stdio.h>

static enum rc
put_column(struct planning *p, struct str name, const char *path)
{
    if (sql_put_ident(&p->sql, name, &p->err) == 0)
        return RC_OK;
    err_prefix(&p->err, "%s", path);
    return RC_BAD_ARGUMENTS;
}

/* ---- filters ----------------------------------------------------------------------------------
 */

static const struct filter_op {
    const char *name, *sql;
    enum { ONE_VALUE, TEXT_VALUE, LIST_VALUE, NO_VALUE } takes;
} filter_ops[] = {
    { "=", " = ?", ONE_VALUE },
    { "!=", " <> ?", ONE_VALUE },
    { "<", " < ?", ONE_VALUE },
    { "<=", " <= ?", ONE_VALUE },
    { ">", " > ?", ONE_VALUE },
    { ">=", " >= ?", ONE_VALUE },
    { "like", " LIKE ?", TEXT_VALUE },
    { "ilike", " ILIKE ?", TEXT_VALUE },
    { "in", " IN (", LIST_VALUE },
    { "is_null", " IS NULL", NO_VALUE },
    { "is_not_null", " IS NOT NULL", NO_VALUE },
};

static const struct filter_op *
filter_op(struct str name)
{
    const struct filter_op *o = filter_ops;

    while (!str_is(name, o->name)) /* args_read() let only known ones pass */
        o++;
    return o;
}

static bool
is_integer(struct str raw)
{
    for (size_t i = raw.p[0] == '-'; i < raw.n; i++)
        if (raw.p[i] < '0' || raw.p[i] > '9')
            return false;
    return true;
}

/* Numbers are bound by their text: no digit is lost. */
static enum rc
bind(struct planning *p, unsigned *n, const struct json *value, struct str raw)
{
    if (*n == TOOL_BINDS_MAX) {
        err_set(&p->err, "filters: more than %d values in all", TOOL_BINDS_MAX);
        return RC_BAD_ARGUMENTS;
    }
    struct sf_bind *b = &p->plan->binds[(*n)++];
    raw = str_trim(raw);
    switch (json_type(value)) {
    case JSON_STRING:
        *b = (struct sf_bind){ "TEXT", arena_str(p->r->arena, json_string(value)) };
        break;
    case JSON_BOOL:
        *b = (struct sf_bind){ "BOOLEAN", arena_str(p->r->arena, raw) };
        break;
    default:
        *b = (struct sf_bind){ is_integer(raw) ? "FIXED" : "REAL", arena_str(p->r->arena, raw) };
        break;
    }
    return b->value.p ? RC_OK : RC_NO_MEMORY;
}

static enum rc
bind_list(struct planning *p, unsigned *n, const struct arg *value)
{
    const struct json *v = json_first(value->value);
    struct str raw;
    size_t at = 0;

    for (bool first = true; v && json_next_element(value->raw, &at, &raw); first = false) {
        buf_put_z(&p->sql, first ? "?" : ", ?");
        enum rc rc = bind(p, n, v, raw);
        if (rc != RC_OK)
            return rc;
        v = json_following(v);
    }
    buf_put_c(&p->sql, ')');
    return RC_OK;
}

static enum rc
bad_value(struct planning *p, const char *path, const char *op, const char *must)
{
    err_set(&p->err, "%svalue: op \"%s\" %s", path, op, must);
    return RC_BAD_ARGUMENTS;
}

static enum rc
put_filter(struct planning *p, const struct args *f, const char *path, unsigned *n)
{
    const struct filter_op *op = filter_op(args_at(f, "op")->text);
    const struct arg *value = args_at(f, "value");
    enum json_type type = json_type(value->value);
    enum rc rc = put_column(p, args_at(f, "column")->text, path);

    if (rc != RC_OK)
        return rc;
    buf_put_z(&p->sql, op->sql);
    switch (op->takes) {
    case NO_VALUE:
        return type == JSON_ABSENT ? RC_OK : bad_value(p, path, op->name, "takes no value");
    case LIST_VALUE:
        if (type != JSON_ARRAY || json_count(value->value) == 0)
            return bad_value(p, path, op->name, "needs an array with at least one value");
        return bind_list(p, n, value);
    case TEXT_VALUE:
        if (type != JSON_STRING)
            return bad_value(p, path, op->name, "needs a string");
        break;
    case ONE_VALUE:
        if (type == JSON_ABSENT)
            return bad_value(p, path, op->name, "needs a value (to find NULL use is_null)");
        if (type == JSON_ARRAY)
            return bad_value(p, path, op->name, "needs one value (for several use in)");
        break;
    }
    return bind(p, n, value->value, value->raw);
}

/* Calls `put` for each object of an OBJECTS argument. */
static enum rc
each_object(struct planning *p, const char *argument, enum shape shape, unsigned *n,
    enum rc (*put)(struct planning *, const struct args *, const char *, unsigned *),
    const char *before, const char *between)
{
    const struct arg *list = args_at(p->args, argument);
    const struct json *v = json_first(list->value);
    struct str raw;
    size_t at = 0;

    for (unsigned i = 0; v && json_next_element(list->raw, &at, &raw); i++) {
        struct args object;
        char path[64];
        snprintf(path, sizeof path, "%s[%u].", argument, i);
        if (args_read(&object, shape, p->c, path, v, raw, &p->err) != 0)
            return RC_BAD_ARGUMENTS;
        buf_put_z(&p->sql, i ? between : before);
        enum rc rc = put(p, &object, path, n);
        if (rc != RC_OK)
            return rc;
        v = json_following(v);
    }
    return RC_OK;
}

static enum rc
put_order(struct planning *p, const struct args *o, const char *path, unsigned *n)
{
    enum rc rc = put_column(p, args_at(o, "column")->text, path);

    if (rc == RC_OK)
        buf_put_z(&p->sql, str_is(args_at(o, "direction")->text, "desc") ? " DESC" : " ASC");
    return rc;
}

enum rc
plan_query_view(struct planning *p)
{
    uint64_t limit = args_at(p->args, "limit")->number;
    const struct json *columns = args_at(p->args, "columns")->value;
    unsigned n_binds = 0;
    enum rc rc;

    buf_put_z(&p->sql, "SELECT ");
    if (!columns)
        buf_put_c(&p->sql, '*');
    unsigned i = 0;
    for (const struct json *v = json_first(columns); v; v = json_following(v), i++) {
        char path[32];
        snprintf(path, sizeof path, "columns[%u]", i);
        buf_put_z(&p->sql, i ? ", " : "");
        if ((rc = put_column(p, json_string(v), path)) != RC_OK)
            return rc;
    }
    buf_put_z(&p->sql, " FROM ");
    if ((rc = plan_put_object(p, "view")) != RC_OK ||
        (rc = each_object(p, "filters", SHAPE_filter, &n_binds, put_filter, " WHERE ", " AND ")) !=
            RC_OK ||
        (rc = each_object(p, "order_by", SHAPE_order, &n_binds, put_order, " ORDER BY ", ", ")) !=
            RC_OK)
        return rc;
    buf_put_z(&p->sql, " LIMIT ");
    buf_put_u64(&p->sql, limit + 1); /* one more tells whether there are more */
    p->plan->row_limit = limit;
    rc = plan_statement(p, STATEMENT_SELECT, false);
    p->plan->statements[0].request.binds = p->plan->binds;
    p->plan->statements[0].request.n_binds = n_binds;
    return rc;
}

/* ---- the caller's own SQL ----------------------------------------------------------------------
 */

enum rc
plan_execute_query(struct planning *p)
{
    static const enum metric_statement kinds[] = {
        [GUARD_SELECT] = STATEMENT_SELECT,
        [GUARD_SHOW] = STATEMENT_SHOW,
        [GUARD_DESCRIBE] = STATEMENT_DESCRIBE,
        [GUARD_EXPLAIN] = STATEMENT_EXPLAIN,
        [GUARD_LIST] = STATEMENT_OTHER,
    };
    const struct guard_policy policy = {
        .allow_stage_reads = p->c->guard_stages,
        .allow_list_files = p->c->guard_stages,
        .allow_sequences = p->c->guard_sequences,
        .allow_ai = p->c->guard_ai,
        .allow_result_scan = p->c->guard_result_scan,
        .function_schemas = p->c->guard_schemas,
        .procedures = p->c->guard_functions,
        .allowed_functions = p->c->guard_functions,
    };
    struct str sql = args_at(p->args, "sql")->text;
    struct guard_verdict verdict;

    guard_check(&policy, sql, &verdict);
    if (!verdict.allowed) {
        err_set(&p->err, "%s", verdict.message);
        return RC_SQL_DENIED;
    }
    buf_put(&p->sql, sql.p, verdict.statement_bytes);
    p->plan->row_limit = args_at(p->args, "limit")->number;
    p->plan->fingerprint = verdict.fingerprint;
    if (verdict.kind == GUARD_SHOW)
        p->plan->ceiling = PLAN_SHOW_MAX;
    enum rc rc = plan_statement(p, kinds[verdict.kind], false);
    if (rc != RC_OK)
        return rc;
    struct sf_request *q = &p->plan->statements[0].request;
    q->timeout_s = (uint32_t)args_at(p->args, "timeout_seconds")->number;
    if ((rc = plan_context_name(p, "database", &q->database)) != RC_OK ||
        (rc = plan_context_name(p, "schema", &q->schema)) != RC_OK)
        return rc;
    /* The configured schema belongs to the configured database: elsewhere it need not exist. */
    if (!q->schema && q->database && p->c->sf_database &&
        strcmp(q->database, p->c->sf_database) != 0)
        q->schema = "";
    return RC_OK;
}
