/* Replies over evhttp: whole ones, and long ones in pieces.  Runs in workers and the metrics child.
 * Must never touch evhttp's connection after the client has left, and ends each reply exactly once:
 * that call also frees evhttp's request. */
#include "front/http_internal.h"

#include "must.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <sys/queue.h>
#include <sys/uio.h>

const char *
http_reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 406:
        return "Not Acceptable";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 426:
        return "Upgrade Required";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    case 505:
        return "HTTP Version Not Supported";
    }
    return status < 400 ? "OK" : "Error";
}

static bool
is_http_1_1(const struct http_request *r)
{
    return r->ev->minor >= 1; /* the scanner lets 1.0 and 1.1 in */
}

/* RFC 9110: Connection is a list; evhttp only knows the word alone.  It takes a request for an
 * absolute target for a proxy's and closes, too. */
static bool
wants_close(const struct http_request *r)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(r->ev);
    const struct evkeyval *h;
    struct str value, word;

    TAILQ_FOREACH(h, in, next)
    {
        if ((h->key[0] | 0x20) != 'c' || !str_is_nocase(str_of(h->key), "Connection"))
            continue;
        value = str_of(h->value);
        while (str_split(&value, ',', &word))
            if (str_is_nocase(str_trim(word), "close"))
                return true;
    }
    return r->server->draining || http_request_authority(r).p;
}

/* From here on evhttp will close behind the reply.  A body without length ends with the connection
 * where there are no chunks, so HTTP/1.0 is never kept alive. */
static bool
decide_close(struct http_request *r)
{
    bool old = !is_http_1_1(r);

    if (!old && !wants_close(r))
        return false;
    while (old && evhttp_remove_header(evhttp_request_get_input_headers(r->ev), "Connection") == 0)
        ;
    evhttp_add_header(evhttp_request_get_output_headers(r->ev), "Connection", "close");
    return true;
}

static void
add_headers(struct http_request *r, const char *content_type, const char *const *headers)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(r->ev);
    char name[64];
    const char *colon;

    if (content_type)
        evhttp_add_header(out, "Content-Type", content_type);
    for (; headers && *headers; headers++) {
        colon = strchr(*headers, ':');
        must(colon && (size_t)(colon - *headers) < sizeof name);
        str_copy(name, sizeof name, (struct str){ *headers, (size_t)(colon - *headers) });
        evhttp_add_header(out, name, colon + 1 + strspn(colon + 1, " "));
    }
    /* Or evhttp makes one of its own for each reply. */
    evhttp_add_header(out, "Date", r->server->date);
    decide_close(r);
}

static struct evbuffer *
output_of(const struct http_request *r)
{
    return bufferevent_get_output(r->conn->bev);
}

/* The client has left: only evhttp's half of the request is to be freed. */
static void
end_without_client(struct http_request *r)
{
    struct evhttp_request *ev = r->ev;

    r->ended = true;
    if (ev)
        evhttp_send_reply_end(ev); /* frees it, having no connection */
    http_request_release(r);
}

static void
on_cut(void *arg)
{
    end_without_client(arg);
}

static void
put(struct buf *b, const char *name, const char *value)
{
    buf_put_z(b, name);
    buf_put_z(b, value);
    buf_put(b, "\r\n", 2);
}

static void
put_head(struct http_request *r, int status, const char *content_type, const char *const *headers,
    size_t length)
{
    struct buf *b = &r->server->head;

    buf_clear(b);
    buf_put_z(b, "HTTP/1.1 ");
    buf_put_u64(b, (uint64_t)status);
    buf_put_c(b, ' ');
    put(b, http_reason(status), "");
    if (content_type)
        put(b, "Content-Type: ", content_type);
    for (; headers && *headers; headers++)
        put(b, *headers, "");
    put(b, "Date: ", r->server->date);
    if (decide_close(r))
        put(b, "Connection: close", "");
    if (status != 204) {
        buf_put_z(b, "Content-Length: ");
        buf_put_u64(b, length);
        buf_put(b, "\r\n", 2);
    }
    buf_put(b, "\r\n", 2);
}

void
http_reply_abort(struct http_request *r)
{
    must(!r->ended);
    r->on_drain = NULL;
    if (!r->conn) {
        end_without_client(r);
        return;
    }
    r->aborted = true;
    http_request_on_close(r, on_cut, r);
    conn_doom(r->conn);
}

