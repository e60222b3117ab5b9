/* client.h - the worker's one client and its HTTP requests (inside of src/sf only). */
#ifndef SF_CLIENT_H
#define SF_CLIENT_H

#include "http_client.h"
#include "sf/credential.h"
#include "sf/sf.h"

struct cancel;

struct sf_client {
    struct loop *loop;
    const struct config *config;
    const struct sf_identity *identity;
    struct credential *credential;
    struct http_client *http;
    struct sf_counters counters;
    struct sf_statement *statements; /* a list: all that are not freed */
    struct cancel *cancels;          /* the same */
};

/* base * 2^(n-1) with jitter, at most `max`; n counts from 1. */
uint64_t client_backoff_ms(uint64_t base_ms, uint64_t max_ms, unsigned n);

/* ---- one HTTP request, its credential renewed once when it is refused -------------------------
 */

struct wire;

struct wire_end {
    bool ok;               /* an answer arrived whole (any status) */
    bool stopped;          /* on_rows said HTTP_ENOUGH */
    bool sent;             /* the peer may have seen the request */
    int status;            /* 0: none */
    int64_t retry_after_s; /* -1 */
    struct str body;       /* of a status other than 200; cut when long */
    const char *error;     /* !ok: a sentence */
};

struct wire_handlers {
    void (*on_head)(void *arg, int status);                 /* may be NULL */
    enum http_flow (*on_rows)(void *arg, struct str bytes); /* the body of a 200 */
    void (*on_end)(void *arg, const struct wire_end *end);  /* the wire is gone after */
};

/* `body` is borrowed until the end.  Callbacks never run inside.  NULL with *e. */
struct wire *wire_start(struct sf_client *c, const char *method, const char *path_and_query,
    struct str body, const struct wire_handlers *h, void *arg, struct err *e);
/* From now on others are told; for a wire that has told nothing yet. */
void wire_adopt(struct wire *w, const struct wire_handlers *h, void *arg);
void wire_resume(struct wire *w);
void wire_cancel(struct wire *w); /* NULL is fine */

/* ---- cancelling ------------------------------------------------------------------------------ */

void cancel_free_all(struct sf_client *c);
void statement_free_all(struct sf_client *c);

#endif
