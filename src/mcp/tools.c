/* tools.c - the table of tools, its names for metrics, and the two methods that show and call it.
 *
 * The tables are read by any process; the handlers run in workers. */
#include "mcp/tools.h"

#include "mcp/era.h"
#include "mcp/plan.h"
#include "mcp/server.h"
#include "must.h"

#include <stdio.h>

static const struct tool tools[] = {
#define TOOL(name, title, open_world, description)                                                 \
    { #name, title, description, open_world, SHAPE_##name, plan_##name },
#define SHAPE(name)
#define FIELD(shape, name, type, needed, bound, of, help)
#include "mcp/tools.def"
#undef TOOL
#undef SHAPE
#undef FIELD
};

enum { OPTIONAL, REQUIRED };

static const struct field fields[] = {
#define TOOL(name, title, open_world, description)
#define SHAPE(name)
#define FIELD(shape, name, type, needed, bound, of, help)                                          \
    { SHAPE_##shape, #name, TYPE_##type, (needed) == REQUIRED, BOUND_##bound, of, help },
#include "mcp/tools.def"
#undef TOOL
#undef SHAPE
#undef FIELD
};

static const char *const shape_names[SHAPE__COUNT] = {
#define TOOL(name, title, open_world, description) #name,
#define SHAPE(name)                                #name,
#define FIELD(shape, name, type, needed, bound, of, help)
#include "mcp/tools.def"
#undef TOOL
#undef SHAPE
#undef FIELD
};

const struct field *
tool_fields(enum shape s, unsigned *count)
{
    unsigned first = 0;

    while (first < NELEM(fields) && fields[first].shape != s)
        first++;
    *count = 0;
    while (first + *count < NELEM(fields) && fields[first + *count].shape == s)
        (*count)++;
    return fields + first;
}

enum shape
tool_item_shape(const struct field *f)
{
    for (unsigned i = 0; i < SHAPE__COUNT; i++)
        if (f->type == TYPE_OBJECTS && strcmp(f->of, shape_names[i]) == 0)
            return (enum shape)i;
    must(!"an OBJECTS field names a SHAPE");
    return SHAPE__COUNT;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void
tool_field_range(
    const struct field *f, const struct config *c, uint64_t *min, uint64_t *max, uint64_t *standard)
{
    *min = 1;
    *max = *standard = 0;
    switch (f->bound) {
    case BOUND_NONE:
        *min = 0;
        break;
    case BOUND_NAME:
    case BOUND_PATTERN:
        *max = 1024;
        break;
    case BOUND_SQL:
        *max = c->query_max_sql;
        break;
    case BOUND_COLUMNS:
        *max = 1000;
        break;
    case BOUND_ITEMS:
        *max = 32;
        break;
    case BOUND_SHOW_LIMIT:
        *max = least(c->query_limit_max, PLAN_SHOW_MAX);
        *standard = least(c->query_limit_default, *max);
        break;
    case BOUND_LIMIT:
        *max = c->query_limit_max;
        *standard = least(c->query_limit_default, *max);
        break;
    case BOUND_VIEW_LIMIT:
        *max = c->query_limit_max;
        *standard = least(c->query_view_limit_default, *max);
        break;
    case BOUND_TIMEOUT:
        *max = *standard = c->query_timeout_s;
        break;
    }
}

const struct tool *
tool_find(struct str name)
{
    for (unsigned i = 0; i < NELEM(tools); i++)
        if (str_is(name, tools[i].name))
            return &tools[i];
    return NULL;
}

void
tool_list_names(char *to, size_t size)
{
    size_t at = 0;

    to[0] = '\0';
    for (unsigned i = 0; i < NELEM(tools) && at < size; i++)
        at += (size_t)snprintf(to + at, size - at, "%s%s", i ? ", " : "", tools[i].name);
}

const char *
tool_name(const struct tool *t)
{
    return t ? t->name : "unknown";
}

unsigned
tool_index(const struct tool *t)
{
    return t ? (unsigned)(t - tools) : (unsigned)NELEM(tools);
}

const char *const *
tool_names(unsigned *count)
{
    static const char *const names[] = {
#define TOOL(name, title, open_world, description) #name,
#define SHAPE(name)
#define FIELD(shape, name, type, needed, bound, of, help)
#include "mcp/tools.def"
#undef TOOL
#undef SHAPE
#undef FIELD
        "other",
    };
    _Static_assert(NELEM(names) == NELEM(tools) + 1, "one label per tool and one for the rest");

    *count = NELEM(names);
    return names;
}

const char *
did_you_mean(char *to, size_t size, struct str wrong, const char *(*name)(const void *, unsigned),
    const void *arg, unsigned n)
{
    unsigned best = 4; /* further away it is another word */
    const char *found = NULL;

    for (unsigned i = 0; i < n; i++) {
        unsigned d = str_distance(wrong, str_of(name(arg, i)));
        if (d < best && d * 2 <= wrong.n) {
            best = d;
            found = name(arg, i);
        }
    }
    to[0] = '\0';
    if (found)
        snprintf(to, size, "; did you mean \"%s\"?", found);
    return to;
}

static const char *
name_of_tool(const void *arg, unsigned i)
{
    return ((const struct tool *)arg)[i].name;
}

enum mcp_next
tools_list(struct mcp_request *r, struct buf *out)
{
    if (json_get(r->params, "cursor")) /* all fit on one page: none was ever given out */
        return reply_error(r, out, RC_BAD_PARAMS, "params.cursor is not a cursor of this server");
    return reply_made(r, out, r->server->tools[r->revision]);
}

enum mcp_next
tools_call(struct mcp_request *r, struct buf *out)
{
    const struct json *name = json_get(r->params, "name");
    const struct json *arguments = json_get(r->params, "arguments");

    if (json_type(name) != JSON_STRING)
        return reply_error(r, out, RC_BAD_PARAMS, "params.name is required: the name of a tool");
    r->tool = tool_find(json_string(name));
    if (!r->tool) {
        char known[256], guess[80];
        struct str wrong = json_string(name);
        tool_list_names(known, sizeof known);
        return reply_error(r, out, RC_UNKNOWN_TOOL, "unknown tool: %.*s%s (tools: %s)",
            (int)utf8_cut(wrong.p, wrong.n, 64), wrong.p,
            did_you_mean(guess, sizeof guess, wrong, name_of_tool, tools, NELEM(tools)), known);
    }
    if (arguments && json_type(arguments) != JSON_OBJECT)
        return reply_error(r, out, RC_BAD_PARAMS, "params.arguments must be an object");
    if (r->modern && json_get(r->params, "requestState")) /* none was ever given out */
        return reply_error(r, out, RC_BAD_PARAMS, "params.requestState is not of this server");
    r->http_status = 200;
    return MCP_RUN;
}
