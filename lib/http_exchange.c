/* http_exchange.c - one exchange from start to on_done: its clock, which stands still while the
 * caller pauses, and curl's callbacks.  Worker only; never calls back inside
 * http_exchange_start(). */
#include "clock.h"
#include "http_private.h"

#include <stdio.h>
#include <stdlib.h>

static void
put_in(struct http_exchange **list, struct http_exchange *x)
{
    x->next = *list;
    x->link = list;
    if (x->next)
        x->next->link = &x->next;
    *list = x;
}

void
http_exchange_take_out(struct http_exchange *x)
{
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
}

void
http_exchange_free(struct http_exchange *x)
{
    if (x->added)
        curl_multi_remove_handle(x->c->multi, x->easy);
    if (x->easy)
        curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    http_gunzip_free(x->gunzip);
    loop_timer_free(x->timer);
    free(x);
}

/* ---- time ----------------------------------------------------------------------------------- */

static uint64_t
until(uint64_t now, uint64_t from, uint64_t length)
{
    return now - from >= length ? 0 : length - (now - from);
}

/* One lazy timer: nothing is set again for each byte that arrives. */
static void
arm(struct http_exchange *x)
{
    uint64_t now = clock_ms(), wait = UINT64_MAX;
    if (x->timeout_ms)
        wait =
            until(now, x->since_ms, x->timeout_ms > x->spent_ms ? x->timeout_ms - x->spent_ms : 0);
    if (x->idle_timeout_ms) {
        uint64_t idle = until(now, x->byte_ms, x->idle_timeout_ms);
        wait = idle < wait ? idle : wait;
    }
    if (wait != UINT64_MAX)
        loop_timer_set(x->timer, wait);
}

static void
stop_clock(struct http_exchange *x)
{
    x->spent_ms += clock_ms() - x->since_ms;
    loop_timer_clear(x->timer);
}

static void
start_clock(struct http_exchange *x)
{
    x->since_ms = x->byte_ms = clock_ms();
    arm(x);
}

/* ---- the end -------------------------------------------------------------------------------- */

static bool
was_sent(struct http_exchange *x)
{
    long request = 0;
    curl_off_t body = 0;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &body);
    return request > 0 || body > 0 || x->status > 0;
}

void
http_exchange_finish(struct http_exchange *x, CURLcode result, bool timed_out)
{
    struct http_client *c = x->c;
    char text[sizeof x->host + sizeof x->curl_error + 16];
    struct http_outcome o = { .stopped = x->stopped, .status = x->status };
    if (result == CURLE_OK && !x->problem[0] && x->gunzip && !http_gunzip_whole(x->gunzip))
        snprintf(x->problem, sizeof x->problem, "the compressed answer is cut off");
    o.ok = x->stopped || (result == CURLE_OK && !x->problem[0] && x->status > 0);
    o.timed_out = timed_out || result == CURLE_OPERATION_TIMEDOUT;
    o.sent = o.ok || was_sent(x);
    if (!o.ok) {
        const char *why = x->problem[0]        ? x->problem
                          : x->curl_error[0]   ? x->curl_error
                          : result != CURLE_OK ? curl_easy_strerror(result)
                                               : "no HTTP answer";
        snprintf(text, sizeof text, "%s: %s", x->host, why);
        o.error = text;
    }
    /* First out of curl, so that what on_done starts finds the connection free. */
    if (x->added)
        curl_multi_remove_handle(c->multi, x->easy);
    x->added = false;
    x->finishing = true;
    http_exchange_take_out(x);
    c->active--;
    x->h.on_done(x->arg, &o);
    http_exchange_free(x);
}

