/* The life of a client connection around evhttp: every byte passes the scanner before evhttp parses
 * it, deadlines are kept by one sweep, refusals are answered in JSON, clients that leave are
 * noticed.  Runs in workers and the metrics child. */
#include "front/http_internal.h"

#include "clock.h"
#include "must.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

bool
conn_all_handed(const struct conn *c)
{
    return c->handed == c->scan.requests;
}

static bool
is_idle(const struct conn *c)
{
    return !c->request && !c->refused && conn_all_handed(c) && http_scan_idle(&c->scan);
}

static void
tick(struct http_server *s)
{
    int64_t wall = clock_wall_s();
    time_t t = (time_t)wall;
    struct tm tm;

    s->now_ms = clock_ms();
    if (wall == s->date_s)
        return;
    s->date_s = wall;
    gmtime_r(&t, &tm);
    strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* ---- input ----------------------------------------------------------------------------------- */

/* evhttp answers 400 to the empty line in front of a request that RFC 9112 wants ignored.  To be
 * called where the next byte that evhttp will read is the first of a request. */
static void
drop_blank_line(struct conn *c, struct evbuffer *input)
{
    char two[2];

    if (c->dropped == c->scan.blanks)
        return;
    if (evbuffer_copyout(input, two, 2) == 2 && two[0] == '\r' && two[1] == '\n') {
        evbuffer_drain(input, 2);
        c->dropped++;
    }
}

/* Feeds the last `n` bytes of the buffer, those that have just come. */
static void
scan_tail(struct conn *c, struct evbuffer *input, size_t n)
{
    struct evbuffer_iovec pieces[8];
    struct evbuffer_ptr at;
    int i, count;
    size_t skip, taken;

    while (n > 0 && !c->scan.refused) {
        skip = evbuffer_get_length(input) - n;
        if (skip > 0)
            evbuffer_ptr_set(input, &at, skip, EVBUFFER_PTR_SET);
        count = evbuffer_peek(input, (ev_ssize_t)n, skip > 0 ? &at : NULL, pieces, NELEM(pieces));
        must(count > 0);
        for (i = 0; i < count && i < (int)NELEM(pieces) && n > 0 && !c->scan.refused; i++) {
            taken = pieces[i].iov_len < n ? pieces[i].iov_len : n;
            http_scan_feed(&c->scan, &c->server->limits, pieces[i].iov_base, taken);
            n -= taken;
        }
    }
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct conn *c = arg;
    bool at_start;

    if (info->n_added == 0)
        return;
    if (c->refused) {
        if (conn_all_handed(c))
            conn_throw_away(c);
        return;
    }
    at_start = conn_all_handed(c) && http_scan_idle(&c->scan);
    scan_tail(c, input, info->n_added);
    if (at_start) {
        drop_blank_line(c, input);
        if (!http_scan_idle(&c->scan) || !conn_all_handed(c))
            c->since_ms = c->server->now_ms;
    }
    if (c->scan.refused)
        conn_begin_refusal(c);
    else if (c->request && !c->watched && evbuffer_get_length(input) > PIPELINE_BYTES)
        conn_request_waits(c); /* the reply is being written, slowly */
}

void
conn_request_begins(struct conn *c, struct http_request *r)
{
    struct evbuffer *input = bufferevent_get_input(c->bev);

    c->handed++;
    c->request = r;
    r->conn = c;
    c->written = c->queued;
    c->written_ms = c->server->now_ms;
    drop_blank_line(c, input);
    if (c->refused && conn_all_handed(c))
        conn_throw_away(c);
}

/* libevent does not watch a connection whose request is being worked on.  Reading on without
 * evhttp's read callback (which would end the process) tells us when the client leaves; what it
 * sends ahead stays in the input, up to a bound. */
void
conn_request_waits(struct conn *c)
{
    bufferevent_data_cb on_write;
    bufferevent_event_cb on_event;
    void *arg;

    bufferevent_getcb(c->bev, NULL, &on_write, &on_event, &arg);
    bufferevent_setcb(c->bev, NULL, on_write, on_event, arg);
    bufferevent_setwatermark(c->bev, EV_READ, 0, PIPELINE_BYTES);
    bufferevent_enable(c->bev, EV_READ);
    c->watched = true;
}

void
conn_request_done(struct conn *c)
{
    struct http_request *r = c->request;

    c->request = NULL;
    c->since_ms = c->server->now_ms;
    if (c->watched) { /* or a long body would wait below the mark for ever */
        bufferevent_setwatermark(c->bev, EV_READ, 0, 0);
        c->watched = false;
    }
    if (r)
        http_request_release(r);
    if (c->refused && conn_all_handed(c))
        conn_send_refusal(c);
}

/* ---- birth and death ------------------------------------------------------------------------- */

static void
unlink_conn(struct conn *c)
{
    struct http_server *s = c->server;
    struct conn **at;

    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    for (at = &s->doomed; c->doomed && *at; at = &(*at)->next_doomed)
        if (*at == c) {
            *at = c->next_doomed;
            break;
        }
    if (c->fd >= 0 && (size_t)c->fd < s->n_fd && s->by_fd[c->fd] == c)
        s->by_fd[c->fd] = NULL;
    s->n_conns--;
}

/* evhttp is about to free its connection: ours ends here.  A request that is still worked on goes
 * on without one until its reply is ended. */
static void
on_gone(struct evhttp_connection *evcon, void *arg)
{
    struct conn *c = arg;
    struct http_request *r = c->request;
    struct http_server *s = c->server;
    const char *peer = r ? http_request_peer(r) : "";

    evbuffer_remove_cb_entry(bufferevent_get_input(c->bev), c->input_cb);
    if (r) {
        str_copy(r->peer, sizeof r->peer, str_of(peer));
        r->conn = NULL;
    }
    unlink_conn(c);
    free(c);
    if (!r)
        return;
    if (r->ended) { /* evhttp frees the request together with the connection */
        http_request_release(r);
        return;
    }
    if (s->freeing)
        r->ev = NULL;
    if (r->on_close)
        r->on_close(r->on_close_arg);
}

static int
remember_fd(struct http_server *s, struct conn *c)
{
    size_t n = s->n_fd ? s->n_fd : 256;
    struct conn **grown;

    while (n <= (size_t)c->fd)
        n *= 2;
    if (n != s->n_fd) {
        if (!(grown = realloc(s->by_fd, n * sizeof(struct conn *))))
            return -1;
        memset(grown + s->n_fd, 0, (n - s->n_fd) * sizeof(struct conn *));
        s->by_fd = grown;
        s->n_fd = n;
    }
    s->by_fd[c->fd] = c;
    return 0;
}

struct conn *
conn_of(const struct http_server *s, struct evhttp_request *ev)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
    int fd = bufferevent_getfd(bev);
    struct conn *c = fd >= 0 && (size_t)fd < s->n_fd ? s->by_fd[fd] : NULL;

    return c && c->bev == bev ? c : NULL;
}

