/* server.h - HTTP for the emulator: libevent's evhttp behind a call object.
 *
 * A call is answered exactly once, at once or later, by server_reply(); after that it is gone.
 * Event loop only. */
#ifndef EMULATOR_SERVER_H
#define EMULATOR_SERVER_H

#include "buf.h"
#include "err.h"
#include "loop.h"

struct server;
struct server_call;

typedef void server_handler(void *arg, struct server_call *c);

struct server *server_new(struct loop *l, const char *address, uint16_t port,
    server_handler *handler, void *arg, struct err *e);
void server_free(struct server *s); /* calls that wait are dropped */
uint16_t server_port(const struct server *s);
void server_connections(const struct server *s, unsigned *open_now, uint64_t *opened);

/* Lent until the reply. */
const char *server_method(const struct server_call *c);
struct str server_path(const struct server_call *c);
struct str server_query(const struct server_call *c, const char *name);  /* decoded; STR_NONE */
struct str server_header(const struct server_call *c, const char *name); /* STR_NONE: absent */
struct str server_body(const struct server_call *c);
bool server_from_loopback(const struct server_call *c);

enum server_spoil { SERVER_WHOLE, SERVER_HALF, SERVER_RESET_MID_BODY, SERVER_SLOW, SERVER_DROP };

struct server_reply {
    int status;
    const char *content_type; /* NULL: application/json */
    const char *link;         /* NULL: no Link header */
    bool gzip;                /* the body is: Content-Encoding */
    int retry_after;          /* seconds; -1: none */
    enum server_spoil spoil;
    unsigned delay_ms; /* before the answer; SLOW: spread over it */
};

/* Copies the body. */
void server_reply(struct server_call *c, const struct server_reply *r, struct str body);
/* Closes the connection without a word. */
void server_drop(struct server_call *c);

#endif