/* Head and body go straight to the socket; what it does not take waits in the output. */
static int
put_or_write(struct conn *c, struct str head, struct str body)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    struct iovec parts[2] = { { .iov_base = (void *)(uintptr_t)head.p, .iov_len = head.n },
        { .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n } };
    ssize_t n = evbuffer_get_length(out) > 0 ? 0 : writev(c->fd, parts, body.n > 0 ? 2 : 1);
    size_t written = n > 0 ? (size_t)n : 0; /* an error shows again when the loop writes */

    if (written >= head.n) {
        body = str_from(body, written - head.n);
        head.n = 0;
    } else {
        head = str_from(head, written);
    }
    if (head.n > 0 && evbuffer_add(out, head.p, head.n) != 0)
        return -1;
    return body.n > 0 ? evbuffer_add(out, body.p, body.n) : 0;
}

/* The text of a whole reply goes past evhttp's formatting, which costs a third of a small request;
 * evhttp only hears that the reply has ended. */
void
http_reply(struct http_request *r, int status, const char *content_type, const char *const *headers,
    struct str body)
{
    struct conn *c = r->conn;
    const struct buf *head = &r->server->head;

    must(!r->ended);
    if (!c) { /* gone, perhaps in the middle of a reply in pieces */
        end_without_client(r);
        return;
    }
    must(!r->started);
    put_head(r, status, content_type, headers, body.n);
    if (http_request_method(r) == HTTP_HEAD || status == 204)
        body.n = 0;
    if (head->failed || put_or_write(c, buf_str(head), body) != 0) {
        http_reply_abort(r); /* no memory: a broken connection is better than half a reply */
        return;
    }
    c->queued += head->len + body.n;
    r->ended = true;
    if (evbuffer_get_length(output_of(r)) > 0) {
        conn_request_waits(c); /* evhttp's read callback must not run meanwhile */
        bufferevent_enable(c->bev, EV_WRITE);
    }
    evhttp_send_reply_end(r->ev); /* r and c may be gone now */
}

void
http_reply_start(
    struct http_request *r, int status, const char *content_type, const char *const *headers)
{
    size_t before;

    must(!r->ended && !r->started);
    r->started = true;
    if (!r->conn)
        return;
    add_headers(r, content_type, headers);
    before = evbuffer_get_length(output_of(r));
    evhttp_send_reply_start(r->ev, status, http_reason(status));
    r->conn->queued += evbuffer_get_length(output_of(r)) - before;
}

/* The output fell to the mark (of bufferevent, 0 by default). */
static void
on_written(struct evhttp_connection *evcon, void *arg)
{
    struct http_request *r = arg;
    void (*cb)(void *) = r->on_drain;

    if (!cb || !r->conn || evbuffer_get_length(output_of(r)) > r->drain_low)
        return;
    r->on_drain = NULL;
    bufferevent_setwatermark(r->conn->bev, EV_WRITE, 0, 0);
    cb(r->on_drain_arg);
}

void
http_reply_write(struct http_request *r, struct str piece)
{
    struct evbuffer *b;
    size_t before;

    must(r->started && !r->ended);
    if (!r->conn || piece.n == 0)
        return;
    if (!(b = evbuffer_new()) || evbuffer_add(b, piece.p, piece.n) != 0) {
        if (b)
            evbuffer_free(b);
        r->aborted = true; /* a reply with a hole must not look whole */
        conn_doom(r->conn);
        return;
    }
    before = evbuffer_get_length(output_of(r));
    evhttp_send_reply_chunk_with_cb(r->ev, b, on_written, r);
    r->conn->queued += evbuffer_get_length(output_of(r)) - before;
    evbuffer_free(b);
}

size_t
http_reply_backlog(const struct http_request *r)
{
    return r->conn ? evbuffer_get_length(output_of(r)) : 0;
}

void
http_reply_on_drain(struct http_request *r, size_t low, void (*cb)(void *arg), void *arg)
{
    r->on_drain = cb;
    r->on_drain_arg = arg;
    r->drain_low = low;
    if (r->conn)
        bufferevent_setwatermark(r->conn->bev, EV_WRITE, cb ? low : 0, 0);
}

void
http_reply_end(struct http_request *r)
{
    struct conn *c = r->conn;
    bool chunked;
    size_t before;

    must(!r->ended);
    if (!c) {
        end_without_client(r);
        return;
    }
    if (r->aborted) { /* to be cut at the next turn of the loop */
        http_request_on_close(r, on_cut, r);
        return;
    }
    must(r->started);
    r->on_drain = NULL;
    bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
    r->ended = true;
    chunked = http_request_method(r) != HTTP_HEAD && is_http_1_1(r);
    before = evbuffer_get_length(output_of(r));
    evhttp_send_reply_end(r->ev);
    if (!chunked) /* may have freed the connection and the request */
        return;
    c->queued += evbuffer_get_length(output_of(r)) - before;
}