/* evhttp asks for the bufferevent of a connection that it has accepted.  NULL would give it one
 * without our guard, whose requests on_request() refuses: only when memory is out. */
struct bufferevent *
conn_new(struct event_base *base, void *server)
{
    struct http_server *s = server;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct conn *c = bev ? calloc(1, sizeof *c) : NULL;

    if (c)
        c->input_cb = evbuffer_add_cb(bufferevent_get_input(bev), on_input, c);
    if (!c || !c->input_cb) {
        free(c);
        if (bev)
            bufferevent_free(bev);
        return NULL;
    }
    if (!s->sweeping) {
        s->sweeping = true;
        tick(s);
        loop_timer_set(s->sweep, SWEEP_MS);
    }
    bufferevent_set_max_single_write(bev, MAX_SINGLE_WRITE);
    bufferevent_incref(bev); /* until conn_soon() has met evhttp's object */
    http_scan_init(&c->scan);
    c->server = s;
    c->bev = bev;
    c->fd = -1;
    c->since_ms = s->now_ms;
    c->next = s->conns;
    if (c->next)
        c->next->prev = c;
    s->conns = c;
    s->n_conns++;
    event_active(s->soon, EV_TIMEOUT, 0);
    return bev;
}

/* The accepted connection is complete now: learn its descriptor and ask to be told of its end. */
static void
meet(struct conn *c)
{
    struct http_server *s = c->server;
    struct bufferevent *bev = c->bev;
    bufferevent_event_cb on_event;
    void *evcon;

    bufferevent_getcb(bev, NULL, NULL, &on_event, &evcon);
    if (!on_event) { /* evhttp failed and has already let go of it */
        evbuffer_remove_cb_entry(bufferevent_get_input(bev), c->input_cb);
        unlink_conn(c);
        free(c);
        bufferevent_decref(bev);
        return;
    }
    c->fd = bufferevent_getfd(bev);
    c->evcon = evcon; /* evhttp's callbacks carry its own object */
    evhttp_connection_set_closecb(c->evcon, on_gone, c);
    bufferevent_decref(bev);
    if (s->o.on_connection)
        s->o.on_connection(s->o.arg);
    if (remember_fd(s, c) != 0)
        conn_doom(c);
    else if (s->n_conns > s->max_conns)
        conn_refuse(c, 503, "too many connections");
}