/* The exchange's own timer: a deadline, or (with `over`) the deferred end. */
static void
on_exchange_timer(void *arg)
{
    struct http_exchange *x = arg;
    if (x->over) {
        http_exchange_finish(x, x->result, false);
        return;
    }
    uint64_t now = clock_ms();
    curl_off_t uploaded = 0;
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (uploaded != x->uploaded) {
        x->uploaded = uploaded;
        x->byte_ms = now;
    }
    if (x->timeout_ms && x->spent_ms + (now - x->since_ms) >= x->timeout_ms)
        snprintf(x->problem, sizeof x->problem, "timeout: no complete answer within %u ms",
            x->timeout_ms);
    else if (x->idle_timeout_ms && now - x->byte_ms >= x->idle_timeout_ms)
        snprintf(
            x->problem, sizeof x->problem, "timeout: not a byte for %u ms", x->idle_timeout_ms);
    if (x->problem[0])
        http_exchange_finish(x, CURLE_OPERATION_TIMEDOUT, true);
    else
        arm(x);
}

static void
end_soon(struct http_exchange *x, CURLcode result)
{
    x->over = true;
    x->result = result;
    loop_timer_set(x->timer, 0);
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static enum http_flow
give(void *arg, struct str bytes)
{
    struct http_exchange *x = arg;
    enum http_flow flow = x->h.on_body(x->arg, bytes);
    if (x->cancelled || flow == HTTP_ENOUGH) {
        x->stopped = !x->cancelled;
        return HTTP_ENOUGH;
    }
    if (flow == HTTP_PAUSE && !x->paused) {
        x->paused = true;
        stop_clock(x);
    }
    return flow;
}

size_t
http_exchange_on_write(char *p, size_t size, size_t n, void *arg)
{
    struct http_exchange *x = arg;
    n *= size;
    if (x->cancelled || x->stopped)
        return n ? 0 : 1;
    x->byte_ms = clock_ms();
    struct str bytes = { p, n };
    if (!x->gunzip || x->paused) {
        enum http_flow flow = x->paused ? HTTP_PAUSE : give(x, bytes);
        /* When paused, curl keeps the bytes. */
        return flow == HTTP_GO ? n : flow == HTTP_PAUSE ? CURL_WRITEFUNC_PAUSE : 0;
    }
    switch (http_gunzip_feed(x->gunzip, bytes, give, x)) {
    case HTTP_GUNZIP_OK:
        return n;
    case HTTP_GUNZIP_PAUSED: /* the rest is kept in x->gunzip */
        curl_easy_pause(x->easy, CURLPAUSE_RECV);
        return n;
    case HTTP_GUNZIP_BAD:
        snprintf(x->problem, sizeof x->problem, "the compressed answer is damaged");
        return 0;
    default:
        return 0;
    }
}

/* The blank line behind a head: 0, or -1 when this answer is of no use. */
static int
head_is_complete(struct http_exchange *x)
{
    x->head_done = true;
    struct str coding = str_of(x->encoding);
    if (str_is_nocase(coding, "gzip") || str_is_nocase(coding, "x-gzip")) {
        x->gunzip = http_gunzip_new();
        if (!x->gunzip) {
            snprintf(x->problem, sizeof x->problem, "out of memory");
            return -1;
        }
    } else if (coding.n && !str_is_nocase(coding, "identity")) {
        snprintf(x->problem, sizeof x->problem, "the answer's Content-Encoding is unknown");
        return -1;
    }
    if (x->h.on_head)
        x->h.on_head(x->arg, x->status, str_of(x->content_type), x->retry_after_s);
    return x->cancelled ? -1 : 0;
}

size_t
http_exchange_on_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_exchange *x = arg;
    struct str line = { p, n * size }, value;
    size_t taken = line.n;
    if (x->cancelled)
        return 0;
    x->byte_ms = clock_ms();
    if (x->head_done)
        return taken; /* trailers */
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (str_starts(line, "HTTP/")) {
        x->status = 0;
        x->retry_after_s = -1;
        x->content_type[0] = x->encoding[0] = '\0';
    } else if (http_header_is(line, "content-type", &value)) {
        str_copy(x->content_type, sizeof x->content_type, value);
    } else if (http_header_is(line, "content-encoding", &value)) {
        str_copy(x->encoding, sizeof x->encoding, value);
    } else if (http_header_is(line, "retry-after", &value)) {
        uint64_t s;
        if (str_to_u64(value, &s) == 0 && s <= INT32_MAX)
            x->retry_after_s = (int64_t)s;
    } else if (line.n == 0) {
        long status = 0;
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status < 200)
            return taken; /* 100 Continue and the like: the real one follows */
        x->status = (int)status;
        if (head_is_complete(x) != 0)
            return 0;
    }
    return taken;
}

