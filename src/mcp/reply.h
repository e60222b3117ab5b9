/* reply.h - the envelope around every answer.  Workers. */
#ifndef MCP_REPLY_H
#define MCP_REPLY_H

#include "mcp/mcp.h"

#define META_KEY(name) "io.modelcontextprotocol/" name

/* {"jsonrpc":"2.0","id":7  - and nothing after it; the id is left out when it is not known. */
void reply_open(const struct mcp_request *r, struct buf *out);

/* Members of a result that only some revisions know; each starts with a comma. */
void reply_result_tail(enum mcp_revision v, struct buf *out);
/* "serverInfo":{...} without the key. */
void reply_server_info(enum mcp_revision v, bool brief, struct buf *out);

/* Whole reply out of a text that was made before fork. */
enum mcp_next reply_made(struct mcp_request *r, struct buf *out, struct str tail);
/* Whole reply: the empty result of the older revisions. */
enum mcp_next reply_empty(struct mcp_request *r, struct buf *out);
/* mcp_error() that can be returned by a handler; message as printf. */
enum mcp_next reply_error(struct mcp_request *r, struct buf *out, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* 202, or silence on other transports. */
enum mcp_next reply_accepted(struct mcp_request *r);

#endif
