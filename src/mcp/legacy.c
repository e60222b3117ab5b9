/* legacy.c - the revisions that begin with initialize: handshake, session, ping, notifications.
 *
 * Workers.  Errors of these revisions travel with HTTP 200; a 4xx is for faults of the transport
 * alone, because their clients do not read its body. */
#include "mcp/era.h"

#include "clock.h"
#include "mcp/revision.h"
#include "mcp/server.h"

static bool
open_session(const struct mcp_server *s, struct str id, struct session_facts *f)
{
    return session_open(s->sessions, str_trim(id), s->config->session_lifetime_min * 60, f);
}

bool
mcp_session_valid(const struct mcp_server *s, struct str principal, struct str session_id)
{
    struct session_facts f = { .principal = principal };

    return open_session(s, session_id, &f);
}

/* Which client this is and what was agreed: from the session id, or from the connection. */
static enum mcp_next
identify(struct mcp_request *r, struct buf *out)
{
    if (r->transport != MCP_HTTP) {
        if (r->negotiated)
            r->revision = (enum mcp_revision)(r->negotiated - 1);
        return MCP_RUN;
    }
    const char *twice = r->headers.repeated;
    if (twice && (str_is_nocase(str_of(twice), "Mcp-Session-Id") ||
                     str_is_nocase(str_of(twice), "MCP-Protocol-Version")))
        return reply_error(r, out, RC_BAD_REQUEST,
            "header %s is repeated or holds characters that are not allowed", twice);
    if (!r->headers.session_id.p)
        return reply_error(r, out, RC_BAD_REQUEST,
            "Mcp-Session-Id is missing: send initialize first and repeat the id it returns");

    struct session_facts f = { .principal = r->principal };
    bool valid = open_session(r->server, r->headers.session_id, &f);
    if (valid) {
        r->revision = f.revision;
        if (f.client.n)
            r->client_name = arena_str(r->arena, f.client);
    }
    return valid ? MCP_RUN
                 : reply_error(r, out, RC_UNKNOWN_SESSION, "%s", rc_table[RC_UNKNOWN_SESSION].text);
}

enum mcp_next
legacy_check(struct mcp_request *r, struct buf *out)
{
    if (str_is(r->method, "initialize")) {
        if (r->is_notification)
            return reply_error(r, out, RC_BAD_REQUEST, "initialize is a request and needs an id");
        return MCP_RUN;
    }
    enum mcp_next next = identify(r, out);
    if (next != MCP_RUN)
        return next;
    if (r->is_notification)
        return reply_accepted(r);
    if (r->is_response) {
        if (r->transport != MCP_HTTP) /* an answer to an answer would only confuse */
            return reply_accepted(r);
        return reply_error(r, out, RC_BAD_REQUEST, "no request of this server awaits a response");
    }
    return method_check(r, out);
}

enum mcp_next
legacy_initialize(struct mcp_request *r, struct buf *out)
{
    const struct json *version = json_get(r->params, "protocolVersion");
    const struct json *capabilities = json_get(r->params, "capabilities");
    const struct json *client = json_get(r->params, "clientInfo");

    if (json_type(version) != JSON_STRING)
        return reply_error(
            r, out, RC_BAD_PARAMS, "params.protocolVersion is required and must be a string");
    if (capabilities && json_type(capabilities) != JSON_OBJECT)
        return reply_error(r, out, RC_BAD_PARAMS, "params.capabilities must be an object");
    if (client && json_type(client) != JSON_OBJECT)
        return reply_error(r, out, RC_BAD_PARAMS, "params.clientInfo must be an object");

    if (!revision_find(json_string(version), &r->revision) || !revision_is_legacy(r->revision))
        r->revision = MCP_2025_11_25;
    r->client_name = json_string(json_get(client, "name"));
    if (r->transport == MCP_HTTP) {
        struct session_facts f = { r->revision, clock_wall_s(), r->principal, r->client_name };
        struct buf id;
        buf_init(&id, 256);
        session_issue(r->server->sessions, &f, &id);
        r->session_id = arena_str(r->arena, buf_str(&id));
        buf_fini(&id);
        if (!r->session_id.n) {
            mcp_error(r, out, RC_NO_MEMORY, STR_NONE, STR_NONE);
            return MCP_REPLY;
        }
    }
    return reply_made(r, out, r->server->initialize[r->revision]);
}

enum mcp_next
legacy_ping(struct mcp_request *r, struct buf *out)
{
    return reply_empty(r, out);
}
