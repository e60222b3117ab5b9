/* The HTTP side of a call's answer: status, headers, whole or in pieces, JSON or an event stream.
 * Workers. */
#include "front/call.h"

#include <stdio.h>

enum { HEADERS_MAX = 8 };

#define SSE_BEFORE "event: message\ndata: "
#define SSE_AFTER  "\n\n"

/* Lines live in the arena of the call. */
static const char *const *
headers(struct call *c)
{
    const char **list = arena_alloc(c->arena, HEADERS_MAX * sizeof(const char *));
    unsigned n = 0;

    if (!list)
        return NULL;
    if (c->mcp.session_id.n)
        list[n++] = arena_printf(c->arena, "Mcp-Session-Id: %.*s", STR_ARG(c->mcp.session_id));
    if (c->retry_later)
        list[n++] = "Retry-After: 1";
    if (c->cors_origin.n) {
        list[n++] =
            arena_printf(c->arena, "Access-Control-Allow-Origin: %.*s", STR_ARG(c->cors_origin));
        list[n++] = "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate";
        list[n++] = "Vary: Origin";
    }
    if (c->sse) {
        list[n++] = "Cache-Control: no-cache, no-transform";
        list[n++] = "X-Accel-Buffering: no";
    }
    return n ? list : NULL;
}

void
call_stream(struct call *c)
{
    if (!c->streaming) {
        c->streaming = true;
        http_reply_start(
            c->request, 200, c->sse ? "text/event-stream" : "application/json", headers(c));
        if (c->sse)
            http_reply_write(c->request, STR(SSE_BEFORE));
    }
    http_reply_write(c->request, buf_str(&c->out));
    buf_clear(&c->out);
    result_drained(c->writer);
}

static void
reply_whole(struct call *c)
{
    int status = c->mcp.http_status ? c->mcp.http_status : 200;
    struct buf framed;

    if (status != 200 || c->out.len == 0)
        c->sse = false;
    if (!c->sse) {
        http_reply(c->request, status, c->out.len ? "application/json" : NULL, headers(c),
            buf_str(&c->out));
        return;
    }
    buf_init(&framed, c->out.len + sizeof SSE_BEFORE + sizeof SSE_AFTER);
    buf_put_z(&framed, SSE_BEFORE);
    buf_put_str(&framed, buf_str(&c->out));
    buf_put_z(&framed, SSE_AFTER);
    http_reply(c->request, status, "text/event-stream", headers(c), buf_str(&framed));
    buf_fini(&framed);
}

void
call_reply(struct call *c)
{
    bool broken = c->out.failed;

    if (c->client_gone || !c->streaming) {
        if (broken && !c->client_gone) { /* not even the text of the failure fitted */
            buf_clear(&c->out);
            mcp_error(&c->mcp, &c->out, RC_INTERNAL, str_of(rc_table[RC_INTERNAL].text), STR_NONE);
        }
        reply_whole(c);
        return;
    }
    if (broken) {
        http_reply_abort(c->request);
        return;
    }
    http_reply_write(c->request, buf_str(&c->out));
    if (c->sse)
        http_reply_write(c->request, STR(SSE_AFTER));
    http_reply_end(c->request);
}
