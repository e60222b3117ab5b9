/* http_client.c - outbound HTTP: libcurl's multi interface on our loop.  Worker only, created
 * after fork.  Never blocks and never calls back from inside http_exchange_start().
 *
 * curl forbids most of its calls inside its own callbacks, while our callers may start, resume and
 * cancel exchanges wherever they are.  So `inside` says that curl is on the stack; what is asked
 * for then is noted in the exchange and done by leave(), when curl has returned. */
#include "http_client.h"

#include "clock.h"
#include "http_gunzip.h"
#include "must.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

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

struct watch { /* of one of curl's sockets */
    struct http_client *c;
    int fd;
    struct loop_fd *loop_fd;
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
};

int
http_client_global_init(struct err *e)
{
    CURLcode r = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (r != CURLE_OK)
        return err_set(e, "cannot initialise libcurl: %s", curl_easy_strerror(r));
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    if (!(v->features & CURL_VERSION_ASYNCHDNS) || !(v->features & CURL_VERSION_SSL))
        return err_set(
            e, "libcurl %s was built without TLS or without an asynchronous resolver", v->version);
    return 0;
}

/* ---- lists and deferred work ------------------------------------------------------------------
 */

static void
put_in(struct http_exchange **list, struct http_exchange *x)
{
    x->next = *list;
    x->link = list;
    if (x->next)
        x->next->link = &x->next;
    *list = x;
}

static void
take_out(struct http_exchange *x)
{
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
}

static void
exchange_free(struct http_exchange *x)
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

static void
enter(struct http_client *c)
{
    c->inside++;
}

static void add_to_curl(struct http_exchange *x);
static void resume_now(struct http_exchange *x);

/* curl is about to be off the stack: does what callbacks asked for meanwhile. */
static void
leave(struct http_client *c)
{
    if (--c->inside > 0)
        return;
    while (c->todo) {
        c->todo = false;
        struct http_exchange *x;
        while ((x = c->cancelled) != NULL) {
            take_out(x);
            exchange_free(x);
        }
        for (x = c->exchanges; x; x = x->next)
            if (!x->added && !x->over)
                add_to_curl(x);
        /* A resumed exchange may call back, and that may change the list: start over each time. */
        for (x = c->exchanges; x && !x->resume; x = x->next)
            ;
        if (x) {
            x->resume = false;
            c->todo = true;
            resume_now(x);
        }
    }
}

/* ---- time -------------------------------------------------------------------------------------
 */

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

/* ---- the end of an exchange -------------------------------------------------------------------
 */

static bool
was_sent(struct http_exchange *x)
{
    long request = 0;
    curl_off_t body = 0;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &body);
    return request > 0 || body > 0 || x->status > 0;
}

static void
finish(struct http_exchange *x, CURLcode result, bool timed_out)
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
    take_out(x);
    c->active--;
    x->h.on_done(x->arg, &o);
    exchange_free(x);
}

/* The exchange's own timer: a deadline, or (with `over`) the deferred end. */
static void
on_exchange_timer(void *arg)
{
    struct http_exchange *x = arg;
    if (x->over) {
        finish(x, x->result, false);
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
        finish(x, CURLE_OPERATION_TIMEDOUT, true);
    else
        arm(x);
}

/* Takes curl's news.  Not while curl is on the stack. */
static void
settle(struct http_client *c)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct http_exchange *x = NULL;
        CURLcode result = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)(void *)&x);
        x->result = result;
        if (x->paused && result == CURLE_OK)
            x->over = true; /* there is still something in our hands: on_done after resume */
        else
            finish(x, result, false);
    }
}

/* ---- curl's callbacks for one exchange --------------------------------------------------------
 */

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

static size_t
on_write(char *p, size_t size, size_t n, void *arg)
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

static bool
header_is(struct str line, const char *name, struct str *value)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
        return false;
    *value = str_trim(str_from(line, n + 1));
    return true;
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

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
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
    } else if (header_is(line, "content-type", &value)) {
        str_copy(x->content_type, sizeof x->content_type, value);
    } else if (header_is(line, "content-encoding", &value)) {
        str_copy(x->encoding, sizeof x->encoding, value);
    } else if (header_is(line, "retry-after", &value)) {
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

static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_client *c = arg;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    c->sockets++;
    return fd;
}

static int
on_close_socket(void *arg, curl_socket_t fd)
{
    struct http_client *c = arg;
    c->sockets--;
    return close(fd);
}

/* ---- curl's callbacks for the event loop ------------------------------------------------------
 */

