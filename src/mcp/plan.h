/* plan.h - from a tool and its checked arguments to the statements that answer it.  Workers.
 *
 * Names and literals go into SQL through sql/ident.h alone; values through bindings. */
#ifndef MCP_PLAN_H
#define MCP_PLAN_H

#include "mcp/tools.h"
#include "state/metrics.h"

enum { PLAN_SHOW_MAX = 10000 /* rows of SHOW and DESCRIBE, by Snowflake's own limit */ };

struct planning {
    struct mcp_request *r;
    const struct config *c;
    const struct args *args;
    struct tool_plan *plan;
    struct buf sql; /* the statement that is being written */
    struct err err; /* set with any result but RC_OK */
};

/* One per TOOL of tools.def: RC_OK, or why not with p->err. */
#define TOOL(name, title, open_world, description) enum rc plan_##name(struct planning *p);
#define SHAPE(name)
#define FIELD(shape, name, type, needed, bound, of, help)
#include "mcp/tools.def"
#undef TOOL
#undef SHAPE
#undef FIELD

/* p->sql becomes the next statement of the plan. */
enum rc plan_statement(struct planning *p, enum metric_statement kind, bool metadata);

/* Appends "DB", "DB"."SCHEMA" or "DB"."SCHEMA"."OBJECT" from the arguments and the settings.
 * plan_put_object: `argument` names the object's argument. */
enum rc plan_put_database(struct planning *p);
enum rc plan_put_scope(struct planning *p); /* DATABASE "D" or SCHEMA "D"."S", for SHOW ... IN */
enum rc plan_put_object(struct planning *p, const char *argument);
/* The name alone as Snowflake's request fields want it (folded, unquoted); NULL: not given. */
enum rc plan_context_name(struct planning *p, const char *argument, const char **name);

#endif