/* Ends the connection the way evhttp expects of a broken one: requests being worked on are parted
 * from it, not freed. */
static void
cut(struct conn *c)
{
    if (c->request && c->request->aborted && !c->request->ended) {
        /* A reply that is ended by closing must not look complete: reset, so that no FIN goes out.
         */
        struct sockaddr nobody = { .sa_family = AF_UNSPEC };

        (void)connect(c->fd, &nobody, sizeof nobody);
    }
    bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR | BEV_EVENT_READING, 0);
}

void
conn_doom(struct conn *c)
{
    if (c->doomed)
        return;
    c->doomed = true;
    c->next_doomed = c->server->doomed;
    c->server->doomed = c;
    event_active(c->server->soon, EV_TIMEOUT, 0);
}

void
conn_soon(evutil_socket_t fd, short what, void *server)
{
    struct http_server *s = server;
    struct conn *c, *next;

    for (c = s->conns; c && !c->evcon; c = next) {
        next = c->next;
        meet(c);
    }
    while ((c = s->doomed)) {
        s->doomed = c->next_doomed;
        c->doomed = false;
        cut(c);
    }
}

/* ---- deadlines ------------------------------------------------------------------------------- */

/* `since` is as coarse as the sweep, so the limit is kept with one sweep to spare. */
static bool
is_over(const struct http_server *s, uint64_t since_ms, uint64_t limit_ms)
{
    return s->now_ms - since_ms > limit_ms + SWEEP_MS;
}

static bool
has_left(const struct conn *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* A reply is due or being taken: a client that takes none of it, or has left behind more pipelined
 * bytes than we read, is dropped. */
static void
sweep_busy(struct conn *c)
{
    struct http_server *s = c->server;
    size_t waiting = evbuffer_get_length(bufferevent_get_output(c->bev));
    uint64_t written = c->queued - waiting;

    if (waiting == 0 || written != c->written) {
        c->written = written;
        c->written_ms = s->now_ms;
    } else if (is_over(s, c->written_ms, s->o.write_ms)) {
        cut(c);
        return;
    }
    if (c->watched && evbuffer_get_length(bufferevent_get_input(c->bev)) >= PIPELINE_BYTES &&
        has_left(c))
        cut(c);
}

/* How long a drain leaves an idle connection alone. */
static uint64_t
drain_patience(const struct conn *c)
{
    uint64_t ms = c->server->drain_idle_ms;

    return c->handed == 0 && ms < FIRST_REQUEST_MS ? FIRST_REQUEST_MS : ms;
}

static void
sweep_one(struct conn *c)
{
    struct http_server *s = c->server;
    int unread = 0;

    if (c->request) {
        sweep_busy(c);
    } else if (c->refusal_out) {
        if (is_over(s, c->since_ms, LINGER_MS))
            cut(c);
    } else if (c->refused && conn_all_handed(c)) {
        conn_send_refusal(c);
        if (is_over(s, c->since_ms, s->o.write_ms))
            cut(c);
    } else if (!is_idle(c)) {
        if (is_over(s, c->since_ms, s->o.request_ms)) {
            if (c->refused) /* evhttp does not get on with a request that the scanner took */
                cut(c);
            else
                conn_refuse(c, 408, "request did not arrive in time");
        }
    } else if (is_over(s, c->since_ms, s->o.idle_ms) ||
               (s->draining && s->now_ms - c->since_ms >= drain_patience(c) &&
                   evbuffer_get_length(bufferevent_get_input(c->bev)) == 0 &&
                   ioctl(c->fd, FIONREAD, &unread) == 0 && unread == 0)) {
        evhttp_connection_free(c->evcon);
    }
}

void
conn_sweep(void *server)
{
    struct http_server *s = server;
    struct conn *c, *next;

    tick(s);
    for (c = s->conns; c; c = next) {
        next = c->next;
        if (c->evcon && !c->doomed)
            sweep_one(c);
    }
    s->sweeping = s->n_conns > 0;
    if (s->sweeping)
        loop_timer_set(s->sweep, SWEEP_MS);
}
