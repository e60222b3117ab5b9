/* http_server.h - HTTP/1.1 in front of everything: evhttp behind an interface that an own reader
 * could replace.  The one module (with its helpers http_*.c) that sees libevent's HTTP types.
 *
 * It makes the checks that evhttp does not (duplicate and conflicting headers, characters, Host
 * present, smuggling forms, endless chunk lines, slowloris, output back-pressure, client gone while
 * we work): what reaches the handler is a well-formed request.  Used by workers and by the metrics
 * child.  Never blocks. */
#ifndef FRONT_HTTP_SERVER_H
#define FRONT_HTTP_SERVER_H

#include "err.h"
#include "loop.h"
#include "str.h"

struct http_server;
struct http_request;

struct http_server_options {
    size_t max_body, max_headers;
    unsigned max_header_count, max_connections;
    unsigned request_ms, idle_ms, write_ms;
    /* What Allow says to a method that nobody knows ("GET, POST"); a constant, may be NULL. */
    const char *allow;
    /* Counts a refusal that never reached the handler: enum metric_reason. */
    void (*on_refused)(void *arg, unsigned reason);
    void (*on_connection)(void *arg);
    void (*handler)(void *arg, struct http_request *r);
    void *arg;
};

struct http_server *http_server_new(
    struct loop *l, const struct http_server_options *o, struct err *e);
/* A listening, non-blocking socket; stays the caller's (the supervisor keeps it too). */
int http_server_listen(struct http_server *s, int fd, struct err *e);
void http_server_stop_listening(struct http_server *s);
/* From now on each reply carries Connection: close, and a connection is shut when it has been idle
 * for so long (one that has not brought its first request yet gets a moment).  May be repeated. */
void http_server_drain(struct http_server *s, unsigned idle_ms);
unsigned http_server_connections(const struct http_server *s);
void http_server_free(struct http_server *s);

/* ---- the request; valid until the reply ended ------------------------------------------------ */

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};
enum http_method http_request_method(const struct http_request *r);
struct str http_request_path(const struct http_request *r); /* without query, decoded, "/mcp" */
struct str http_request_header(const struct http_request *r, const char *name); /* first; trimmed */
unsigned http_request_header_count(const struct http_request *r, const char *name);
/* Steps through all headers; start with *at = 0. */
bool http_request_next_header(
    const struct http_request *r, size_t *at, struct str *name, struct str *value);
struct str http_request_body(struct http_request *r); /* contiguous; lives as long as the request */
const char *http_request_peer(const struct http_request *r); /* "127.0.0.1", "::1" */
/* The host of an absolute-form target (GET http://host/path), or STR_NONE. */
struct str http_request_authority(const struct http_request *r);

/* Called (once) when the client left before the reply ended: EOF, reset, or a dropped slow reader.
 * The reply must still be ended by http_reply_end()/http_reply(); arg is the handler's. */
void http_request_on_close(struct http_request *r, void (*cb)(void *arg), void *arg);

/* ---- exactly one reply ------------------------------------------------------------------------
 */

/* Headers are "Name: value" strings, NULL-terminated; may be NULL.  Content-Length, Date and
 * Connection are added here.  content_type NULL: none.  HEAD requests get no body. */
void http_reply(struct http_request *r, int status, const char *content_type,
    const char *const *headers, struct str body);

/* In pieces (chunked); for results longer than one piece and for SSE. */
void http_reply_start(
    struct http_request *r, int status, const char *content_type, const char *const *headers);
void http_reply_write(struct http_request *r, struct str piece);
size_t http_reply_backlog(const struct http_request *r); /* bytes the client has not taken yet */
/* Called when the backlog fell below `low` after it was above. */
void http_reply_on_drain(struct http_request *r, size_t low, void (*cb)(void *arg), void *arg);
void http_reply_end(struct http_request *r);
/* The answer cannot be completed: cuts the connection so that the client notices. */
void http_reply_abort(struct http_request *r);

#endif
