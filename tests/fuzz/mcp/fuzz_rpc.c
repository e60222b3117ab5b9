/* fuzz_rpc.c - one message of arbitrary bytes with arbitrary headers, all the way to a result.
 *
 * Input: header lines, an empty line, the body; without an empty line all is body.
 *     V=, M=, N=, S= the four headers (S=@: a session id that is valid), R a repeated header,
 *     T a transport without headers
 * Whatever comes out must be one valid JSON document that repeats the id. */
#include "must.h"
#include "unit/mcp/mcp_defaults.h"

#include "mcp/mcp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mcp_server *server;
static struct config config;
static char session[256];

static void
check_reply(const struct buf *out)
{
    struct json_fault fault;

    must(!out->failed);
    must(out->len > 0);
    must(json_check(buf_str(out), 64, 64, &fault) == 0);
    must(str_is(json_member(buf_str(out), "jsonrpc"), "\"2.0\""));
}

static void
run(struct mcp_request *r, struct buf *out)
{
    enum mcp_next next = mcp_decode(r, out);

    if (next == MCP_RUN)
        next = mcp_dispatch(r, out);
    if (next == MCP_ACCEPTED) {
        must(out->len == 0);
        return;
    }
    if (next == MCP_REPLY) {
        check_reply(out);
        must(r->http_status >= 200);
        return;
    }
    must(r->tool && out->len == 0);

    struct tool_plan plan;
    if (tool_plan(r, &plan, out) != RC_OK) {
        check_reply(out);
        return;
    }
    must(plan.n_statements >= 1 && plan.n_statements <= TOOL_STATEMENTS_MAX);
    /* The message comes back as rows. */
    struct result_writer *w = result_new(r, &plan, &config, out);
    must(w);
    struct sf_column column = { .name = plan.statements[0].request.sql,
        .type = (enum sf_type)(r->body.n % (SF_UNKNOWN + 1)),
        .type_text = r->method };
    struct buf inside; /* cells are the inside of a JSON string */
    buf_init(&inside, 8 << 20);
    json_put_string_body(&inside, r->body);
    struct sf_cell cell = { .json = buf_str(&inside), .escaped = true };
    for (unsigned i = 0; i < plan.n_statements; i++) {
        result_begin(w, i);
        result_columns(w, &column, 1);
        result_row(w, &cell, 1);
        if (r->body.n % 3 == 0)
            result_drained(w); /* nothing was taken, but there is no way back */
        result_row(w, &cell, 1);
    }
    struct sf_outcome o = { .message = r->body, .code = r->method, .retry_after_s = -1 };
    if (r->body.n % 2)
        result_finish(w, &o);
    else
        result_fail(w, RC_SQL_FAILED, &o, STR_NONE, -1);
    check_reply(out);
    result_free(w);
    buf_fini(&inside);
}

static bool
header_line(struct mcp_request *r, struct str line)
{
    struct str value = str_from(line, 2);

    if (str_is(line, "R"))
        r->headers.repeated = "Mcp-Session-Id";
    else if (str_is(line, "T"))
        r->transport = MCP_STDIO;
    else if (str_starts(line, "V="))
        r->headers.protocol_version = value;
    else if (str_starts(line, "M="))
        r->headers.method = value;
    else if (str_starts(line, "N="))
        r->headers.name = value;
    else if (str_starts(line, "S="))
        r->headers.session_id = str_is(value, "@") ? str_of(session) : value;
    else
        return false;
    return true;
}

static void
make_server(void)
{
    struct err e;

    default_config(&config);
    config.sf_database = "DEMO_DB";
    config.sf_schema = "PUBLIC";
    server = mcp_server_new(&config, &e);
    must(server);
    struct buf out;
    buf_init(&out, 1 << 16);
    struct mcp_request r = { .server = server,
        .arena = arena_new(1 << 16),
        .principal = STR("anonymous"),
        .body = STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                    "\"protocolVersion\":\"2025-11-25\"}}") };
    must(mcp_decode(&r, &out) == MCP_RUN && mcp_dispatch(&r, &out) == MCP_REPLY);
    must(str_copy(session, sizeof session, r.session_id));
    mcp_request_fini(&r);
    arena_free(r.arena);
    buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = { size ? (const char *)data : "", size }, line;
    struct buf out;

    if (!server)
        make_server();
    struct mcp_request r = {
        .server = server, .arena = arena_new(1 << 20), .principal = STR("anonymous"), .body = rest
    };
    must(r.arena);
    while (str_split(&rest, '\n', &line) && rest.p) {
        if (line.n == 0)
            r.body = rest;
        if (!header_line(&r, line))
            break;
    }
    buf_init(&out, 64 << 20);
    run(&r, &out);
    mcp_request_fini(&r);
    arena_free(r.arena);
    buf_fini(&out);
    return 0;
}