/* ---- what the caller asks for --------------------------------------------------------------- */

void
http_exchange_add(struct http_exchange *x)
{
    CURLMcode r = curl_multi_add_handle(x->c->multi, x->easy);
    if (r == CURLM_OK) {
        x->added = true;
        return;
    }
    /* Deferred like any other failure, because nobody may be called back now. */
    snprintf(x->problem, sizeof x->problem, "%s", curl_multi_strerror(r));
    end_soon(x, CURLE_FAILED_INIT);
}

struct http_exchange *
http_exchange_start(struct http_client *c, const struct http_send *s, const struct http_handlers *h,
    void *arg, struct err *e)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    if (!x) {
        err_set(e, "out of memory");
        return NULL;
    }
    x->c = c;
    x->h = *h;
    x->arg = arg;
    x->retry_after_s = -1;
    x->timeout_ms = s->timeout_ms;
    x->idle_timeout_ms = s->idle_timeout_ms;
    x->easy = curl_easy_init();
    x->timer = loop_timer_new(c->loop, on_exchange_timer, x);
    int r;
    if (!x->easy || !x->timer)
        r = err_set(e, "out of memory");
    else
        r = http_request_set(x, s, e);
    if (r != 0) {
        http_exchange_free(x);
        return NULL;
    }
    put_in(&c->exchanges, x);
    c->active++;
    start_clock(x);
    if (c->inside)
        c->todo = true;
    else
        http_exchange_add(x);
    return x;
}

/* Not while curl is on the stack; on_body may run inside, on_done does not. */
void
http_exchange_resume_now(struct http_exchange *x)
{
    struct http_client *c = x->c;
    if (!x->paused)
        return;
    x->paused = false;
    start_clock(x);
    http_client_enter(c);
    enum http_gunzip_result r =
        x->gunzip ? http_gunzip_feed(x->gunzip, STR_NONE, give, x) : HTTP_GUNZIP_OK;
    if (x->cancelled || r == HTTP_GUNZIP_PAUSED) {
        /* nothing to do, or paused again */
    } else if (r != HTTP_GUNZIP_OK) {
        if (r == HTTP_GUNZIP_BAD)
            snprintf(x->problem, sizeof x->problem, "the compressed answer is damaged");
        end_soon(x, CURLE_WRITE_ERROR);
    } else if (x->over) {
        end_soon(x, x->result);
    } else {
        /* on_body runs in here; what goes wrong then is told to nobody but us. */
        CURLcode result = curl_easy_pause(x->easy, CURLPAUSE_CONT);
        if (result != CURLE_OK && !x->cancelled)
            end_soon(x, result);
    }
    http_client_leave(c); /* may have freed x */
}

void
http_exchange_resume(struct http_exchange *x)
{
    if (x->cancelled || x->finishing)
        return;
    if (x->c->inside) {
        x->resume = true;
        x->c->todo = true;
    } else {
        http_exchange_resume_now(x);
    }
}

void
http_exchange_cancel(struct http_exchange *x)
{
    if (!x || x->cancelled || x->finishing)
        return;
    struct http_client *c = x->c;
    x->cancelled = true;
    http_exchange_take_out(x);
    c->active--;
    if (!c->inside) {
        http_exchange_free(x);
        return;
    }
    loop_timer_clear(x->timer);
    put_in(&c->cancelled, x);
    c->todo = true;
}