static void
on_socket_event(void *arg, unsigned events)
{
    struct watch *w = arg;
    struct http_client *c = w->c;
    int running, what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
                        (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    enter(c);
    curl_multi_socket_action(c->multi, w->fd, what, &running); /* may have freed w */
    leave(c);
    settle(c);
}

static void
on_curl_timer(void *arg)
{
    struct http_client *c = arg;
    int running;
    enter(c);
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    leave(c);
    settle(c);
}

static int
on_set_timer(CURLM *multi, long ms, void *arg)
{
    struct http_client *c = arg;
    if (ms < 0)
        loop_timer_clear(c->timer);
    else
        loop_timer_set(c->timer, (uint64_t)ms); /* 0, too: never call curl from here */
    return 0;
}

static int
on_watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct http_client *c = arg;
    struct watch *w = known;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(c->multi, fd, NULL);
            loop_fd_free(w->loop_fd);
            free(w);
        }
        return 0;
    }
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    if (w) {
        loop_fd_events(w->loop_fd, events);
        return 0;
    }
    w = calloc(1, sizeof *w);
    if (w) {
        w->c = c;
        w->fd = fd;
        w->loop_fd = loop_fd_new(c->loop, fd, events, on_socket_event, w);
    }
    if (!w || !w->loop_fd) {
        free(w);
        return -1;
    }
    curl_multi_assign(c->multi, fd, w);
    return 0;
}

/* ---- client -----------------------------------------------------------------------------------
 */

/* A copy, or an empty text: curl takes that as "none", and NULL as "look into the environment". */
static int
keep(char **to, const char *from)
{
    *to = strdup(from ? from : "");
    return *to ? 0 : -1;
}

struct http_client *
http_client_new(struct loop *l, const struct http_client_options *o, struct err *e)
{
    struct http_client *c = calloc(1, sizeof *c);
    if (!c)
        goto no_memory;
    c->loop = l;
    c->connect_timeout_ms = o->connect_timeout_ms;
    if (keep(&c->ca_file, o->ca_file) != 0 || keep(&c->proxy, o->proxy) != 0 ||
        keep(&c->no_proxy, o->no_proxy) != 0 || keep(&c->user_agent, o->user_agent) != 0)
        goto no_memory;
    c->timer = loop_timer_new(l, on_curl_timer, c);
    c->multi = curl_multi_init();
    if (!c->timer || !c->multi)
        goto no_memory;
    long most = o->max_connections > 0 ? (long)o->max_connections : 1;
    if (curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_watch_socket) ||
        curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) ||
        curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_set_timer) ||
        curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) ||
        curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) ||
        /* The cache would otherwise shrink and grow with the load (perf: half the reuse). */
        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, most) ||
        curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most)) {
        err_set(e, "libcurl refuses a setting: is it older than 7.88?");
        http_client_free(c);
        return NULL;
    }
    return c;
no_memory:
    err_set(e, "cannot set up the HTTP client: out of memory");
    http_client_free(c);
    return NULL;
}

void
http_client_free(struct http_client *c)
{
    if (!c)
        return;
    must(c->inside == 0);
    while (c->exchanges) {
        struct http_exchange *x = c->exchanges;
        take_out(x);
        exchange_free(x);
    }
    if (c->multi)
        curl_multi_cleanup(c->multi);
    loop_timer_free(c->timer);
    free(c->ca_file);
    free(c->proxy);
    free(c->no_proxy);
    free(c->user_agent);
    free(c);
}

unsigned
http_client_idle_connections(const struct http_client *c)
{
    return c->sockets > c->active ? c->sockets - c->active : 0;
}

unsigned
http_client_active(const struct http_client *c)
{
    return c->active;
}

/* ---- exchange ---------------------------------------------------------------------------------
 */

static int
add_header(struct http_exchange *x, const char *line)
{
    struct curl_slist *more = curl_slist_append(x->headers, line);
    if (!more)
        return -1;
    x->headers = more;
    return 0;
}

static int
set_headers(struct http_exchange *x, const struct http_send *s, struct err *e)
{
    bool type = false, encoding = false;
    struct str value;
    for (const char *const *h = s->headers; h && *h; h++) {
        if (strpbrk(*h, "\r\n"))
            return err_set(e, "line break in a request header");
        type |= header_is(str_of(*h), "content-type", &value);
        encoding |= header_is(str_of(*h), "accept-encoding", &value);
        if (add_header(x, *h) != 0)
            return err_set(e, "out of memory");
    }
    /* "Name:" keeps curl from adding its own. */
    if (add_header(x, "Expect:") != 0 || (!type && add_header(x, "Content-Type:") != 0) ||
        (!encoding && add_header(x, "Accept-Encoding: gzip") != 0))
        return err_set(e, "out of memory");
    return 0;
}

