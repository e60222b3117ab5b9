/* From an HTTP request to a call or a plain answer: hosts and origins, paths and methods, media
 * types (mcp-server.md 1 and 11, in that order: the earlier check wins).  Workers. */
#include "front/access.h"
#include "front/call.h"

#include "clock.h"
#include "state/events.h"
#include "state/health.h"

#include <stdio.h>

/* What the checks need of the header list, collected in one pass. */
struct head {
    struct str host, origin, content_type, wanted_method, wanted_headers;
    unsigned accepts, n_content_types;
    bool has_accept;
    struct mcp_headers mcp;
};

/* A value that a modern client may not send: it came before, or is not visible ASCII. */
static void
take_mcp_header(struct head *h, struct str *into, const char *name, struct str value)
{
    size_t i;

    for (i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] > 0x7e) /* the scanner lets no control characters through */
            h->mcp.repeated = name;
    if (into->p)
        h->mcp.repeated = name;
    else
        *into = value;
}

static void
read_head(const struct http_request *r, struct head *h)
{
    struct str name, value;
    size_t at = 0;

    *h = (struct head){ 0 };
    while (http_request_next_header(r, &at, &name, &value)) {
        switch (name.n) {
        case 4:
            if (str_is_nocase(name, "host"))
                h->host = value;
            break;
        case 6:
            if (str_is_nocase(name, "accept")) {
                h->has_accept = true;
                h->accepts |= media_accepts(value);
            } else if (str_is_nocase(name, "origin")) {
                /* Two of them: neither may speak for the other. */
                h->origin = h->origin.p ? STR("null") : value;
            }
            break;
        case 8:
            if (str_is_nocase(name, "mcp-name"))
                take_mcp_header(h, &h->mcp.name, "Mcp-Name", value);
            break;
        case 10:
            if (str_is_nocase(name, "mcp-method"))
                take_mcp_header(h, &h->mcp.method, "Mcp-Method", value);
            break;
        case 12:
            if (str_is_nocase(name, "content-type")) {
                h->content_type = value;
                h->n_content_types++;
            }
            break;
        case 14:
            if (str_is_nocase(name, "mcp-session-id"))
                take_mcp_header(h, &h->mcp.session_id, "Mcp-Session-Id", value);
            break;
        case 20:
            if (str_is_nocase(name, "mcp-protocol-version"))
                take_mcp_header(h, &h->mcp.protocol_version, "MCP-Protocol-Version", value);
            break;
        case 29:
            if (str_is_nocase(name, "access-control-request-method"))
                h->wanted_method = value;
            break;
        case 30:
            if (str_is_nocase(name, "access-control-request-headers"))
                h->wanted_headers = value;
            break;
        }
    }
}

/* ---- plain answers --------------------------------------------------------------------------- */

static void
refuse(struct http_request *r, const struct head *h, int status, enum metric_reason reason,
    const char *message, const char *header)
{
    const char *list[] = { header, NULL, NULL, NULL };
    char origin[300], body[200];
    int n = snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"%s\"}}\n", message);

    metrics_count(METRIC_HTTP_REFUSED, reason, 0, 1);
    if (h->origin.p && status != 403 && h->origin.n < 256) { /* a page may read why */
        snprintf(origin, sizeof origin, "Access-Control-Allow-Origin: %.*s", STR_ARG(h->origin));
        list[header ? 1 : 0] = origin;
        list[header ? 2 : 1] = "Vary: Origin";
    }
    http_reply(r, status, "application/json", list, (struct str){ body, (size_t)n });
}

/* A message that did not become a call counts as a request all the same. */
static void
refuse_message(struct http_request *r, const struct head *h, int status, enum metric_reason reason,
    const char *message)
{
    metrics_count(METRIC_REQUESTS, metrics_status(status == 403 ? 403 : 400), tool_index(NULL), 1);
    refuse(r, h, status, reason, message, NULL);
}

/* Fixed names, and the tool parameters (Mcp-Param-*) that the page asked for. */
static void
put_allowed_headers(struct buf *b, struct str wanted)
{
    struct str one;

    buf_put_z(b, "Access-Control-Allow-Headers: content-type, accept, authorization, "
                 "mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id");
    while (str_split(&wanted, ',', &one)) {
        one = str_trim(one);
        if (one.n > 10 && one.n <= 64 && str_is_nocase((struct str){ one.p, 10 }, "mcp-param-") &&
            b->len < 1500 && !memchr(one.p, ' ', one.n)) {
            buf_put_z(b, ", ");
            buf_put_str(b, one);
        }
    }
}

