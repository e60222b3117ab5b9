/* http_client.c - outbound HTTP: libcurl's multi interface on our loop.  Worker only, created
 * after fork.  Never blocks. */
#include "http_client.h"

#include "http_private.h"
#include "must.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct watch { /* of one of curl's sockets */
    struct http_client *c;
    int fd;
    struct loop_fd *loop_fd;
};

void
http_client_enter(struct http_client *c)
{
    c->inside++;
}

/* curl is about to be off the stack: does what callbacks asked for meanwhile. */
void
http_client_leave(struct http_client *c)
{
    if (--c->inside > 0)
        return;
    while (c->todo) {
        c->todo = false;
        struct http_exchange *x;
        while ((x = c->cancelled) != NULL) {
            http_exchange_take_out(x);
            http_exchange_free(x);
        }
        for (x = c->exchanges; x; x = x->next)
            if (!x->added && !x->over)
                http_exchange_add(x);
        /* A resumed exchange may call back, and that may change the list: start over each time. */
        for (x = c->exchanges; x && !x->resume; x = x->next)
            ;
        if (x) {
            x->resume = false;
            c->todo = true;
            http_exchange_resume_now(x);
        }
    }
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
            http_exchange_finish(x, result, false);
    }
}

curl_socket_t
http_client_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_client *c = arg;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    c->sockets++;
    return fd;
}

int
http_client_close_socket(void *arg, curl_socket_t fd)
{
    struct http_client *c = arg;
    c->sockets--;
    return close(fd);
}

static void
on_socket_event(void *arg, unsigned events)
{
    struct watch *w = arg;
    struct http_client *c = w->c;
    int running, what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
                        (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    http_client_enter(c);
    curl_multi_socket_action(c->multi, w->fd, what, &running); /* may have freed w */
    http_client_leave(c);
    settle(c);
}

static void
on_curl_timer(void *arg)
{
    struct http_client *c = arg;
    int running;
    http_client_enter(c);
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    http_client_leave(c);
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

/* A copy, or an empty text: curl takes that as "none", and NULL as "look into the environment". */
static int
keep(char **to, const char *from)
{
    *to = strdup(from ? from : "");
    return *to ? 0 : -1;
}

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
        http_exchange_take_out(x);
        http_exchange_free(x);
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
