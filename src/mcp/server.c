/* server.c - what is made once, before fork: session key, tool lists, handshake and discovery
 * texts.
 *
 * Supervisor makes it; workers read it and share its pages. */
#include "mcp/server.h"

#include "mcp/era.h"
#include "mcp/revision.h"
#include "mcp/tools.h"

#include <stdlib.h>

enum { TEXT_MAX = 4 * 1024 * 1024, DISCOVER_TTL_MS = 300000 };

static const char instructions[] =
    "Read-only access to a Snowflake account. Find your way with list_databases, list_schemas, "
    "list_tables and list_views; look at columns with describe_table and describe_view; then read "
    "rows with query_view (simple selections) or execute_query (one SELECT, WITH, SHOW, DESCRIBE "
    "or "
    "EXPLAIN in Snowflake's SQL). Results are bounded: when `truncated` is true, narrow the "
    "request "
    "as `note` says instead of fetching everything. Plain names are folded to upper case; names "
    "with other letters need double quotes.";

static void
write_initialize(enum mcp_revision v, struct buf *out)
{
    buf_printf(out,
        ",\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{}},"
        "\"serverInfo\":",
        mcp_revision_names[v]);
    reply_server_info(v, false, out);
    buf_put_z(out, ",\"instructions\":");
    json_put_z(out, instructions);
    buf_put_z(out, "}}");
}

static void
write_discover(struct buf *out)
{
    buf_printf(out,
        ",\"result\":{\"supportedVersions\":[\"%s\"],\"capabilities\":{\"tools\":{}},"
        "\"instructions\":",
        mcp_revision_names[MCP_2026_07_28]);
    json_put_z(out, instructions);
    buf_printf(out, ",\"ttlMs\":%d,\"cacheScope\":\"public\"", DISCOVER_TTL_MS);
    reply_result_tail(MCP_2026_07_28, out);
    buf_put_z(out, "}}");
}

enum mcp_next
discover(struct mcp_request *r, struct buf *out)
{
    return reply_made(r, out, r->server->discover);
}

struct mcp_server *
mcp_server_new(const struct config *c, struct err *e)
{
    struct mcp_server *s = calloc(1, sizeof *s);
    size_t ends[MCP_REVISION__COUNT + MCP_2026_07_28 + 1], at = 0;
    unsigned n = 0;

    if (!s) {
        err_set(e, "out of memory");
        return NULL;
    }
    s->config = c;
    buf_init(&s->text, TEXT_MAX);
    s->sessions = session_book_new(c, e);
    if (!s->sessions)
        goto fail;
    for (unsigned v = 0; v < MCP_REVISION__COUNT; v++) {
        tools_write_list(c, (enum mcp_revision)v, &s->text);
        ends[n++] = s->text.len;
    }
    for (unsigned v = 0; v < MCP_2026_07_28; v++) {
        write_initialize((enum mcp_revision)v, &s->text);
        ends[n++] = s->text.len;
    }
    write_discover(&s->text);
    ends[n] = s->text.len;
    if (s->text.failed) {
        err_set(e, "out of memory for the tool lists");
        goto fail;
    }
    /* Only now the buffer does not move any more. */
    for (unsigned i = 0; i <= n; at = ends[i++]) {
        struct str text = { s->text.p + at, ends[i] - at };
        if (i < MCP_REVISION__COUNT)
            s->tools[i] = text;
        else if (i < n)
            s->initialize[i - MCP_REVISION__COUNT] = text;
        else
            s->discover = text;
    }
    return s;
fail:
    mcp_server_free(s);
    return NULL;
}

void
mcp_server_inherit(struct mcp_server *s, const struct mcp_server *from)
{
    if (!s->config->server_key_file)
        session_book_inherit(s->sessions, from->sessions);
}

void
mcp_server_free(struct mcp_server *s)
{
    if (!s)
        return;
    buf_fini(&s->text);
    session_book_free(s->sessions);
    free(s);
}
