/* server.h - what is fixed before fork and the same for every message.  Any worker, read only. */
#ifndef MCP_SERVER_H
#define MCP_SERVER_H

#include "mcp/mcp.h"
#include "mcp/session.h"

#define SERVER_NAME  "snowflake-mcp"
#define SERVER_TITLE "Snowflake (read-only)"

struct mcp_server {
    const struct config *config; /* lent by the caller of mcp_server_new() */
    struct session_book *sessions;
    /* Results that never change, from the comma behind the id to the closing brace. */
    struct str tools[MCP_REVISION__COUNT];
    struct str discover;
    struct str initialize[MCP_2026_07_28];
    struct buf text; /* their memory */
};

#endif