static void
answer_options(struct http_request *r, const struct head *h)
{
    char origin[300];
    const char *list[] = { "Allow: POST, OPTIONS", "Vary: Origin", NULL, NULL, NULL, NULL, NULL };
    struct buf allowed;

    buf_init(&allowed, 2048);
    if (h->origin.p && h->wanted_method.p) {
        put_allowed_headers(&allowed, h->wanted_headers);
        snprintf(origin, sizeof origin, "Access-Control-Allow-Origin: %.*s", STR_ARG(h->origin));
        list[2] = origin;
        list[3] = "Access-Control-Allow-Methods: POST, GET, DELETE";
        list[4] = buf_text(&allowed);
        list[5] = "Access-Control-Max-Age: 600";
    }
    http_reply(r, 204, NULL, list, STR_NONE);
    buf_fini(&allowed);
}

typedef int health_writer(
    const struct segment *, const struct config *, uint64_t now_ns, struct buf *);

static void
answer_health(struct front *f, struct http_request *r, const struct head *h, health_writer *write)
{
    static const char *const fresh[] = { "Cache-Control: no-store", NULL };
    enum http_method m = http_request_method(r);
    struct buf b;
    int status;

    if (m != HTTP_GET && m != HTTP_HEAD && m != HTTP_POST) {
        refuse(r, h, 405, REASON_METHOD, "method not allowed", "Allow: GET, HEAD, POST");
        return;
    }
    buf_init(&b, 65536);
    status = write(f->o.segment, f->config, clock_ns(), &b);
    http_reply(r, status, "application/json", fresh, buf_str(&b));
    buf_fini(&b);
}

static int
write_alive(const struct segment *s, const struct config *c, uint64_t now_ns, struct buf *out)
{
    buf_put_z(out, "{\"status\":\"alive\"}\n");
    return 200;
}

/* ---- the endpoint ---------------------------------------------------------------------------- */

static void
begin_call(struct front *f, struct http_request *r, const struct head *h)
{
    unsigned accepts = h->has_accept ? h->accepts : ACCEPTS_JSON | ACCEPTS_SSE;
    struct call *c;

    if (h->n_content_types != 1 || !media_is_json(h->content_type)) {
        refuse_message(r, h, 415, REASON_MEDIA_TYPE, "Content-Type must be application/json");
        return;
    }
    if (accepts == 0) {
        refuse_message(
            r, h, 406, REASON_ACCEPT, "Accept must admit application/json or text/event-stream");
        return;
    }
    c = call_new(f, r);
    if (!c) {
        http_reply(r, 500, NULL, NULL, STR_NONE);
        return;
    }
    c->mcp.headers = h->mcp;
    c->mcp.body = http_request_body(r);
    c->client = hash64(call_client(c));
    c->cors_origin = h->origin;
    c->sse = accepts == ACCEPTS_SSE;
    call_advance(c);
}

static void
answer_mcp(struct front *f, struct http_request *r, const struct head *h)
{
    switch (http_request_method(r)) {
    case HTTP_POST:
        begin_call(f, r, h);
        return;
    case HTTP_OPTIONS:
        answer_options(r, h);
        return;
    default:
        refuse(r, h, 405, REASON_METHOD, "method not allowed", "Allow: POST, OPTIONS");
    }
}

static void
refuse_stranger(struct http_request *r, const struct head *h, bool host)
{
    struct str what = host ? h->host : h->origin;
    char text[80];

    str_copy(text, sizeof text, what);
    event_throttled(EVENT_WARNING, host ? "host" : "origin", 10000,
        host ? "security Host header not allowed" : "security Origin header not allowed",
        host ? "host" : "origin", text, "peer", http_request_peer(r), NULL);
    refuse_message(r, h, 403, host ? REASON_HOST : REASON_ORIGIN,
        host ? "Host not allowed" : "Origin not allowed");
}

void
route(void *front, struct http_request *r)
{
    static const struct {
        const char *path;
        health_writer *write;
    } probes[] = { { "/health", health_write }, { "/livez", write_alive },
        { "/readyz", health_write_ready } };
    struct front *f = front;
    struct str path = http_request_path(r), authority = http_request_authority(r);
    health_writer *probe = NULL;
    struct head h;
    size_t i;

    read_head(r, &h);
    for (i = 0; i < sizeof probes / sizeof probes[0]; i++)
        if (str_is(path, probes[i].path))
            probe = probes[i].write;
    if (h.origin.p && (h.origin.n >= 256 || !access_origin_allowed(f->config, h.origin, h.host)))
        refuse_stranger(r, &h, false);
    else if (probe) /* probes come to the address of a pod: any Host */
        answer_health(f, r, &h, probe);
    else if (!access_host_allowed(f->config, h.host) ||
             (authority.p && !access_host_allowed(f->config, authority)))
        refuse_stranger(r, &h, true);
    else if (str_is(path, "/mcp"))
        answer_mcp(f, r, &h);
    else if (str_is(path, "*"))
        answer_options(r, &h);
    else
        refuse(r, &h, 404, REASON_PATH, "not found", NULL);
}
