/* http_internal.h - what the files of the HTTP server share: connections and requests.
 *
 * http_server.c  set-up, listeners, what a request is asked
 * http_guard.c   life of a connection: raw bytes, deadlines, refusals, clients that left
 * http_refuse.c  answers to what never reaches a handler
 * http_reply.c   replies */
#ifndef FRONT_HTTP_INTERNAL_H
#define FRONT_HTTP_INTERNAL_H

#include "front/http_scan.h"
#include "front/http_server.h"

#include "buf.h"

#include <event2/event.h>
#include <event2/http.h>

struct bufferevent;
struct evbuffer_cb_entry;
struct listener;

enum {
    SWEEP_MS = 200,         /* how often deadlines are looked at */
    ACCEPT_PAUSE_MS = 100,  /* after EMFILE */
    LINGER_MS = 2000,       /* a refused client may finish sending for so long ... */
    LINGER_BYTES = 4 << 20, /* ... and so much */
    FIRST_REQUEST_MS = 500, /* a drain gives a new connection so long */
    PIPELINE_BYTES = 65536, /* bytes of later requests held while one is worked on */
    MAX_SINGLE_WRITE = 1 << 20
};

/* One client connection.  Born when evhttp accepts, gone when evhttp frees its own object (the
 * close callback), never later: on the way down nothing of evhttp is touched. */
struct conn {
    struct conn *next, *prev, *next_doomed;
    struct http_server *server;
    struct bufferevent *bev;
    struct evhttp_connection *evcon; /* NULL while just accepted */
    struct evbuffer_cb_entry *input_cb;
    struct http_request *request; /* handed out, its reply not yet written whole */
    struct http_scan scan;
    uint64_t handed;   /* requests given to the handler; never above scan.requests */
    uint64_t dropped;  /* of scan.blanks */
    uint64_t since_ms; /* the present phase began: idle, receiving, refused */
    uint64_t queued;   /* bytes of replies put into the output so far */
    uint64_t written;  /* of them written at the last sweep that saw progress ... */
    uint64_t written_ms;
    uint32_t thrown_away; /* bytes that came after the refusal */
    int fd;
    bool watched;     /* EV_READ is on only to notice that the client leaves */
    bool refused;     /* the scanner (or a limit) said no: a last answer is due ... */
    bool refusal_out; /* ... and was sent; waiting for the client to close */
    bool doomed;      /* in the list of those to cut */
};

struct http_request {
    struct http_request *next; /* in the list of spare ones */
    struct http_server *server;
    struct conn *conn; /* NULL: the client is gone */
    struct evhttp_request *ev;
    struct str path;
    char *path_decoded;
    void (*on_close)(void *arg);
    void *on_close_arg;
    void (*on_drain)(void *arg);
    void *on_drain_arg;
    size_t drain_low;
    bool ended;   /* the reply is complete on our side */
    bool started; /* http_reply_start() */
    bool aborted;
    char peer[48];
};

struct http_server {
    struct http_server_options o;
    struct http_scan_limits limits;
    struct loop *loop;
    struct evhttp *evhttp;
    struct event *soon; /* newly accepted and doomed connections, at the next turn of the loop */
    struct loop_timer *sweep, *accept_pause;
    struct listener *listeners;
    struct http_server *next; /* of this process */
    struct conn *conns;       /* the newly accepted ones first */
    struct conn *doomed;      /* to be cut at the next turn of the loop */
    struct conn **by_fd;      /* evhttp names a connection by its descriptor only */
    size_t n_fd;
    struct http_request *handling; /* the handler runs for it right now */
    struct http_request *spare;
    unsigned n_spare, n_conns, max_conns;
    uint64_t now_ms; /* at the last sweep */
    int64_t date_s;
    char date[32];
    struct buf head; /* of the reply that is being written */
    bool draining, sweeping, freeing;
    unsigned drain_idle_ms;
};

/* http_guard.c */
struct bufferevent *conn_new(struct event_base *base, void *server);
void conn_soon(evutil_socket_t fd, short what, void *server);
void conn_sweep(void *server);
struct conn *conn_of(const struct http_server *s, struct evhttp_request *ev);
/* The handler is about to get a request of this connection / has returned / the reply is written.
 */
void conn_request_begins(struct conn *c, struct http_request *r);
void conn_request_waits(struct conn *c);
void conn_request_done(struct conn *c);
void conn_doom(struct conn *c);
bool conn_all_handed(const struct conn *c);

/* http_refuse.c */
/* What the scanner said no to (c->scan says what) or, with conn_refuse(), what we do: the answer
 * goes out behind the replies that are due, then the connection ends. */
void conn_begin_refusal(struct conn *c);
void conn_refuse(struct conn *c, unsigned status, const char *reason);
void conn_send_refusal(struct conn *c); /* now; again if c->refusal_out is still false after it */
void conn_throw_away(struct conn *c);   /* the input: nothing behind a refusal reaches evhttp */

/* http_reply.c */
const char *http_reason(int status);
void http_request_release(struct http_request *r);

#endif
