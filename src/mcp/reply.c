/* reply.c - the JSON-RPC envelope of results and errors.
 *
 * Workers.  The request's id goes back byte for byte: it is never read as a number. */
#include "mcp/reply.h"

#include "config.h"
#include "mcp/revision.h"
#include "mcp/server.h"

#include <stdio.h>

void
reply_open(const struct mcp_request *r, struct buf *out)
{
    buf_put_z(out, "{\"jsonrpc\":\"2.0\"");
    if (r->id.p) {
        buf_put_z(out, ",\"id\":");
        buf_put_str(out, r->id);
    }
}

void
reply_server_info(enum mcp_revision v, bool brief, struct buf *out)
{
    buf_put_z(out, "{\"name\":\"" SERVER_NAME "\"");
    if (!brief && revision_has(v, MCP_FIELD_TITLE))
        buf_put_z(out, ",\"title\":\"" SERVER_TITLE "\"");
    buf_put_z(out, ",\"version\":\"" PACKAGE_VERSION "\"");
    if (!brief && revision_has(v, MCP_FIELD_IMPLEMENTATION_TEXT))
        buf_put_z(out, ",\"description\":\"Read-only access to the databases, schemas, tables and "
                       "views of a Snowflake account\"");
    buf_put_c(out, '}');
}

void
reply_result_tail(enum mcp_revision v, struct buf *out)
{
    if (revision_has(v, MCP_FIELD_RESULT_TYPE))
        buf_put_z(out, ",\"resultType\":\"complete\"");
    if (revision_has(v, MCP_FIELD_SERVER_META)) {
        buf_put_z(out, ",\"_meta\":{\"" META_KEY("serverInfo") "\":");
        reply_server_info(v, true, out);
        buf_put_c(out, '}');
    }
}

enum mcp_next
reply_made(struct mcp_request *r, struct buf *out, struct str tail)
{
    reply_open(r, out);
    buf_put_str(out, tail);
    r->rc = RC_OK;
    r->http_status = 200;
    return MCP_REPLY;
}

enum mcp_next
reply_empty(struct mcp_request *r, struct buf *out)
{
    reply_open(r, out);
    buf_put_z(out, ",\"result\":{}}");
    r->rc = RC_OK;
    r->http_status = 200;
    return MCP_REPLY;
}

enum mcp_next
reply_accepted(struct mcp_request *r)
{
    r->rc = RC_OK;
    r->http_status = 202;
    return MCP_ACCEPTED;
}

void
mcp_error(struct mcp_request *r, struct buf *out, enum rc rc, struct str message, struct str data)
{
    const struct rc_info *info = &rc_table[rc];

    reply_open(r, out);
    buf_put_z(out, ",\"error\":{\"code\":");
    buf_put_i64(out, info->rpc);
    buf_put_z(out, ",\"message\":");
    json_put_string(out, message.n ? message : str_of(info->text));
    if (data.n) {
        buf_put_z(out, ",\"data\":");
        buf_put_str(out, data);
    }
    buf_put_z(out, "}}");
    r->rc = rc;
    r->http_status = info->http;
    /* Clients of the older revisions do not look into the body of a 404. */
    if (rc == RC_UNKNOWN_METHOD && !r->modern)
        r->http_status = 200;
}

enum mcp_next
reply_error(struct mcp_request *r, struct buf *out, enum rc rc, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    mcp_error(r, out, rc, (struct str){ text, utf8_cut(text, len, len) }, STR_NONE);
    return MCP_REPLY;
}
