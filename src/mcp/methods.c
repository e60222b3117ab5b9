/* methods.c - from a method's name to what answers it, and mcp_dispatch().
 *
 * Workers.  Adding a method is one line in methods.def and its handler. */
#include "mcp/era.h"
#include "must.h"

enum { LEGACY = 1, MODERN = 2 };

static const struct method {
    const char *name;
    unsigned eras;
    method_handler *handler;
} methods[] = {
#define METHOD(name, eras, handler) { name, eras, handler },
#define NAME_SOURCE(method, parameter)
#include "mcp/methods.def"
#undef METHOD
#undef NAME_SOURCE
};

static const struct name_source {
    const char *method, *parameter;
} name_sources[] = {
#define METHOD(name, eras, handler)
#define NAME_SOURCE(method, parameter) { method, parameter },
#include "mcp/methods.def"
#undef METHOD
#undef NAME_SOURCE
};

method_handler *
method_find(struct str name, bool modern)
{
    for (unsigned i = 0; i < NELEM(methods); i++)
        if (str_is(name, methods[i].name))
            return methods[i].eras & (modern ? MODERN : LEGACY) ? methods[i].handler : NULL;
    return NULL;
}

const char *
method_name_source(struct str name)
{
    for (unsigned i = 0; i < NELEM(name_sources); i++)
        if (str_is(name, name_sources[i].method))
            return name_sources[i].parameter;
    return NULL;
}

enum mcp_next
method_check(struct mcp_request *r, struct buf *out)
{
    if (method_find(r->method, r->modern))
        return MCP_RUN;
    return reply_error(r, out, RC_UNKNOWN_METHOD, "method not found: %.*s%s",
        (int)utf8_cut(r->method.p, r->method.n, 80), r->method.p,
        method_find(r->method, !r->modern) ? " (it belongs to other revisions of the protocol)"
                                           : "");
}

enum mcp_next
mcp_dispatch(struct mcp_request *r, struct buf *out)
{
    enum mcp_next next = r->modern ? modern_check(r, out) : legacy_check(r, out);

    return next == MCP_RUN ? method_find(r->method, r->modern)(r, out) : next;
}
