/* http_private.h - what the three files of the HTTP client share; nobody else includes this.
 *
 *   http_client.c    curl on the event loop, and what has to wait until curl has returned
 *   http_exchange.c  one exchange: its clock, its callbacks, its end
 *   http_request.c   one exchange: telling curl what to send and how
 *
 * curl forbids most of its calls inside its own callbacks, while our callers may start, resume and
 * cancel exchanges wherever they are.  So `inside` says that curl is on the stack; what is asked
 * for then is noted in the exchange and done by http_client_leave(), when curl has returned. */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include "http_client.h"
#include "http_gunzip.h"

#include <curl/curl.h>

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer; /* curl's own */
    char *ca_file, *proxy, *no_proxy, *user_agent;
    unsigned connect_timeout_ms;
    unsigned sockets; /* open, in use or not */
    unsigned active;
    unsigned inside; /* curl calls on the stack */
    bool todo;       /* leave() has something to do */
    struct http_exchange *exchanges, *cancelled;
};

struct http_exchange {
    struct http_exchange *next, **link; /* in c->exchanges or c->cancelled */
    struct http_client *c;
    struct http_handlers h;
    void *arg;
    CURL *easy;
    struct curl_slist *headers;
    struct http_gunzip *gunzip; /* NULL: the answer is not compressed */
    struct loop_timer *timer;

    bool tls;       /* https */
    bool added;     /* curl has it */
    bool cancelled; /* no callback any more; freed as soon as curl lets us */
    bool finishing; /* on_done is running */
    bool paused;    /* the caller asked for it; curl is paused, too */
    bool resume;    /* asked for while curl was on the stack */
    bool stopped;   /* HTTP_ENOUGH */
    bool head_done; /* on_head was called */
    bool over;      /* curl is done, `result` holds; but the caller is paused */
    CURLcode result;
    int status;
    int64_t retry_after_s;
    char content_type[256];
    char encoding[32];
    char problem[128]; /* ours, when curl knows of none */
    char curl_error[CURL_ERROR_SIZE];
    char host[128]; /* for messages: never the path, which may name things */

    unsigned timeout_ms, idle_timeout_ms;
    uint64_t spent_ms; /* before the current stretch without pause */
    uint64_t since_ms; /* when that began */
    uint64_t byte_ms;  /* the last sign of life */
    curl_off_t uploaded;
    struct str unsent; /* of the body */
};

/* http_client.c: around each call of curl that may call back. */
void http_client_enter(struct http_client *c);
void http_client_leave(struct http_client *c);
curl_socket_t http_client_open_socket(
    void *client, curlsocktype purpose, struct curl_sockaddr *address);
int http_client_close_socket(void *client, curl_socket_t fd);

/* http_exchange.c: the first four not while curl is on the stack. */
void http_exchange_finish(struct http_exchange *x, CURLcode result, bool timed_out);
void http_exchange_add(struct http_exchange *x);        /* hands it to curl */
void http_exchange_resume_now(struct http_exchange *x); /* may free x */
void http_exchange_free(struct http_exchange *x);       /* taken out of its list already */
void http_exchange_take_out(struct http_exchange *x);
size_t http_exchange_on_header(char *p, size_t size, size_t n, void *exchange);
size_t http_exchange_on_write(char *p, size_t size, size_t n, void *exchange);

/* http_request.c */
int http_request_set(struct http_exchange *x, const struct http_send *s, struct err *e);
bool http_header_is(struct str line, const char *name, struct str *value);

#endif
