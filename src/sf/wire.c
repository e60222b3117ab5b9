/* wire.c - one request to Snowflake: headers, credential, a small body or a streamed one.
 *
 * Runs in workers.  A 401 is answered here: the credential is renewed and the request sent once
 * more, so that nobody above has to think of it.  Nothing else is ever repeated here. */
#include "sf/client.h"

#include <stdlib.h>

enum { SMALL_BODY = 65536 };

struct wire {
    struct sf_client *client;
    const char *method;
    char *url;
    struct str body;
    struct wire_handlers handlers;
    void *arg;
    struct http_exchange *exchange;
    unsigned serial; /* of the credential it went out with */
    bool second_try;
    int status;
    int64_t retry_after_s;
    struct buf text;
};

static void
wire_free(struct wire *w)
{
    buf_fini(&w->text);
    free(w->url);
    free(w);
}

static void
on_head(void *arg, int status, struct str content_type, int64_t retry_after_s)
{
    struct wire *w = arg;
    w->status = status;
    w->retry_after_s = retry_after_s;
    if (w->handlers.on_head)
        w->handlers.on_head(w->arg, status);
}

static enum http_flow
on_body(void *arg, struct str bytes)
{
    struct wire *w = arg;
    if (w->status == 200 && w->handlers.on_rows)
        return w->handlers.on_rows(w->arg, bytes);
    /* What an error page says beyond the bound is not worth keeping. */
    if (w->text.len < SMALL_BODY) {
        if (bytes.n > SMALL_BODY - w->text.len)
            bytes.n = SMALL_BODY - w->text.len;
        buf_put_str(&w->text, bytes);
    }
    return HTTP_GO;
}

static void on_done(void *arg, const struct http_outcome *o);

static int
send_now(struct wire *w, struct err *e)
{
    static const struct http_handlers handlers = { on_head, on_body, on_done };
    const char *authorization, *type;
    struct sf_client *c = w->client;
    if (credential_headers(c->credential, &authorization, &type, e) != 0)
        return -1;
    w->serial = credential_serial(c->credential);
    w->status = 0;
    w->retry_after_s = -1;
    buf_clear(&w->text);
    const char *headers[] = { authorization, type, "Accept: application/json",
        "Content-Type: application/json", NULL };
    struct http_send send = {
        .method = w->method,
        .url = w->url,
        .headers = headers,
        .body = w->body,
        .idle_timeout_ms = (unsigned)c->config->sf_request_ms,
    };
    w->exchange = http_exchange_start(c->http, &send, &handlers, w, e);
    return w->exchange ? 0 : -1;
}

static void
judge_credential(struct wire *w)
{
    struct sf_counters *n = &w->client->counters;
    bool refused = w->status == 401;
    /* Only these tell that the credential was looked at and found good. */
    if (!refused && w->status != 200 && w->status != 202 && w->status != 408 && w->status != 422)
        return;
    switch (credential_answered(w->client->credential, w->serial, refused)) {
    case CREDENTIAL_LOGIN_OK:
        n->logins_ok++;
        break;
    case CREDENTIAL_LOGIN_REFUSED:
        n->logins_refused++;
        break;
    case CREDENTIAL_NOTHING:
        break;
    }
}

/* Sends it again if there is another credential to show.  True: under way. */
static bool
try_another_credential(struct wire *w)
{
    const char *authorization, *type;
    unsigned tried = w->serial;
    if (w->second_try ||
        credential_headers(w->client->credential, &authorization, &type, NULL) != 0 ||
        credential_serial(w->client->credential) == tried)
        return false;
    w->second_try = true;
    if (send_now(w, NULL) != 0) {
        w->status = 401;
        return false;
    }
    w->client->counters.retries++;
    return true;
}

static void
on_done(void *arg, const struct http_outcome *o)
{
    struct wire *w = arg;
    w->exchange = NULL;
    if (w->status)
        judge_credential(w);
    if (o->ok && w->status == 401 && try_another_credential(w))
        return;
    struct wire_end end = {
        .ok = o->ok,
        .stopped = o->stopped,
        .sent = o->sent,
        .status = w->status,
        .retry_after_s = w->retry_after_s,
        .body = buf_str(&w->text),
        .error = o->ok      ? NULL
                 : o->error ? o->error
                            : "no reason given",
    };
    w->handlers.on_end(w->arg, &end);
    wire_free(w);
}

struct wire *
wire_start(struct sf_client *c, const char *method, const char *path_and_query, struct str body,
    const struct wire_handlers *h, void *arg, struct err *e)
{
    struct wire *w = calloc(1, sizeof *w);
    if (!w) {
        err_set(e, "out of memory");
        return NULL;
    }
    w->client = c;
    w->method = method;
    w->body = body;
    w->handlers = *h;
    w->arg = arg;
    buf_init(&w->text, SMALL_BODY);
    struct buf url;
    buf_init(&url, 4096);
    buf_put_z(&url, c->identity->base_url);
    buf_put_z(&url, path_and_query);
    w->url = buf_take(&url, NULL);
    if (!w->url || send_now(w, e) != 0) {
        if (!w->url)
            err_set(e, "out of memory");
        wire_free(w);
        return NULL;
    }
    return w;
}

void
wire_adopt(struct wire *w, const struct wire_handlers *h, void *arg)
{
    w->handlers = *h;
    w->arg = arg;
}

void
wire_resume(struct wire *w)
{
    http_exchange_resume(w->exchange);
}

void
wire_cancel(struct wire *w)
{
    if (!w)
        return;
    http_exchange_cancel(w->exchange);
    wire_free(w);
}
