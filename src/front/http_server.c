/* HTTP/1.1 server on libevent's evhttp: set-up, listening sockets, and what a handler may ask about
 * a request.  Runs in workers and in the metrics child, one per process, in its event loop.  Must
 * never block, and never hand out a request that the scanner (http_scan.h) did not take whole. */
#include "front/http_internal.h"

#include "must.h"
#include "state/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>

struct listener {
    struct listener *next;
    struct evconnlistener *lev;
    struct evhttp_bound_socket *bound;
};

/* The error callback of a listener is told only evhttp's object: this finds ours. */
static struct http_server *servers;

/* ---- requests ------------------------------------------------------------------------------- */

static struct http_request *
request_new(struct http_server *s, struct evhttp_request *ev)
{
    struct http_request *r = s->spare;

    if (r) {
        s->spare = r->next;
        s->n_spare--;
        memset(r, 0, offsetof(struct http_request, peer));
    } else if (!(r = calloc(1, sizeof *r))) {
        return NULL;
    }
    r->server = s;
    r->ev = ev;
    r->peer[0] = '\0';
    return r;
}

void
http_request_release(struct http_request *r)
{
    struct http_server *s = r->server;

    if (s->handling == r)
        s->handling = NULL;
    free(r->path_decoded);
    if (s->n_spare >= 64) {
        free(r);
        return;
    }
    r->next = s->spare;
    s->spare = r;
    s->n_spare++;
}

/* The part of the target in front of its path: empty but for http://host/path. */
static struct str
target_authority(struct str target)
{
    const char *colon;
    size_t n = 0;

    if (target.n == 0 || target.p[0] == '/' || target.p[0] == '*')
        return STR_NONE;
    colon = memchr(target.p, ':', target.n); /* "http://" or "https://": the scanner has seen it */
    must(colon);
    target = str_from(target, (size_t)(colon - target.p) + 3);
    while (n < target.n && target.p[n] != '/' && target.p[n] != '?')
        n++;
    return (struct str){ target.p, n };
}

/* evhttp's own idea of the path takes "//host/mcp" for an authority: read the target ourselves.
 * The scanner has seen to it that each % is followed by two hexadecimal digits and not by 00. */
static int
set_path(struct http_request *r)
{
    struct str t = str_of(evhttp_request_get_uri(r->ev)), authority = target_authority(t);
    const char *end;
    size_t i, n = 0;

    if (!t.p)
        return -1;
    if (authority.p)
        t = (struct str){ authority.p + authority.n,
            (size_t)(t.p + t.n - authority.p) - authority.n };
    if ((end = memchr(t.p, '?', t.n)))
        t.n = (size_t)(end - t.p);
    if (t.n == 0)
        t = STR("/");
    r->path = t;
    if (!memchr(t.p, '%', t.n))
        return 0;
    if (!(r->path_decoded = malloc(t.n)))
        return -1;
    for (i = 0; i < t.n; i++) {
        char digits[3] = { 0 };

        if (t.p[i] != '%') {
            r->path_decoded[n++] = t.p[i];
            continue;
        }
        digits[0] = t.p[i + 1];
        digits[1] = t.p[i + 2];
        r->path_decoded[n++] = (char)strtol(digits, NULL, 16);
        i += 2;
    }
    r->path = (struct str){ r->path_decoded, n };
    return 0;
}

static void
on_complete(struct evhttp_request *ev, void *arg)
{
    conn_request_done(arg);
}

static void
on_request(struct evhttp_request *ev, void *arg)
{
    struct http_server *s = arg;
    struct conn *c = conn_of(s, ev);
    struct http_request *r = NULL;

    /* A request that the scanner did not take whole means that two readers of the same bytes
     * disagree: whatever it is, it is not served. */
    if (!c || c->handed >= c->scan.requests || !(r = request_new(s, ev)) || set_path(r) != 0) {
        if (r)
            http_request_release(r);
        evhttp_send_error(ev, c && c->handed >= c->scan.requests ? 400 : 503, NULL);
        return;
    }
    conn_request_begins(c, r);
    evhttp_request_set_on_complete_cb(ev, on_complete, c);
    s->handling = r;
    s->o.handler(s->o.arg, r);
    if (s->handling == r && !r->ended && r->conn)
        conn_request_waits(r->conn);
    s->handling = NULL;
}

