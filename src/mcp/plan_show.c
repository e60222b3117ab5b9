/* plan_show.c - the tools that list databases, schemas, tables and views: SHOW statements.
 *
 * Workers.  SHOW needs no warehouse; of its many columns the useful ones are kept. */
#include "mcp/plan.h"
#include "sql/ident.h"

static enum rc
show(struct planning *p, const char *what, enum rc (*in)(struct planning *p),
    const char *const *keep)
{
    const struct arg *pattern = args_at(p->args, "pattern");
    uint64_t limit = args_at(p->args, "limit")->number;

    buf_printf(&p->sql, "SHOW %s", what);
    if (pattern->value) {
        buf_put_z(&p->sql, " LIKE ");
        if (sql_put_string(&p->sql, pattern->text, &p->err) != 0) {
            err_prefix(&p->err, "pattern");
            return RC_BAD_ARGUMENTS;
        }
    }
    if (in) {
        buf_put_z(&p->sql, " IN ");
        enum rc rc = in(p);
        if (rc != RC_OK)
            return rc;
    }
    /* One more than wanted tells whether there are more. */
    buf_put_z(&p->sql, " LIMIT ");
    buf_put_u64(&p->sql, limit < PLAN_SHOW_MAX ? limit + 1 : PLAN_SHOW_MAX);
    p->plan->row_limit = limit;
    p->plan->ceiling = PLAN_SHOW_MAX;
    p->plan->keep = keep;
    return plan_statement(p, STATEMENT_SHOW, true);
}

static enum rc
in_database(struct planning *p)
{
    buf_put_z(&p->sql, "DATABASE ");
    return plan_put_database(p);
}

enum rc
plan_list_databases(struct planning *p)
{
    static const char *const keep[] = { "name", "kind", "origin", "owner", "comment", "created_on",
        NULL };

    return show(p, "DATABASES", NULL, keep);
}

enum rc
plan_list_schemas(struct planning *p)
{
    static const char *const keep[] = { "name", "database_name", "owner", "comment", "created_on",
        NULL };

    return show(p, "SCHEMAS", in_database, keep);
}

enum rc
plan_list_tables(struct planning *p)
{
    static const char *const keep[] = { "name", "schema_name", "database_name", "kind", "rows",
        "bytes", "comment", NULL };

    return show(p, "TABLES", plan_put_scope, keep);
}

enum rc
plan_list_views(struct planning *p)
{
    static const char *const keep[] = { "name", "schema_name", "database_name", "is_secure",
        "is_materialized", "comment", NULL };

    return show(p, "VIEWS", plan_put_scope, keep);
}
