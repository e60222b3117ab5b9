/* Refusals of requests that never reach a handler.  Runs in workers and the metrics child.
 *
 * The scanner runs in the callback of the input buffer, that is, before evhttp's read callback.
 * From the first wrong byte on, nothing more may reach evhttp: the buffer is emptied as soon as
 * evhttp has taken the good requests in front of it, and everything that still arrives is thrown
 * away.  When the replies to those are out, the refusal is written past evhttp straight to the
 * socket, our side is shut, and the client gets a moment to read it: closing with unread input
 * would reset the connection and destroy the answer on its way. */
#include "front/http_internal.h"

#include "must.h"
#include "state/metrics.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <sys/socket.h>

static unsigned
refusal_reason(unsigned status)
{
    switch (status) {
    case 413:
    case 414:
    case 431:
        return REASON_TOO_LARGE;
    case 405:
        return REASON_METHOD;
    case 408:
        return REASON_TIMEOUT;
    case 503:
        return REASON_CONNECTIONS;
    }
    return REASON_MALFORMED;
}

void
conn_send_refusal(struct conn *c)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    const char *allow = c->scan.refused == 405 ? c->server->o.allow : NULL;
    char body[192], text[512];
    int body_bytes, n;

    if (evbuffer_get_length(out) > 0) { /* "100 Continue" at most: the replies are out */
        evbuffer_unfreeze(out, 1);
        evbuffer_write(out, c->fd);
        evbuffer_freeze(out, 1);
        if (evbuffer_get_length(out) > 0)
            return; /* the sweep tries again */
    }
    body_bytes = snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"%s\"}}\n", c->scan.reason);
    n = snprintf(text, sizeof text,
        "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: %s\r\n"
        "%s%s%sConnection: close\r\n\r\n%s",
        c->scan.refused, http_reason(c->scan.refused), body_bytes, c->server->date,
        allow ? "Allow: " : "", allow ? allow : "", allow ? "\r\n" : "",
        c->scan.method == SCAN_HEAD ? "" : body);
    must(n > 0 && (size_t)n < sizeof text);
    if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
        conn_doom(c);
    shutdown(c->fd, SHUT_WR);
    c->refusal_out = true;
    c->since_ms = c->server->now_ms;
}

void
conn_throw_away(struct conn *c)
{
    struct evbuffer *input = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(input);

    if (n == 0)
        return;
    c->thrown_away += (uint32_t)n;
    evbuffer_drain(input, n);
    if (c->thrown_away > LINGER_BYTES)
        conn_doom(c);
}

void
conn_begin_refusal(struct conn *c)
{
    struct http_server *s = c->server;

    c->refused = true;
    c->since_ms = s->now_ms;
    if (s->o.on_refused)
        s->o.on_refused(s->o.arg, refusal_reason(c->scan.refused));
    if (!conn_all_handed(c))
        return;
    conn_throw_away(c);
    if (!c->request)
        conn_send_refusal(c);
}

void
conn_refuse(struct conn *c, unsigned status, const char *reason)
{
    c->scan.refused = (uint16_t)status;
    c->scan.reason = reason;
    conn_begin_refusal(c);
}