enum http_method
http_request_method(const struct http_request *r)
{
    switch ((int)evhttp_request_get_command(r->ev)) {
    case EVHTTP_REQ_GET:
        return HTTP_GET;
    case EVHTTP_REQ_HEAD:
        return HTTP_HEAD;
    case EVHTTP_REQ_POST:
        return HTTP_POST;
    case EVHTTP_REQ_PUT:
        return HTTP_PUT;
    case EVHTTP_REQ_DELETE:
        return HTTP_DELETE;
    case EVHTTP_REQ_OPTIONS:
        return HTTP_OPTIONS;
    }
    return HTTP_OTHER;
}

struct str
http_request_path(const struct http_request *r)
{
    return r->path;
}

struct str
http_request_authority(const struct http_request *r)
{
    return target_authority(str_of(evhttp_request_get_uri(r->ev)));
}

bool
http_request_next_header(
    const struct http_request *r, size_t *at, struct str *name, struct str *value)
{
    const struct evkeyval *h = (const struct evkeyval *)(uintptr_t)*at;

    h = h ? TAILQ_NEXT(h, next) : TAILQ_FIRST(evhttp_request_get_input_headers(r->ev));
    if (!h)
        return false;
    *at = (size_t)(uintptr_t)h;
    *name = str_of(h->key);
    *value = str_trim(str_of(h->value));
    return true;
}

struct str
http_request_header(const struct http_request *r, const char *name)
{
    return str_trim(str_of(evhttp_find_header(evhttp_request_get_input_headers(r->ev), name)));
}

unsigned
http_request_header_count(const struct http_request *r, const char *name)
{
    struct str key, value;
    size_t at = 0;
    unsigned n = 0;

    while (http_request_next_header(r, &at, &key, &value))
        n += str_is_nocase(key, name);
    return n;
}

struct str
http_request_body(struct http_request *r)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(r->ev);
    size_t n = evbuffer_get_length(in);
    unsigned char *p = n ? evbuffer_pullup(in, -1) : NULL;

    return p ? (struct str){ (const char *)p, n } : STR("");
}

const char *
http_request_peer(const struct http_request *r)
{
    char *address = NULL;
    ev_uint16_t port;

    if (!r->conn)
        return r->peer;
    evhttp_connection_get_peer(r->conn->evcon, &address, &port);
    return address ? address : "";
}

void
http_request_on_close(struct http_request *r, void (*cb)(void *arg), void *arg)
{
    r->on_close = cb;
    r->on_close_arg = arg;
}

/* ---- listening ------------------------------------------------------------------------------ */

static void
each_listener(struct http_server *s, int (*change)(struct evconnlistener *))
{
    struct listener *l;

    for (l = s->listeners; l; l = l->next)
        change(l->lev);
}

/* Out of descriptors (or memory): without a pause the loop would spin on the same connection.  Or
 * the supervisor has shut the socket down because the server stops: that is nobody's fault. */
static void
on_accept_error(struct evconnlistener *lev, void *evhttp)
{
    bool shut = EVUTIL_SOCKET_ERROR() == EINVAL;
    struct http_server *s;

    for (s = servers; s && s->evhttp != evhttp; s = s->next)
        ;
    if (!s)
        return;
    each_listener(s, evconnlistener_disable);
    loop_timer_set(s->accept_pause, ACCEPT_PAUSE_MS);
    if (s->o.on_refused && !shut)
        s->o.on_refused(s->o.arg, REASON_CONNECTIONS);
}

static void
on_accept_pause_over(void *arg)
{
    each_listener(arg, evconnlistener_enable);
}

