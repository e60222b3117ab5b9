/* era.h - the two halves of the protocol: revisions that begin with initialize (legacy) and the
 * stateless one that carries everything in each request (modern).  Workers. */
#ifndef MCP_ERA_H
#define MCP_ERA_H

#include "mcp/reply.h"

#define META_VERSION      META_KEY("protocolVersion")
#define META_CAPABILITIES META_KEY("clientCapabilities")
#define META_CLIENT       META_KEY("clientInfo")
#define META_LOG_LEVEL    META_KEY("logLevel")

/* Checks of a request before its method runs.  MCP_RUN: go on. */
enum mcp_next modern_check(struct mcp_request *r, struct buf *out);
enum mcp_next legacy_check(struct mcp_request *r, struct buf *out);

/* Handlers (methods.def). */
enum mcp_next legacy_initialize(struct mcp_request *r, struct buf *out);
enum mcp_next legacy_ping(struct mcp_request *r, struct buf *out);
enum mcp_next discover(struct mcp_request *r, struct buf *out);
enum mcp_next tools_list(struct mcp_request *r, struct buf *out);
enum mcp_next tools_call(struct mcp_request *r, struct buf *out);

/* Method table.  NULL: not known in this era. */
typedef enum mcp_next method_handler(struct mcp_request *r, struct buf *out);
method_handler *method_find(struct str name, bool modern);
/* MCP_RUN, or the answer to a method that this era does not know. */
enum mcp_next method_check(struct mcp_request *r, struct buf *out);
/* The parameter that Mcp-Name repeats, or NULL. */
const char *method_name_source(struct str name);

#endif
