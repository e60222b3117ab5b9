/* server.c - listens, hands requests to the API, sends replies (also broken ones).
 *
 * Runs in the event loop.  The only file here that knows libevent's HTTP; must never look into
 * what a request means. */
#include "emulator/server.h"

#include "must.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HEADERS_BYTES (64 * 1024)
#define MAX_BODY_BYTES    (8 * 1024 * 1024)
#define IDLE_TIMEOUT_S    600
#define SLOW_PIECES       20

struct connection { /* one we have seen a request of */
    struct connection *next;
    struct evhttp_connection *ev;
    struct server *server;
};

struct server {
    struct loop *loop;
    struct evhttp *http;
    uint16_t port;
    server_handler *handler;
    void *arg;
    struct server_call *calls; /* not answered yet, or being answered late */
    struct connection *connections;
    unsigned open_now;
    uint64_t opened;
    bool closing;
};

struct server_call {
    struct server *server;
    struct server_call *next, **link;
    struct evhttp_request *req;
    struct evkeyvalq query;
    struct loop_timer *timer;
    struct server_reply reply;
    struct evbuffer *body;
    size_t piece;
    bool started;
};

static void
call_free(struct server_call *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    evhttp_clear_headers(&c->query);
    loop_timer_free(c->timer);
    if (c->body)
        evbuffer_free(c->body);
    free(c);
}

static void
on_close(struct evhttp_connection *ev, void *arg)
{
    struct connection *con = arg, **at = &con->server->connections;
    struct server_call *next;

    for (; *at && *at != con; at = &(*at)->next)
        ;
    if (*at)
        *at = con->next;
    con->server->open_now--;
    /* Calls of this connection that were being answered late go with it. */
    for (struct server_call *c = con->server->calls; c; c = next) {
        next = c->next;
        if (c->started && evhttp_request_get_connection(c->req) == ev) {
            c->req = NULL;
            call_free(c);
        }
    }
    free(con);
}

static void
note_connection(struct server *s, struct evhttp_connection *ev)
{
    struct connection *con;

    for (con = s->connections; con; con = con->next)
        if (con->ev == ev)
            return;
    con = calloc(1, sizeof *con);
    if (!con)
        return;
    *con = (struct connection){ s->connections, ev, s };
    s->connections = con;
    s->open_now++;
    s->opened++;
    evhttp_connection_set_closecb(ev, on_close, con);
}

static void
on_request(struct evhttp_request *req, void *arg)
{
    struct server *s = arg;
    struct server_call *c = calloc(1, sizeof *c);
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));

    if (!c) {
        evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    note_connection(s, evhttp_request_get_connection(req));
    c->server = s;
    c->req = req;
    evhttp_parse_query_str(query ? query : "", &c->query);
    c->next = s->calls;
    c->link = &s->calls;
    if (c->next)
        c->next->link = &c->next;
    s->calls = c;
    s->handler(s->arg, c);
}

static int
bind_to(struct server *s, const char *address, uint16_t port, struct err *e)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound;
    socklen_t n = sizeof bound;
    struct evhttp_bound_socket *sock = evhttp_bind_socket_with_handle(s->http, address, port);

    if (!sock)
        return err_set(e, "cannot listen on %s:%u: %s", address, port, strerror(errno));
    memset(&bound, 0, sizeof bound);
    if (getsockname(evhttp_bound_socket_get_fd(sock), &bound.any, &n) != 0)
        return err_set(e, "no name for the listening socket: %s", strerror(errno));
    s->port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    return 0;
}

struct server *
server_new(struct loop *l, const char *address, uint16_t port, server_handler *handler, void *arg,
    struct err *e)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s || !(s->http = evhttp_new(loop_base(l)))) {
        free(s);
        err_set(e, "no memory");
        return NULL;
    }
    s->loop = l;
    s->handler = handler;
    s->arg = arg;
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                            EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                            EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_max_headers_size(s->http, MAX_HEADERS_BYTES);
    evhttp_set_max_body_size(s->http, MAX_BODY_BYTES);
    evhttp_set_timeout(s->http, IDLE_TIMEOUT_S);
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_gencb(s->http, on_request, s);
    if (bind_to(s, address, port, e) != 0) {
        server_free(s);
        return NULL;
    }
    return s;
}

void
server_free(struct server *s)
{
    if (!s)
        return;
    s->closing = true;
    for (struct server_call *c = s->calls, *next; c; c = next) {
        next = c->next;
        call_free(c);
    }
    evhttp_free(s->http);
    free(s);
}

uint16_t
server_port(const struct server *s)
{
    return s->port;
}

void
server_connections(const struct server *s, unsigned *open_now, uint64_t *opened)
{
    *open_now = s->open_now;
    *opened = s->opened;
}

const char *
server_method(const struct server_call *c)
{
    static const struct {
        enum evhttp_cmd_type type;
        const char *name;
    } methods[] = { { EVHTTP_REQ_GET, "GET" }, { EVHTTP_REQ_POST, "POST" },
        { EVHTTP_REQ_HEAD, "HEAD" }, { EVHTTP_REQ_PUT, "PUT" }, { EVHTTP_REQ_DELETE, "DELETE" },
        { EVHTTP_REQ_OPTIONS, "OPTIONS" }, { EVHTTP_REQ_PATCH, "PATCH" } };

    for (size_t i = 0; i < NELEM(methods); i++)
        if (methods[i].type == evhttp_request_get_command(c->req))
            return methods[i].name;
    return "?";
}

