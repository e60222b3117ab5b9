/* tool_error.h - what a tools/call says when it failed: in words for the model, in data for its
 * program.  Workers. */
#ifndef MCP_TOOL_ERROR_H
#define MCP_TOOL_ERROR_H

#include "mcp/mcp.h"

/* The whole reply: a result with isError.  Sets r->rc and r->http_status.  `o` may be NULL;
 * an empty message means Snowflake's, else the outcome's own text; retry_after_s -1: unknown. */
void tool_error(struct mcp_request *r, struct buf *out, enum rc rc, const struct sf_outcome *o,
    struct str message, int64_t retry_after_s);

/* Its two parts, for an answer that had begun: plain text, and the object of "error". */
void tool_error_text(struct buf *out, const struct mcp_request *r, enum rc rc,
    const struct sf_outcome *o, struct str message, int64_t retry_after_s);
void tool_error_object(struct buf *out, enum rc rc, const struct sf_outcome *o, struct str message,
    int64_t retry_after_s);

#endif
