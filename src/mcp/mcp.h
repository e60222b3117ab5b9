/* mcp.h - the Model Context Protocol without transport: from the text of one message to either the
 * bytes of its reply or a plan of statements, and from rows to the bytes of a result.
 *
 * Stateless apart from what struct mcp_server fixed at start, so any worker serves any message.
 * Knows nothing of evhttp, sockets or leases.  Checks and their order: section 1-7 of the
 * checklist in the specification, per revision. */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include "arena.h"
#include "json_dom.h"
#include "sf/sf.h"
#include "state/config.h"
#include "state/rc.h"

enum mcp_revision {
    MCP_2024_11_05,
    MCP_2025_03_26,
    MCP_2025_06_18,
    MCP_2025_11_25, /* legacy: initialize */
    MCP_2026_07_28, /* modern: stateless */
    MCP_REVISION__COUNT
};
extern const char *const mcp_revision_names[MCP_REVISION__COUNT];

enum mcp_transport { MCP_HTTP, MCP_WEBSOCKET, MCP_STDIO };

/* Fixed before fork: serialised tool lists, session key, policy of the guard. */
struct mcp_server;
struct mcp_server *mcp_server_new(const struct config *c, struct err *e);
void mcp_server_free(struct mcp_server *s);
/* Reload, before fork: sessions that `from` issued stay valid.  With a key file nothing is taken
 * over: the file says which sessions are. */
void mcp_server_inherit(struct mcp_server *s, const struct mcp_server *from);

/* What the HTTP front end read from the header list.  p NULL: absent.  `repeated` names a header
 * that came twice or with a byte outside 0x20-0x7e and tab (a mismatch for modern requests). */
struct mcp_headers {
    struct str protocol_version, method, name, session_id;
    const char *repeated;
};

struct tool; /* one line of tools.def */

/* One message on its way.  Zeroed by the caller, who sets the inputs; owned by the call. */
struct mcp_request {
    /* inputs */
    struct mcp_server *server;
    struct arena *arena; /* lives as long as the call */
    enum mcp_transport transport;
    struct mcp_headers headers;
    struct str principal; /* authenticated name; "anonymous" without authentication */
    struct str body;      /* the text; lives as long as the call */
    /* WebSocket, stdio: 1 + the revision that initialize chose on this connection (r->revision of
     * that request), 0 before.  HTTP: unused, the session id says it. */
    unsigned negotiated;

    /* what mcp_decode() found */
    struct json *doc; /* freed by mcp_request_fini() */
    struct str id;    /* raw bytes, echoed verbatim; p NULL: none */
    bool is_notification;
    bool is_response;
    struct str method;
    const struct json *params; /* NULL: absent */
    struct str params_text;    /* raw */
    bool modern;
    enum mcp_revision revision;
    struct str client_name; /* clientInfo.name where given (escaped by whoever prints it) */
    struct str traceparent;
    struct str progress_token; /* raw */

    /* what mcp_dispatch() decided */
    const struct tool *tool; /* of a tools/call, also when refused; NULL: unknown or none */
    struct str session_id;   /* issue this one in Mcp-Session-Id; p NULL: none */
    enum rc rc;              /* outcome so far */
    int http_status;         /* for MCP_REPLY and MCP_ACCEPTED over HTTP */
};

enum mcp_next {
    MCP_REPLY,    /* `out` holds the whole JSON reply */
    MCP_ACCEPTED, /* nothing to say: 202 with an empty body */
    MCP_RUN       /* a tools/call: plan it with tool_plan(), then run the plan */
};

/* Text to message: UTF-8, JSON, JSON-RPC shape, era.  MCP_RUN means "go on with dispatch". */
enum mcp_next mcp_decode(struct mcp_request *r, struct buf *out);
/* Method table: answers everything but tools/call itself. */
enum mcp_next mcp_dispatch(struct mcp_request *r, struct buf *out);
void mcp_request_fini(struct mcp_request *r);

/* The session id belongs to this principal and has not expired (GET and DELETE of the older
 * revisions).  A session id is never an authentication. */
bool mcp_session_valid(const struct mcp_server *s, struct str principal, struct str session_id);

/* A JSON-RPC error reply with our code for `rc`; data is raw JSON or STR_NONE.  Used by the front
 * end for refusals as well (r may lack an id).  Sets r->rc, r->http_status. */
void mcp_error(
    struct mcp_request *r, struct buf *out, enum rc rc, struct str message, struct str data_json);

/* ---- tools ---------------------------------------------------------------------------------- */

const char *tool_name(const struct tool *t);    /* "unknown" for NULL */
unsigned tool_index(const struct tool *t);      /* METRIC_DIM_TOOL label; the last for NULL */
const char *const *tool_names(unsigned *count); /* for metrics_name_dim(), with "other" last */

enum { TOOL_STATEMENTS_MAX = 2, TOOL_BINDS_MAX = 32 };

/* What a call will run: at most two statements, one after the other on one lease. */
struct tool_statement {
    struct sf_request request; /* request_id and query_tag are filled by the runner */
    enum { TOOL_ROWS, TOOL_DEFINITION } gives; /* rows of the result, or one text for a field */
    unsigned metric;                           /* enum metric_statement */
};

struct tool_plan {
    struct tool_statement statements[TOOL_STATEMENTS_MAX];
    unsigned n_statements;
    struct sf_bind binds[TOOL_BINDS_MAX];
    uint64_t row_limit;
    uint64_t ceiling;          /* Snowflake itself gives no more rows than this (SHOW); 0: none */
    const char *const *keep;   /* columns to keep, in order (SHOW gives too many); NULL: all */
    const char *const *rename; /* their names in the result; NULL: as they are */
    uint64_t fingerprint;      /* of the caller's SQL; 0 */
};

/* Schema and SQL checks.  RC_OK with *plan (its memory in r->arena); else `out` holds the whole
 * reply (a result with isError) and r->rc says why. */
enum rc tool_plan(struct mcp_request *r, struct tool_plan *plan, struct buf *out);

/* ---- results: rows in, JSON-RPC reply out ---------------------------------------------------- */

/* One per running tools/call.  Bytes appear in `out`; the caller drains them whenever it likes
 * (keep out->max above output needs of one row).  Until result_drained() was called the writer may
 * still replace everything by a clean error; afterwards a failure ends the same JSON with isError.
 */
struct result_writer;
size_t result_room(const struct config *c); /* bytes that one call below appends at most */
struct result_writer *result_new(struct mcp_request *r, const struct tool_plan *plan,
    const struct config *c, struct buf *out); /* NULL: no memory */
void result_free(struct result_writer *w);
void result_drained(struct result_writer *w); /* bytes left for the client */

void result_begin(struct result_writer *w, unsigned statement); /* plan->statements[statement] */
void result_columns(struct result_writer *w, const struct sf_column *cols, unsigned n);
enum sf_flow result_row(struct result_writer *w, const struct sf_cell *cells, unsigned n);
/* After the last statement, with its outcome (rc == RC_OK). */
void result_finish(struct result_writer *w, const struct sf_outcome *o);
/* Failure at any point: of a statement (o given), or ours (o NULL: rc and message).  Afterwards
 * r->rc tells how the call counts: it is RC_OK when only the definition of a view was withheld. */
void result_fail(struct result_writer *w, enum rc rc, const struct sf_outcome *o,
    struct str message, int64_t retry_after_s);
uint64_t result_rows(const struct result_writer *w);
uint64_t result_row_bytes(const struct result_writer *w);

#endif
