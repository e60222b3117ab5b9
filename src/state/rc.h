/* rc.h - the outcomes of rc.def as an enum and a table.  Any process. */
#ifndef STATE_RC_H
#define STATE_RC_H

#include <stdbool.h>

enum rc {
#define RC(sym, status, http, rpc, cls, retry, text) RC_##sym,
#include "state/rc.def"
#undef RC
    RC__COUNT
};

struct rc_info {
    const char *name;  /* "SQL_DENIED" */
    int status;        /* label in metrics and log */
    int http;          /* HTTP status where it is a transport fault */
    int rpc;           /* JSON-RPC code */
    const char *class; /* named in tool errors and in mcp_tool_errors_total */
    bool retry;        /* trying again later may help */
    const char *text;  /* public, constant */
};

extern const struct rc_info rc_table[RC__COUNT];

#endif