int
http_server_listen(struct http_server *s, int fd, struct err *e)
{
    struct listener *l = calloc(1, sizeof *l);

    if (!l)
        return err_set(e, "out of memory");
    l->lev = evconnlistener_new(loop_base(s->loop), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (l->lev)
        l->bound = evhttp_bind_listener(s->evhttp, l->lev);
    if (!l->bound) {
        if (l->lev)
            evconnlistener_free(l->lev);
        free(l);
        return err_set(e, "cannot watch a listening socket: %s", strerror(errno));
    }
    evconnlistener_set_error_cb(l->lev, on_accept_error);
    l->next = s->listeners;
    s->listeners = l;
    return 0;
}

void
http_server_stop_listening(struct http_server *s)
{
    struct listener *l;

    while ((l = s->listeners)) {
        s->listeners = l->next;
        evhttp_del_accept_socket(s->evhttp, l->bound); /* frees l->lev; the descriptor stays */
        free(l);
    }
    loop_timer_clear(s->accept_pause);
}

/* ---- life ----------------------------------------------------------------------------------- */

struct http_server *
http_server_new(struct loop *l, const struct http_server_options *o, struct err *e)
{
    struct http_server *s = calloc(1, sizeof *s);
    struct rlimit files;

    if (!s)
        goto no_memory;
    signal(SIGPIPE, SIG_IGN); /* clients leave while we write */
    s->o = *o;
    s->limits = (struct http_scan_limits){
        .max_head = o->max_headers, .max_body = o->max_body, .max_headers = o->max_header_count
    };
    s->loop = l;
    buf_init(&s->head, 16384);
    s->max_conns = o->max_connections;
    /* Leave descriptors for Snowflake and for us; a client must not be able to take the last. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
        rlim_t room = files.rlim_cur > 2048 ? files.rlim_cur - 1024 : files.rlim_cur / 2;

        if (room < s->max_conns)
            s->max_conns = (unsigned)room;
    }
    s->sweep = loop_timer_new(l, conn_sweep, s);
    s->accept_pause = loop_timer_new(l, on_accept_pause_over, s);
    s->soon = event_new(loop_base(l), -1, 0, conn_soon, s);
    s->evhttp = evhttp_new(loop_base(l));
    if (!s->sweep || !s->accept_pause || !s->soon || !s->evhttp)
        goto no_memory;
    evhttp_set_bevcb(s->evhttp, conn_new, s);
    evhttp_set_gencb(s->evhttp, on_request, s);
    evhttp_set_allowed_methods(s->evhttp, 0xffff);
    evhttp_set_default_content_type(s->evhttp, NULL);
    /* The scanner enforces the limits and answers in JSON; evhttp's own stay just behind it.  It
     * adds trailers to its count. */
    evhttp_set_max_headers_size(s->evhttp, (ev_ssize_t)o->max_headers * 2 + 1024);
    evhttp_set_max_body_size(s->evhttp, (ev_ssize_t)o->max_body);
    s->next = servers;
    servers = s;
    return s;

no_memory:
    err_set(e, "out of memory for the HTTP server");
    http_server_free(s);
    return NULL;
}

void
http_server_drain(struct http_server *s, unsigned idle_ms)
{
    s->draining = true;
    s->drain_idle_ms = idle_ms;
    if (s->n_conns > 0)
        conn_sweep(s);
}

unsigned
http_server_connections(const struct http_server *s)
{
    return s->n_conns;
}

void
http_server_free(struct http_server *s)
{
    struct http_server **at;
    struct http_request *r;

    if (!s)
        return;
    for (at = &servers; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    if (s->evhttp) {
        conn_soon(-1, 0, s); /* what was just accepted gets its close callback */
        http_server_stop_listening(s);
        s->freeing = true;
        evhttp_free(s->evhttp);
    }
    if (s->soon)
        event_free(s->soon);
    loop_timer_free(s->sweep);
    loop_timer_free(s->accept_pause);
    while ((r = s->spare)) {
        s->spare = r->next;
        free(r);
    }
    free(s->by_fd);
    buf_fini(&s->head);
    free(s);
}
