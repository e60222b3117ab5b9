/* http_client.h - outbound HTTP on the process's event loop (libcurl multi underneath).
 *
 * One client per worker, created after fork; http_client_global_init() runs once before fork.
 * Connections are kept alive and reused; HTTP/2 over TLS where the peer offers it; gzip decoded;
 * TLS always verified for https.  No redirects are followed.  Nothing blocks (DNS by curl's
 * threaded resolver). */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "err.h"
#include "loop.h"
#include "str.h"

struct http_client;
struct http_exchange;

struct http_client_options {
    const char *ca_file;    /* NULL: the system's */
    const char *proxy;      /* NULL: none; the environment's proxy variables are not read */
    const char *no_proxy;   /* NULL: none */
    const char *user_agent; /* name/version */
    unsigned connect_timeout_ms;
    unsigned max_connections; /* kept open at most; also the bound on parallel exchanges' sockets */
};

int http_client_global_init(struct err *e); /* before fork; 0 or -1 */
struct http_client *http_client_new(
    struct loop *l, const struct http_client_options *o, struct err *e);
/* Cancels what still runs, without callbacks; not from inside one. */
void http_client_free(struct http_client *c);
unsigned http_client_idle_connections(const struct http_client *c); /* open and not in use */
unsigned http_client_active(const struct http_client *c);           /* exchanges under way */

struct http_send {
    const char *method; /* "GET", "POST" */
    const char *url;
    const char *const *headers; /* "Name: value" lines, NULL-terminated; copied */
    struct str body;            /* borrowed until on_done or cancel */
    unsigned timeout_ms;        /* whole exchange while not paused; 0: none */
    unsigned idle_timeout_ms;   /* no byte for so long; 0: none */
};

enum http_flow {
    HTTP_GO,    /* bytes taken */
    HTTP_PAUSE, /* bytes NOT taken: they come again after http_exchange_resume() */
    HTTP_ENOUGH /* stop here: on_done follows with ok = true, stopped = true */
};

struct http_outcome {
    /* An HTTP answer arrived whole (any status).  A body that has neither a length nor chunks ends
     * with its connection: there a cut one cannot be told from a whole one. */
    bool ok;
    bool stopped; /* ended by HTTP_ENOUGH */
    bool sent;    /* false: the peer cannot have seen the request (DNS, connect, TLS) */
    bool timed_out;
    int status;        /* 0 when no answer line arrived */
    const char *error; /* ok: NULL; else a sentence with host and reason, valid in the callback */
};

struct http_handlers {
    /* Status known, before the first body byte. content_type is "" when absent;
     * retry_after_s is -1 when absent or not a number of seconds. */
    void (*on_head)(void *arg, int status, struct str content_type, int64_t retry_after_s);
    enum http_flow (*on_body)(void *arg, struct str bytes);   /* decoded; at most 16 KiB a time */
    void (*on_done)(void *arg, const struct http_outcome *o); /* once; the exchange is gone after */
};

/* Starts at once; callbacks never run inside this call.  NULL with *e when it cannot start. */
struct http_exchange *http_exchange_start(struct http_client *c, const struct http_send *s,
    const struct http_handlers *h, void *arg, struct err *e);
void http_exchange_resume(struct http_exchange *x); /* callbacks may run inside */
void http_exchange_cancel(struct http_exchange *x); /* no callback any more; NULL is fine */

#endif