struct str
server_path(const struct server_call *c)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(c->req));

    return str_of(path ? path : "");
}

struct str
server_query(const struct server_call *c, const char *name)
{
    for (const struct evkeyval *kv = c->query.tqh_first; kv; kv = kv->next.tqe_next)
        if (strcmp(kv->key, name) == 0)
            return str_of(kv->value);
    return STR_NONE;
}

struct str
server_header(const struct server_call *c, const char *name)
{
    return str_of(evhttp_find_header(evhttp_request_get_input_headers(c->req), name));
}

struct str
server_body(const struct server_call *c)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(c->req);
    size_t n = evbuffer_get_length(in);

    return (struct str){ n > 0 ? (const char *)evbuffer_pullup(in, -1) : "", n };
}

bool
server_from_loopback(const struct server_call *c)
{
    char *address = NULL;
    ev_uint16_t port;

    evhttp_connection_get_peer(evhttp_request_get_connection(c->req), &address, &port);
    return address && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0);
}

static void
add_headers(struct server_call *c)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(c->req);
    const struct server_reply *r = &c->reply;
    char number[24];

    evhttp_add_header(out, "Content-Type", r->content_type ? r->content_type : "application/json");
    snprintf(number, sizeof number, "%zu", evbuffer_get_length(c->body));
    evhttp_add_header(out, "Content-Length", number);
    if (r->gzip)
        evhttp_add_header(out, "Content-Encoding", "gzip");
    if (r->link)
        evhttp_add_header(out, "Link", r->link);
    if (r->retry_after >= 0) {
        snprintf(number, sizeof number, "%d", r->retry_after);
        evhttp_add_header(out, "Retry-After", number);
    }
}

/* The head and half of the body by hand, past evhttp, then a reset. */
static void
reset_mid_body(struct server_call *c)
{
    struct evhttp_connection *ev = evhttp_request_get_connection(c->req);
    int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(ev));
    size_t n = evbuffer_get_length(c->body), half = n / 2;
    struct buf head;

    buf_init(&head, 4096);
    buf_printf(&head,
        "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
        c->reply.status, n, c->reply.gzip ? "Content-Encoding: gzip\r\n" : "");
    if (half > 32768)
        half = 32768; /* what a socket's buffer takes at once */
    if (send(fd, head.p, head.len, MSG_NOSIGNAL | MSG_MORE) > 0)
        send(fd, evbuffer_pullup(c->body, -1), half, MSG_NOSIGNAL);
    buf_fini(&head);
    server_drop(c);
}

static void
send_piece(struct server_call *c)
{
    size_t left = evbuffer_get_length(c->body);
    struct evbuffer *part = evbuffer_new();

    evbuffer_remove_buffer(c->body, part, c->piece < left ? c->piece : left);
    evhttp_send_reply_chunk(c->req, part);
    evbuffer_free(part);
    if (evbuffer_get_length(c->body) > 0) {
        loop_timer_set(c->timer, 1 + c->reply.delay_ms / SLOW_PIECES);
        return;
    }
    evhttp_send_reply_end(c->req);
    call_free(c);
}

static void
send_now(struct server_call *c)
{
    if (c->reply.spoil == SERVER_DROP) {
        server_drop(c);
        return;
    }
    if (c->reply.spoil == SERVER_RESET_MID_BODY) {
        reset_mid_body(c);
        return;
    }
    add_headers(c);
    if (c->reply.spoil == SERVER_SLOW) {
        c->piece = 1 + evbuffer_get_length(c->body) / SLOW_PIECES;
        c->started = true;
        evhttp_send_reply_start(c->req, c->reply.status, NULL);
        send_piece(c);
        return;
    }
    evhttp_send_reply(c->req, c->reply.status, NULL, c->body);
    call_free(c);
}

static void
on_timer(void *arg)
{
    struct server_call *c = arg;

    if (c->started)
        send_piece(c);
    else
        send_now(c);
}

void
server_reply(struct server_call *c, const struct server_reply *r, struct str body)
{
    bool later = r->delay_ms > 0 || r->spoil != SERVER_WHOLE;

    c->reply = *r;
    c->body = evbuffer_new();
    if (!c->body || evbuffer_add(c->body, body.p, r->spoil == SERVER_HALF ? body.n / 2 : body.n)) {
        server_drop(c);
        return;
    }
    c->reply.link = NULL;
    if (r->link)
        evhttp_add_header(evhttp_request_get_output_headers(c->req), "Link", r->link);
    if (!later) {
        send_now(c);
        return;
    }
    /* Never inside evhttp's own callback: a dropped connection frees what it still uses. */
    c->timer = loop_timer_new(c->server->loop, on_timer, c);
    if (c->timer)
        loop_timer_set(c->timer, r->spoil == SERVER_SLOW ? 0 : r->delay_ms);
    else
        send_now(c);
}

static void
on_drop(void *arg)
{
    struct server_call *c = arg;
    struct evhttp_connection *ev = evhttp_request_get_connection(c->req);
    int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(ev));
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    call_free(c);
    evhttp_connection_free(ev);
}

void
server_drop(struct server_call *c)
{
    loop_timer_free(c->timer);
    c->timer = loop_timer_new(c->server->loop, on_drop, c);
    if (c->timer)
        loop_timer_set(c->timer, 10); /* what was written by hand goes out first */
}