/* "host:port" of the URL, without what may stand before an '@'. */
static int
set_url(struct http_exchange *x, const char *url, struct err *e)
{
    const char *at = strncmp(url, "http://", 7) == 0    ? url + 7
                     : strncmp(url, "https://", 8) == 0 ? url + 8
                                                        : NULL;
    if (!at)
        return err_set(e, "the URL does not begin with http:// or https://");
    x->tls = url[4] == 's';
    size_t n = strcspn(at, "/?#");
    const char *user = n ? memrchr(at, '@', n) : NULL;
    if (user) {
        n -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    str_copy(x->host, sizeof x->host, (struct str){ at, n });
    return curl_easy_setopt(x->easy, CURLOPT_URL, url) == CURLE_OK ? 0
                                                                   : err_set(e, "out of memory");
}

static int
set_method(struct http_exchange *x, const struct http_send *s)
{
    CURL *h = x->easy;
    if (strcmp(s->method, "GET") == 0 && s->body.n == 0)
        return curl_easy_setopt(h, CURLOPT_HTTPGET, 1L);
    if (strcmp(s->method, "HEAD") == 0)
        return curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (strcmp(s->method, "POST") != 0 && curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, s->method))
        return -1;
    if (strcmp(s->method, "POST") != 0 && s->body.n == 0)
        return 0;
    /* Never NULL: curl would ask its read function, which is stdin. */
    return curl_easy_setopt(h, CURLOPT_POST, 1L) ||
           curl_easy_setopt(h, CURLOPT_POSTFIELDS, s->body.p ? s->body.p : "") ||
           curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n);
}

static int
set_options(struct http_exchange *x)
{
    CURL *h = x->easy;
    struct http_client *c = x->c;
    /* Absent in a libcurl without HTTP/2, and then not needed. */
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    return curl_easy_setopt(h, CURLOPT_PRIVATE, x) ||
           curl_easy_setopt(h, CURLOPT_ERRORBUFFER, x->curl_error) ||
           curl_easy_setopt(h, CURLOPT_HTTPHEADER, x->headers) ||
           curl_easy_setopt(h, CURLOPT_USERAGENT, c->user_agent) ||
           curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_write) ||
           curl_easy_setopt(h, CURLOPT_WRITEDATA, x) ||
           curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) ||
           curl_easy_setopt(h, CURLOPT_HEADERDATA, x) ||
           curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) ||
           curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) ||
           curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, c) ||
           curl_easy_setopt(h, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket) ||
           curl_easy_setopt(h, CURLOPT_CLOSESOCKETDATA, c) ||
           curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) ||
           /* Without this the removal of a handle waits for a resolver thread that still runs. */
           curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L) ||
           curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") ||
           curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) ||
           curl_easy_setopt(h, CURLOPT_PROXY, c->proxy) ||
           curl_easy_setopt(h, CURLOPT_NOPROXY, c->no_proxy) ||
           curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms) ||
           /* Only where TLS soon tells whether the peer multiplexes: without TLS curl knows that
            * from the first answer, and one slow answer would hold up all other requests. */
           curl_easy_setopt(h, CURLOPT_PIPEWAIT, x->tls ? 1L : 0L) ||
           curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L) ||
           curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L) ||
           curl_easy_setopt(h, CURLOPT_BUFFERSIZE, 16384L) ||
           curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) ||
           /* Decoding is ours (http_gunzip.h): curl does not notice a cut-off gzip stream, and
            * unpacks all of a piece at once even when the caller pauses. */
           curl_easy_setopt(h, CURLOPT_HTTP_CONTENT_DECODING, 0L) ||
           curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L) ||
           curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L) ||
           curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
           (c->ca_file[0] && curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file));
}

static void
end_soon(struct http_exchange *x, CURLcode result)
{
    x->over = true;
    x->result = result;
    loop_timer_set(x->timer, 0);
}

static void
add_to_curl(struct http_exchange *x)
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
    else if ((r = set_url(x, s->url, e)) == 0 && (r = set_headers(x, s, e)) == 0)
        if (set_options(x) || set_method(x, s))
            r = err_set(e, "libcurl refuses an option or is out of memory");
    if (r != 0) {
        exchange_free(x);
        return NULL;
    }
    put_in(&c->exchanges, x);
    c->active++;
    start_clock(x);
    if (c->inside)
        c->todo = true;
    else
        add_to_curl(x);
    return x;
}

/* Not while curl is on the stack; on_body may run inside, on_done does not. */
static void
resume_now(struct http_exchange *x)
{
    struct http_client *c = x->c;
    if (!x->paused)
        return;
    x->paused = false;
    start_clock(x);
    enter(c);
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
    leave(c); /* may have freed x */
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
        resume_now(x);
    }
}

void
http_exchange_cancel(struct http_exchange *x)
{
    if (!x || x->cancelled || x->finishing)
        return;
    struct http_client *c = x->c;
    x->cancelled = true;
    take_out(x);
    c->active--;
    if (!c->inside) {
        exchange_free(x);
        return;
    }
    loop_timer_clear(x->timer);
    put_in(&c->cancelled, x);
    c->todo = true;
}
