/* plan.c - tool_plan(): checks the arguments of a call and lets the tool write its statements.
 *
 * Workers.  Also what the tools share: how a name is completed from arguments and settings. */
#include "mcp/plan.h"

#include "mcp/server.h"
#include "mcp/tool_error.h"
#include "sql/ident.h"

enum { STATEMENT_MAX = 2 * 1024 * 1024 };

/* ---- names ---------------------------------------------------------------------------------- */

/* "X" for one name of an argument; `what` names it in messages. */
static enum rc
put_name(struct planning *p, struct buf *out, const char *what, struct str name)
{
    struct str parts[SQL_NAME_PARTS_MAX];
    size_t n;

    if (sql_split_qualified(name, parts, &n, &p->err) != 0) {
        err_prefix(&p->err, "%s", what);
        return RC_BAD_ARGUMENTS;
    }
    if (n != 1) {
        err_set(&p->err,
            "%s must be one name without dots, got %zu (a dot that belongs to the name "
            "needs double quotes around it)",
            what, n);
        return RC_BAD_ARGUMENTS;
    }
    if (sql_put_ident(out, parts[0], &p->err) != 0) {
        err_prefix(&p->err, "%s", what);
        return RC_BAD_ARGUMENTS;
    }
    return RC_OK;
}

/* A setting is spelled as SHOW prints it: nothing is folded. */
static void
put_setting(struct buf *out, const char *name)
{
    buf_put_c(out, '"');
    for (; *name; name++) {
        if (*name == '"')
            buf_put_c(out, '"');
        buf_put_c(out, *name);
    }
    buf_put_c(out, '"');
}

/* From what stands before the dot, else the argument, else the setting.  Both of the first two
 * must mean the same. */
static enum rc
put_part(struct planning *p, struct buf *out, const char *argument, struct str in_name,
    const char *setting)
{
    const struct arg *a = args_at(p->args, argument);
    enum rc rc = RC_OK;

    if (in_name.p) {
        struct buf other;
        size_t at = out->len;
        buf_init(&other, 4096);
        if ((rc = put_name(p, out, argument, in_name)) == RC_OK && a->value &&
            (rc = put_name(p, &other, argument, a->text)) == RC_OK &&
            !str_eq(str_from(buf_str(out), at), buf_str(&other))) {
            err_set(&p->err, "%s is given twice and differs: %.*s and %.*s", argument,
                STR_ARG(str_from(buf_str(out), at)), STR_ARG(buf_str(&other)));
            rc = RC_BAD_ARGUMENTS;
        }
        buf_fini(&other);
        return rc;
    }
    if (a->value)
        return put_name(p, out, argument, a->text);
    if (setting) {
        put_setting(out, setting);
        return RC_OK;
    }
    err_set(&p->err,
        "no %s: pass `%s` (the server has no default; see list_%ss), or write the name in full",
        argument, argument, argument);
    return RC_BAD_ARGUMENTS;
}

enum rc
plan_put_database(struct planning *p)
{
    return put_part(p, &p->sql, "database", STR_NONE, p->c->sf_database);
}

enum rc
plan_put_scope(struct planning *p)
{
    /* A database without a schema means all its schemas: the configured schema need not exist
     * there. */
    bool whole =
        !args_has(p->args, "schema") && (args_has(p->args, "database") || !p->c->sf_schema);

    buf_put_z(&p->sql, whole ? "DATABASE " : "SCHEMA ");
    enum rc rc = plan_put_database(p);
    if (rc != RC_OK || whole)
        return rc;
    buf_put_c(&p->sql, '.');
    return put_part(p, &p->sql, "schema", STR_NONE, p->c->sf_schema);
}

enum rc
plan_put_object(struct planning *p, const char *argument)
{
    struct str parts[SQL_NAME_PARTS_MAX];
    size_t n;
    enum rc rc;

    if (sql_split_qualified(args_at(p->args, argument)->text, parts, &n, &p->err) != 0) {
        err_prefix(&p->err, "%s", argument);
        return RC_BAD_ARGUMENTS;
    }
    rc = put_part(p, &p->sql, "database", n > 2 ? parts[0] : STR_NONE, p->c->sf_database);
    if (rc != RC_OK)
        return rc;
    buf_put_c(&p->sql, '.');
    rc = put_part(p, &p->sql, "schema", n > 1 ? parts[n - 2] : STR_NONE, p->c->sf_schema);
    if (rc != RC_OK)
        return rc;
    buf_put_c(&p->sql, '.');
    return put_name(p, &p->sql, argument, parts[n - 1]);
}

enum rc
plan_context_name(struct planning *p, const char *argument, const char **name)
{
    const struct arg *a = args_at(p->args, argument);
    struct buf quoted;

    *name = NULL;
    if (!a->value)
        return RC_OK;
    buf_init(&quoted, 8192);
    enum rc rc = put_name(p, &quoted, argument, a->text);
    if (rc == RC_OK) {
        char *to = arena_alloc(p->r->arena, quoted.len + 1);
        size_t n = 0;
        for (size_t i = 1; to && i + 1 < quoted.len; i++) {
            to[n++] = quoted.p[i];
            i += quoted.p[i] == '"'; /* of two quotes one is the name's */
        }
        *name = to;
        rc = to ? RC_OK : RC_NO_MEMORY;
    }
    buf_fini(&quoted);
    return rc;
}

/* ---- statements -------------------------------------------------------------------------------
 */

enum rc
plan_statement(struct planning *p, enum metric_statement kind, bool metadata)
{
    struct tool_statement *s = &p->plan->statements[p->plan->n_statements++];

    s->request.sql = arena_str(p->r->arena, buf_str(&p->sql));
    s->request.row_limit = p->plan->row_limit;
    s->request.metadata = metadata;
    s->metric = kind;
    s->gives = TOOL_ROWS;
    bool failed = p->sql.failed || !s->request.sql.p;
    buf_clear(&p->sql);
    return failed ? RC_NO_MEMORY : RC_OK;
}

enum rc
tool_plan(struct mcp_request *r, struct tool_plan *plan, struct buf *out)
{
    const struct config *c = r->server->config;
    struct args args;
    struct planning p = { .r = r, .c = c, .args = &args, .plan = plan };
    enum rc rc = RC_BAD_ARGUMENTS;

    memset(plan, 0, sizeof *plan);
    buf_init(&p.sql, STATEMENT_MAX);
    if (args_read(&args, r->tool->shape, c, "", json_get(r->params, "arguments"),
            json_member(r->params_text, "arguments"), &p.err) == 0)
        rc = r->tool->plan(&p);
    buf_fini(&p.sql);
    r->rc = rc;
    if (rc != RC_OK)
        tool_error(r, out, rc, NULL, str_of(p.err.text), -1);
    return rc;
}
