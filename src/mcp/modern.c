/* modern.c - the checks of a stateless request, in the order that the specification fixes.
 *
 * Workers.  A list of named checks: the first that fails answers.  Headers are a cross-check of
 * the body and exist on HTTP only. */
#include "mcp/era.h"

#include "encode.h"
#include "mcp/revision.h"
#include "must.h"

static const char *const log_levels[] = { "debug", "info", "notice", "warning", "error", "critical",
    "alert", "emergency" };

static const struct json *
meta_of(const struct mcp_request *r)
{
    return json_get(r->params, "_meta");
}

static enum mcp_next
bad_meta(struct mcp_request *r, struct buf *out, const char *key, const char *type)
{
    reply_error(
        r, out, RC_BAD_PARAMS, "params._meta[\"%s\"] is required and must be %s", key, type);
    r->http_status = 400; /* unlike other wrong parameters: nothing can run without it */
    return MCP_REPLY;
}

static enum mcp_next
check_meta(struct mcp_request *r, struct buf *out)
{
    if (json_type(json_get(meta_of(r), META_VERSION)) != JSON_STRING)
        return bad_meta(r, out, META_VERSION, "a string");
    if (json_type(json_get(meta_of(r), META_CAPABILITIES)) != JSON_OBJECT)
        return bad_meta(r, out, META_CAPABILITIES, "an object");
    return MCP_RUN;
}

static enum mcp_next
mismatch(struct mcp_request *r, struct buf *out, const char *header, const char *problem)
{
    return reply_error(r, out, RC_HEADER_MISMATCH, "header %s %s", header, problem);
}

static enum mcp_next
check_cross(struct mcp_request *r, struct buf *out)
{
    const struct mcp_headers *h = &r->headers;

    if (r->transport != MCP_HTTP)
        return MCP_RUN;
    if (h->repeated)
        return mismatch(
            r, out, h->repeated, "is repeated or holds characters that are not allowed");
    if (h->protocol_version.p &&
        !str_eq(str_trim(h->protocol_version), json_string(json_get(meta_of(r), META_VERSION))))
        return mismatch(r, out, "MCP-Protocol-Version", "does not match the version in the body");
    if (h->method.p && !str_eq(str_trim(h->method), r->method))
        return mismatch(r, out, "Mcp-Method", "does not match the method in the body");
    return MCP_RUN;
}

static enum mcp_next
check_version(struct mcp_request *r, struct buf *out)
{
    struct str asked = json_string(json_get(meta_of(r), META_VERSION));
    struct buf data;

    if (str_is(asked, mcp_revision_names[MCP_2026_07_28]))
        return MCP_RUN;
    buf_init(&data, 1024 + 6 * asked.n); /* worst case of escapes */
    buf_printf(&data, "{\"supported\":[\"%s\"],\"requested\":", mcp_revision_names[MCP_2026_07_28]);
    json_put_string(&data, asked);
    buf_put_c(&data, '}');
    mcp_error(r, out, RC_VERSION_UNSUPPORTED, STR("protocol version not supported"),
        data.failed ? STR_NONE : buf_str(&data));
    buf_fini(&data);
    return MCP_REPLY;
}

/* What Mcp-Name has to repeat, or STR_NONE. */
static struct str
name_source(const struct mcp_request *r)
{
    const char *parameter = method_name_source(r->method);

    return parameter ? json_string(json_get(r->params, parameter)) : STR_NONE;
}

static enum mcp_next
check_required(struct mcp_request *r, struct buf *out)
{
    if (r->transport != MCP_HTTP)
        return MCP_RUN;
    if (!r->headers.protocol_version.p)
        return mismatch(r, out, "MCP-Protocol-Version", "is missing");
    if (!r->headers.method.p)
        return mismatch(r, out, "Mcp-Method", "is missing");
    if (name_source(r).p && !r->headers.name.p)
        return mismatch(r, out, "Mcp-Name", "is missing");
    return MCP_RUN;
}

static enum mcp_next
check_name(struct mcp_request *r, struct buf *out)
{
    static const char open[] = "=?base64?", close[] = "?=";
    enum { OPEN = sizeof open - 1, CLOSE = sizeof close - 1 };

    if (r->transport != MCP_HTTP || !r->headers.name.p || !method_name_source(r->method))
        return MCP_RUN;
    struct str given = str_trim(r->headers.name), wanted = name_source(r);
    if (given.n < OPEN + CLOSE || memcmp(given.p, open, OPEN) != 0 ||
        memcmp(given.p + given.n - CLOSE, close, CLOSE) != 0)
        return wanted.p && str_eq(given, wanted)
                   ? MCP_RUN
                   : mismatch(r, out, "Mcp-Name", "does not match the body");

    struct buf name;
    buf_init(&name, given.n + 4);
    bool decoded =
        base64_decode(&name, (struct str){ given.p + OPEN, given.n - OPEN - CLOSE }) == 0;
    decoded = decoded && !name.failed && utf8_is_valid(buf_str(&name).p, name.len);
    bool same = decoded && wanted.p && str_eq(buf_str(&name), wanted);
    buf_fini(&name);
    if (!decoded)
        return mismatch(r, out, "Mcp-Name", "is not canonical base64 of UTF-8");
    return same ? MCP_RUN : mismatch(r, out, "Mcp-Name", "does not match the body");
}

/* From here on a wrong parameter is answered in-band. */
static enum mcp_next
check_optional_meta(struct mcp_request *r, struct buf *out)
{
    const struct json *level = json_get(meta_of(r), META_LOG_LEVEL);
    const struct json *token = json_get(meta_of(r), "progressToken");

    if (level) {
        bool known = false;
        for (unsigned i = 0; i < NELEM(log_levels); i++)
            known |= str_is(json_string(level), log_levels[i]);
        if (!known)
            return reply_error(
                r, out, RC_BAD_PARAMS, "unknown level in params._meta[\"%s\"]", META_LOG_LEVEL);
    }
    if (token && !r->progress_token.p)
        return reply_error(
            r, out, RC_BAD_PARAMS, "params._meta.progressToken must be a string or a number");
    return MCP_RUN;
}

enum mcp_next
modern_check(struct mcp_request *r, struct buf *out)
{
    static enum mcp_next (*const checks[])(struct mcp_request *, struct buf *) = {
        check_meta,
        check_cross,
        check_version,
        check_required,
        check_name,
        method_check,
        check_optional_meta,
    };

    if (r->is_notification) /* clients of this revision have none to send over HTTP */
        return reply_accepted(r);
    for (unsigned i = 0; i < NELEM(checks); i++) {
        enum mcp_next next = checks[i](r, out);
        if (next != MCP_RUN)
            return next;
    }
    return MCP_RUN;
}
