/* plan_describe.c - the tools that describe a table or a view: DESCRIBE, and GET_DDL for a view.
 *
 * Workers.  Neither needs a warehouse. */
#include "mcp/plan.h"
#include "sql/ident.h"

static enum rc
describe(struct planning *p, const char *what, const char *argument, const char *const *keep,
    const char *const *rename)
{
    buf_printf(&p->sql, "DESCRIBE %s ", what);
    enum rc rc = plan_put_object(p, argument);
    if (rc != RC_OK)
        return rc;
    p->plan->row_limit = PLAN_SHOW_MAX;
    p->plan->keep = keep;
    p->plan->rename = rename;
    return plan_statement(p, STATEMENT_DESCRIBE, true);
}

enum rc
plan_describe_table(struct planning *p)
{
    static const char *const keep[] = { "name", "type", "null?", "default", "primary key",
        "unique key", "comment", NULL };
    static const char *const rename[] = { "name", "type", "nullable", "default", "primary_key",
        "unique_key", "comment", NULL };

    return describe(p, "TABLE", "table", keep, rename);
}

enum rc
plan_describe_view(struct planning *p)
{
    static const char *const keep[] = { "name", "type", "null?", "default", "comment", NULL };
    static const char *const rename[] = { "name", "type", "nullable", "default", "comment", NULL };

    enum rc rc = describe(p, "VIEW", "view", keep, rename);
    if (rc != RC_OK)
        return rc;

    struct buf name;
    rc = plan_put_object(p, "view");
    if (rc != RC_OK)
        return rc;
    size_t n = p->sql.len;
    buf_init(&name, n + 1);
    buf_put_str(&name, buf_str(&p->sql));
    buf_clear(&p->sql);
    buf_put_z(&p->sql, "SELECT GET_DDL('VIEW', ");
    bool bad = sql_put_string(&p->sql, buf_str(&name), &p->err) != 0;
    buf_put_c(&p->sql, ')');
    buf_fini(&name);
    if (bad)
        return RC_BAD_ARGUMENTS;
    rc = plan_statement(p, STATEMENT_SELECT, true);
    struct tool_statement *ddl = &p->plan->statements[1];
    ddl->gives = TOOL_DEFINITION;
    ddl->request.row_limit = 1;
    return rc;
}
