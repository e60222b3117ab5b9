/* rpc.c - from the bytes of one message to a request whose era is known.
 *
 * Workers.  Everything here reads what a stranger sent: UTF-8, JSON, duplicate keys, NUL and depth
 * are checked by lib/json before anything is looked at; ids and tokens stay raw bytes. */
#include "mcp/era.h"
#include "mcp/revision.h"
#include "mcp/server.h"

enum { TRACEPARENT_MAX = 128 };

static enum mcp_next
not_json(struct mcp_request *r, struct buf *out, const struct json_fault *f)
{
    switch (f->kind) {
    case JSON_OK:
        mcp_error(r, out, RC_NO_MEMORY, STR_NONE, STR_NONE);
        r->http_status = 500;
        return MCP_REPLY;
    case JSON_SYNTAX:
    case JSON_UTF8:
        return reply_error(
            r, out, RC_BAD_JSON, "not valid JSON: %s at byte %zu", f->message, f->offset);
    case JSON_NUL:
    case JSON_DEPTH:
    case JSON_DUPLICATE:
        break;
    }
    return reply_error(
        r, out, RC_BAD_REQUEST, "malformed request: %s at byte %zu", f->message, f->offset);
}

static const struct json *
claim_in(const struct json *params)
{
    return json_get(json_get(params, "_meta"), META_VERSION);
}

/* The body is an array.  Batches belong to 2025-03-26 alone. */
static enum mcp_next
batch(struct mcp_request *r, struct buf *out)
{
    if (json_count(r->doc) == 0)
        return reply_error(r, out, RC_BAD_REQUEST, "an empty batch");
    for (const struct json *m = json_first(r->doc); m; m = json_following(m))
        if (claim_in(json_get(m, "params")))
            return reply_error(r, out, RC_BAD_REQUEST,
                "requests of revision %s cannot be batched: send them one by one",
                mcp_revision_names[MCP_2026_07_28]);
    return reply_error(
        r, out, RC_BAD_REQUEST, "batches are not accepted: send the messages one by one");
}

static bool
is_integer_literal(struct str s)
{
    size_t i = s.n && s.p[0] == '-';

    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* jsonrpc, id, method, params, or result/error.  MCP_RUN: it is a message. */
static enum mcp_next
shape(struct mcp_request *r, struct buf *out)
{
    const struct json *id = json_get(r->doc, "id"), *method = json_get(r->doc, "method");
    const struct json *result = json_get(r->doc, "result"), *error = json_get(r->doc, "error");

    if (json_type(r->doc) != JSON_OBJECT)
        return reply_error(r, out, RC_BAD_REQUEST, "a message is a JSON object");
    struct str raw = json_member(r->body, "id");
    bool id_ok =
        json_type(id) == JSON_STRING || (json_type(id) == JSON_NUMBER && is_integer_literal(raw));
    if (id_ok)
        r->id = raw;
    if (!str_is(json_string(json_get(r->doc, "jsonrpc")), "2.0"))
        return reply_error(r, out, RC_BAD_REQUEST, "\"jsonrpc\" must be \"2.0\"");
    if (id && !id_ok)
        return reply_error(
            r, out, RC_BAD_REQUEST, "\"id\" must be a string or an integer without a fraction");
    if (!method) {
        if ((result != NULL) == (error != NULL) || (result && !id))
            return reply_error(
                r, out, RC_BAD_REQUEST, "neither a request (\"method\") nor a response");
        r->is_response = true;
        return MCP_RUN;
    }
    if (json_type(method) != JSON_STRING || json_string(method).n == 0)
        return reply_error(r, out, RC_BAD_REQUEST, "\"method\" must be a string");
    if (result || error)
        return reply_error(r, out, RC_BAD_REQUEST, "both a request (\"method\") and a response");
    r->method = json_string(method);
    r->is_notification = !id;
    r->params = json_get(r->doc, "params");
    if (r->params) {
        if (json_type(r->params) != JSON_OBJECT)
            return reply_error(r, out, RC_BAD_REQUEST, "\"params\" must be an object");
        r->params_text = json_member(r->body, "params");
    }
    return MCP_RUN;
}

/* The body decides; the header is only a cross-check (section 2 of the checklist). */
static enum mcp_next
select_era(struct mcp_request *r, struct buf *out)
{
    const struct json *claim = claim_in(r->params);
    struct str header = r->transport == MCP_HTTP ? r->headers.protocol_version : STR_NONE;
    bool other_header = header.p && !revision_names_legacy(str_trim(header));

    if (r->is_response)
        return MCP_RUN;
    if (str_is(r->method, "initialize")) {
        enum mcp_revision v;
        r->modern =
            json_type(claim) == JSON_STRING && revision_find(json_string(claim), &v) &&
            !revision_is_legacy(v) &&
            json_type(json_get(json_get(r->params, "_meta"), META_CAPABILITIES)) == JSON_OBJECT;
        if (!r->modern && other_header)
            return reply_error(r, out, RC_HEADER_MISMATCH,
                "MCP-Protocol-Version does not name a revision that begins with initialize");
    } else {
        r->modern = claim || other_header;
    }
    if (r->modern)
        r->revision = MCP_2026_07_28;
    return MCP_RUN;
}

static void
read_meta(struct mcp_request *r)
{
    const struct json *meta = json_get(r->params, "_meta");

    if (json_type(meta) != JSON_OBJECT)
        return;
    r->client_name = json_string(json_get(json_get(meta, META_CLIENT), "name"));
    struct str trace = json_string(json_get(meta, "traceparent"));
    if (trace.n <= TRACEPARENT_MAX)
        r->traceparent = trace;
    enum json_type token = json_type(json_get(meta, "progressToken"));
    if (token == JSON_STRING || token == JSON_NUMBER)
        r->progress_token = json_member(json_member(r->params_text, "_meta"), "progressToken");
}

enum mcp_next
mcp_decode(struct mcp_request *r, struct buf *out)
{
    struct json_fault fault = { JSON_OK, 0, NULL };

    r->revision = MCP_2025_03_26; /* until something says otherwise */
    r->doc = json_parse(r->body, (unsigned)r->server->config->json_max_depth, &fault);
    if (!r->doc)
        return not_json(r, out, &fault);
    if (json_type(r->doc) == JSON_ARRAY)
        return batch(r, out);
    enum mcp_next next = shape(r, out);
    if (next == MCP_RUN)
        next = select_era(r, out);
    if (next == MCP_RUN)
        read_meta(r);
    return next;
}

void
mcp_request_fini(struct mcp_request *r)
{
    json_free(r->doc);
    r->doc = NULL;
}
