/* test_http_client.c - http_client against a small server of its own: a child process that forks
 * once more for each connection and answers as the path says. */
#include "buf.h"
#include "clock.h"
#include "encode.h"
#include "http_client.h"
#include "must.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* ---- the server -------------------------------------------------------------------------------
 */

static struct shared {
    atomic_uint connections, requests, gone; /* gone: clients that left /hang */
} * shared;
static pid_t server;
static unsigned short port;

static void
put(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n) {
        ssize_t w = send(fd, at, n, MSG_NOSIGNAL);
        if (w <= 0)
            _exit(0);
        at += w;
        n -= (size_t)w;
    }
}

static void
put_z(int fd, const char *z)
{
    put(fd, z, strlen(z));
}

/* `members` gzip streams of n bytes each, one behind the other. */
static void
gzip(struct buf *out, size_t n, int members, bool noise)
{
    char *plain = calloc(1, n);
    must(plain);
    if (noise)
        random_bytes(plain, n);
    else
        memset(plain, 'a', n);
    while (members-- > 0) {
        z_stream s = { 0 };
        must(deflateInit2(&s, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        size_t most = deflateBound(&s, n);
        s.next_in = (unsigned char *)plain;
        s.avail_in = (unsigned)n;
        s.next_out = (unsigned char *)buf_room(out, most);
        s.avail_out = (unsigned)most;
        must(s.next_out && deflate(&s, Z_FINISH) == Z_STREAM_END);
        buf_grew(out, most - s.avail_out);
        deflateEnd(&s);
    }
    free(plain);
}

static void
answer_gzip(int fd, size_t n, int members, size_t cut, bool damaged, bool noise)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    gzip(&b, n, members, noise);
    if (damaged)
        b.p[b.len / 2] ^= 0x55;
    buf_truncate(&b, b.len - cut);
    char head[200];
    snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", b.len);
    put_z(fd, head);
    put(fd, b.p, b.len);
    buf_fini(&b);
}

static void
until_gone(int fd)
{
    char c;
    while (recv(fd, &c, 1, 0) > 0)
        ;
    shared->gone++;
    _exit(0);
}

static void
answer(int fd, const char *path, struct str request)
{
    char head[300];
    size_t n = 0;
    if (sscanf(path, "/bytes/%zu", &n) == 1) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
        put_z(fd, head);
        for (size_t i = 0; i < n; i++) {
            static char piece[4096];
            size_t k = n - i < sizeof piece ? n - i : sizeof piece;
            for (size_t j = 0; j < k; j++)
                piece[j] = (char)('a' + (i + j) % 26);
            put(fd, piece, k);
            i += k - 1;
        }
    } else if (strcmp(path, "/echo") == 0) {
        snprintf(head, sizeof head,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: %zu\r\n\r\n",
            request.n);
        put_z(fd, head);
        put(fd, request.p, request.n);
    } else if (strcmp(path, "/limit") == 0) {
        put_z(fd, "HTTP/1.1 429 Slow down\r\nretry-AFTER:  7 \r\nContent-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/limit-date") == 0) {
        put_z(fd, "HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
                  "Content-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/none") == 0) {
        put_z(fd, "HTTP/1.1 204 None\r\nContent-Encoding: gzip\r\n\r\n");
    } else if (strcmp(path, "/continue") == 0) {
        put_z(fd, "HTTP/1.1 100 Continue\r\nContent-Type: x/y\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    } else if (strcmp(path, "/trailer") == 0) {
        put_z(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Retry-After\r\n\r\n"
                  "2\r\nok\r\n0\r\nRetry-After: 9\r\n\r\n");
    } else if (strcmp(path, "/moved") == 0) {
        put_z(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 5\r\n\r\nmoved");
    } else if (strcmp(path, "/part") == 0) {
        put_z(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
        _exit(0);
    } else if (strcmp(path, "/chunk-part") == 0) {
        put_z(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        _exit(0);
    } else if (strcmp(path, "/part-hang") == 0) {
        put_z(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
        until_gone(fd);
    } else if (strcmp(path, "/drip") == 0) {
        put_z(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
        for (int i = 0; i < 10; i++) {
            poll(NULL, 0, 60);
            put_z(fd, "x");
        }
    } else if (strcmp(path, "/nothing") == 0) {
        _exit(0);
    } else if (strcmp(path, "/garbage") == 0) {
        put_z(fd, "SSH-2.0-OpenSSH\r\n\r\n");
        _exit(0);
    } else if (strcmp(path, "/hang") == 0) {
        until_gone(fd);
    } else if (strcmp(path, "/br") == 0) {
        put_z(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx");
    } else if (strcmp(path, "/gzip") == 0) {
        answer_gzip(fd, 100000, 1, 0, false, false);
    } else if (strcmp(path, "/gzip-noise") == 0) {
        answer_gzip(fd, 300000, 1, 0, false, true);
    } else if (strcmp(path, "/gzip-two") == 0) {
        answer_gzip(fd, 50000, 2, 0, false, true);
    } else if (strcmp(path, "/gzip-exact") == 0) {
        answer_gzip(fd, 16384, 1, 0, false, false);
    } else if (strcmp(path, "/gzip-bomb") == 0) {
        answer_gzip(fd, 32 << 20, 1, 0, false, false);
    } else if (strcmp(path, "/gzip-cut") == 0) {
        answer_gzip(fd, 100000, 1, 4, false, false); /* inside the check sum and length */
    } else if (strcmp(path, "/gzip-bad") == 0) {
        answer_gzip(fd, 100000, 1, 0, true, true);
    } else {
        put_z(fd, "HTTP/1.1 404 Not here\r\nContent-Length: 4\r\n\r\nlost");
    }
}

static void
serve(int fd)
{
    static char in[4 << 20];
    size_t n = 0;
    for (;;) {
        char *end;
        in[n] = '\0';
        while (!(end = strstr(in, "\r\n\r\n"))) {
            ssize_t r = recv(fd, in + n, sizeof in - n - 1, 0);
            if (r <= 0)
                _exit(0);
            n += (size_t)r;
            in[n] = '\0';
        }
        size_t length = 0, whole;
        const char *cl = strcasestr(in, "\r\nContent-Length:");
        if (cl && cl < end)
            length = strtoul(cl + 17, NULL, 10);
        whole = (size_t)(end + 4 - in) + length;
        while (n < whole) {
            ssize_t r = recv(fd, in + n, sizeof in - n - 1, 0);
            if (r <= 0)
                _exit(0);
            n += (size_t)r;
        }
        shared->requests++;
        char path[100] = "";
        sscanf(in, "%*s %99s", path);
        answer(fd, path, (struct str){ in, whole });
        memmove(in, in + whole, n - whole);
        n -= whole;
    }
}

static int
listen_on_loopback(unsigned short *where)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 128) == 0);
    must(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    *where = ntohs(a.sin_port);
    return fd;
}

static void
start_server(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED);
    int fd = listen_on_loopback(&port);
    server = fork();
    must(server >= 0);
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int c = accept(fd, NULL, NULL);
            if (c < 0)
                continue;
            shared->connections++;
            if (fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(fd);
                serve(c);
            }
            close(c);
        }
    }
    setpgid(server, server);
    close(fd);
}

/* ---- one exchange and what became of it -------------------------------------------------------
 */

static struct loop *l;
static struct http_client *client;

struct seen {
    struct http_exchange *x;
    unsigned heads, dones, pieces;
    int status;
    char content_type[100];
    int64_t retry_after_s;
    struct buf body;
    size_t largest;
    struct http_outcome o;
    char error[600];
    /* what to do in the callbacks */
    size_t pause_every;  /* pieces */
    size_t enough_after; /* bytes */
    bool cancel_in_head, cancel_in_body, cancel_in_done, resume_in_body;
    struct http_exchange *cancel_other;
    struct seen *then; /* started from on_body or on_done */
    const char *then_url;
    bool then_in_body;
    bool paused;
};

static struct http_exchange *get(struct seen *s, const char *path);

static void
on_head(void *arg, int status, struct str content_type, int64_t retry_after_s)
{
    struct seen *s = arg;
    s->heads++;
    s->status = status;
    s->retry_after_s = retry_after_s;
    str_copy(s->content_type, sizeof s->content_type, content_type);
    assert_int_equal(s->body.len, 0);
    if (s->cancel_in_head)
        http_exchange_cancel(s->x);
}

static enum http_flow
on_body(void *arg, struct str bytes)
{
    struct seen *s = arg;
    assert_int_equal(s->heads, 1);
    assert_int_equal(s->dones, 0);
    assert_true(bytes.n > 0);
    if (bytes.n > s->largest)
        s->largest = bytes.n;
    if (s->pause_every && s->pieces++ % s->pause_every == 0) {
        s->paused = true;
        if (s->resume_in_body)
            http_exchange_resume(s->x);
        return HTTP_PAUSE;
    }
    buf_put_str(&s->body, bytes);
    if (s->cancel_in_body)
        http_exchange_cancel(s->x);
    if (s->cancel_other) {
        http_exchange_cancel(s->cancel_other);
        s->cancel_other = NULL;
    }
    if (s->then && s->then_in_body) {
        get(s->then, s->then_url);
        s->then = NULL;
    }
    return s->enough_after && s->body.len >= s->enough_after ? HTTP_ENOUGH : HTTP_GO;
}

static void
on_done(void *arg, const struct http_outcome *o)
{
    struct seen *s = arg;
    s->dones++;
    s->o = *o;
    assert_true((o->error == NULL) == o->ok);
    if (o->error)
        snprintf(s->error, sizeof s->error, "%s", o->error);
    s->o.error = NULL;
    if (s->cancel_in_done)
        http_exchange_cancel(s->x);
    if (s->then)
        get(s->then, s->then_url);
}

static const struct http_handlers handlers = { on_head, on_body, on_done };

static void
see(struct seen *s)
{
    *s = (struct seen){ 0 };
    buf_init(&s->body, 64 << 20);
}

static struct http_exchange *
send_it(struct seen *s, const struct http_send *send)
{
    struct err e;
    s->x = http_exchange_start(client, send, &handlers, s, &e);
    if (!s->x)
        fail_msg("%s", e.text);
    return s->x;
}

static const char *
url(const char *path)
{
    static char text[200];
    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", port, path);
    return text;
}

static struct http_exchange *
get(struct seen *s, const char *path)
{
    return send_it(s, &(struct http_send){ .method = "GET", .url = url(path) });
}

/* Runs the loop until the condition holds; fails after ten seconds. */
#define WAIT_FOR(cond)                                                                             \
    do {                                                                                           \
        uint64_t end_ = clock_ms() + 10000;                                                        \
        while (!(cond)) {                                                                          \
            if (clock_ms() > end_)                                                                 \
                fail_msg("waited in vain for " #cond);                                             \
            loop_run_once(l, 100);                                                                 \
        }                                                                                          \
    } while (0)

static void
get_whole(struct seen *s, const char *path)
{
    see(s);
    get(s, path);
    WAIT_FOR(s->dones);
}

static void
assert_pattern(const struct seen *s, size_t n)
{
    assert_int_equal(s->body.len, n);
    for (size_t i = 0; i < n; i++)
        if (s->body.p[i] != (char)('a' + i % 26))
            fail_msg("byte %zu differs", i);
}

static int
setup(void **state)
{
    struct http_client_options o = {
        .user_agent = "unit/1", .connect_timeout_ms = 2000, .max_connections = 8
    };
    shared->connections = shared->requests = shared->gone = 0;
    l = loop_new();
    client = http_client_new(l, &o, NULL);
    return client ? 0 : -1;
}

static int
teardown(void **state)
{
    http_client_free(client);
    loop_free(l);
    return 0;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void
an_answer_arrives_whole(void **state)
{
    struct seen s;
    see(&s);
    get(&s, "/bytes/100000");
    assert_int_equal(s.heads + s.dones, 0); /* nothing runs inside start */
    assert_int_equal(http_client_active(client), 1);
    WAIT_FOR(s.dones);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.status, 200);
    assert_string_equal(s.content_type, "");
    assert_int_equal(s.retry_after_s, -1);
    assert_true(s.o.ok && s.o.sent && !s.o.stopped && !s.o.timed_out);
    assert_int_equal(s.o.status, 200);
    assert_pattern(&s, 100000);
    assert_in_range(s.largest, 1, 16384);
    assert_int_equal(http_client_active(client), 0);
    assert_int_equal(http_client_idle_connections(client), 1);
    buf_fini(&s.body);
}

static void
the_request_carries_what_was_asked_and_little_else(void **state)
{
    static const char *const headers[] = { "X-One: 1", "Content-Type: application/json", NULL };
    struct seen s;
    see(&s);
    send_it(&s,
        &(struct http_send){
            .method = "POST", .url = url("/echo"), .headers = headers, .body = STR("{\"a\":1}") });
    WAIT_FOR(s.dones);
    assert_string_equal(s.content_type, "text/plain; charset=utf-8");
    const char *r = buf_text(&s.body);
    assert_memory_equal(r, "POST /echo HTTP/1.1\r\n", 21);
    assert_non_null(strstr(r, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(r, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(r, "\r\nAccept-Encoding: gzip\r\n"));
    assert_non_null(strstr(r, "\r\nUser-Agent: unit/1\r\n"));
    assert_non_null(strstr(r, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(r, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(r, "Expect"));
    buf_fini(&s.body);

    see(&s);
    send_it(&s, &(struct http_send){ .method = "POST", .url = url("/echo") });
    WAIT_FOR(s.dones);
    r = buf_text(&s.body);
    assert_non_null(strstr(r, "\r\nContent-Length: 0\r\n"));
    assert_null(strstr(r, "Content-Type"));
    buf_fini(&s.body);

    see(&s);
    send_it(&s, &(struct http_send){ .method = "DELETE", .url = url("/echo") });
    WAIT_FOR(s.dones);
    assert_memory_equal(buf_text(&s.body), "DELETE /echo HTTP/1.1\r\n", 23);
    buf_fini(&s.body);
}

static void
a_large_body_is_sent_at_once(void **state)
{
    struct seen s;
    size_t n = 1 << 20;
    char *body = malloc(n);
    memset(body, 'b', n);
    see(&s);
    send_it(&s, &(struct http_send){ .method = "POST", .url = url("/echo"), .body = { body, n } });
    WAIT_FOR(s.dones);
    assert_true(s.o.ok);
    assert_true(s.body.len > n);
    assert_memory_equal(s.body.p + s.body.len - n, body, n);
    buf_fini(&s.body);
    free(body);
}

static void
the_head_is_told_as_it_is(void **state)
{
    struct seen s;
    get_whole(&s, "/limit");
    assert_true(s.o.ok);
    assert_int_equal(s.status, 429);
    assert_int_equal(s.retry_after_s, 7);
    buf_fini(&s.body);
    get_whole(&s, "/limit-date");
    assert_int_equal(s.status, 503);
    assert_int_equal(s.retry_after_s, -1);
    buf_fini(&s.body);
    get_whole(&s, "/none");
    assert_true(s.o.ok);
    assert_int_equal(s.status, 204);
    buf_fini(&s.body);
    get_whole(&s, "/continue");
    assert_true(s.o.ok);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.status, 200);
    assert_string_equal(s.content_type, "");
    assert_string_equal(buf_text(&s.body), "ok");
    buf_fini(&s.body);
    get_whole(&s, "/trailer");
    assert_true(s.o.ok);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.retry_after_s, -1);
    assert_string_equal(buf_text(&s.body), "ok");
    buf_fini(&s.body);
    get_whole(&s, "/moved");
    assert_int_equal(s.status, 302);
    assert_string_equal(buf_text(&s.body), "moved");
    buf_fini(&s.body);
}

static void
connections_are_reused(void **state)
{
    struct seen s;
    for (int i = 0; i < 5; i++) {
        get_whole(&s, "/bytes/10");
        assert_true(s.o.ok);
        buf_fini(&s.body);
    }
    assert_int_equal(shared->connections, 1);
    assert_int_equal(http_client_idle_connections(client), 1);
}

static void
no_more_connections_than_allowed(void **state)
{
    struct seen s[30];
    for (size_t i = 0; i < NELEM(s); i++) {
        see(&s[i]);
        get(&s[i], "/bytes/1000");
    }
    assert_int_equal(http_client_active(client), NELEM(s));
    for (size_t i = 0; i < NELEM(s); i++) {
        WAIT_FOR(s[i].dones);
        assert_true(s[i].o.ok);
        assert_pattern(&s[i], 1000);
        buf_fini(&s[i].body);
    }
    assert_in_range(shared->connections, 1, 8);
    assert_int_equal(shared->requests, NELEM(s));
    assert_in_range(http_client_idle_connections(client), 1, 8);
}

static void
gzip_is_unpacked(void **state)
{
    struct seen s;
    get_whole(&s, "/gzip");
    assert_true(s.o.ok);
    assert_int_equal(s.body.len, 100000);
    for (size_t i = 0; i < s.body.len; i++)
        assert_int_equal(s.body.p[i], 'a');
    assert_in_range(s.largest, 1, 16384);
    buf_fini(&s.body);
    get_whole(&s, "/gzip-noise");
    assert_true(s.o.ok);
    assert_int_equal(s.body.len, 300000);
    buf_fini(&s.body);
    get_whole(&s, "/gzip-two");
    assert_true(s.o.ok);
    assert_int_equal(s.body.len, 100000);
    buf_fini(&s.body);
    get_whole(&s, "/gzip-exact");
    assert_true(s.o.ok);
    assert_int_equal(s.body.len, 16384);
    buf_fini(&s.body);
}

static void
a_cut_or_damaged_gzip_is_an_error(void **state)
{
    struct seen s;
    get_whole(&s, "/gzip-cut");
    assert_false(s.o.ok);
    assert_int_equal(s.body.len, 100000); /* all of it came, but nobody vouches for it */
    assert_true(s.o.sent);
    assert_int_equal(s.o.status, 200);
    assert_non_null(strstr(s.error, "127.0.0.1"));
    assert_non_null(strstr(s.error, "cut off"));
    buf_fini(&s.body);
    get_whole(&s, "/gzip-bad");
    assert_false(s.o.ok);
    assert_non_null(strstr(s.error, "damaged"));
    buf_fini(&s.body);
    get_whole(&s, "/br");
    assert_false(s.o.ok);
    assert_int_equal(s.heads, 0);
    assert_non_null(strstr(s.error, "Content-Encoding"));
    buf_fini(&s.body);
}

static void
an_answer_that_breaks_off_is_an_error(void **state)
{
    static const char *const paths[] = { "/part", "/chunk-part", "/nothing", "/garbage" };
    for (size_t i = 0; i < NELEM(paths); i++) {
        struct seen s;
        get_whole(&s, paths[i]);
        assert_false(s.o.ok);
        assert_true(s.o.sent);
        assert_false(s.o.timed_out);
        assert_int_equal(s.dones, 1);
        assert_int_equal(s.o.status, i < 2 ? 200 : 0);
        assert_non_null(strstr(s.error, "127.0.0.1"));
        buf_fini(&s.body);
    }
}

static void
what_nobody_can_have_seen_is_not_sent(void **state)
{
    unsigned short dead;
    close(listen_on_loopback(&dead));
    char text[200];
    struct seen s;
    see(&s);
    snprintf(text, sizeof text, "http://user:pw@127.0.0.1:%u/secret/path?q=secret", dead);
    send_it(&s, &(struct http_send){ .method = "POST", .url = text, .body = STR("x") });
    assert_int_equal(s.dones, 0);
    WAIT_FOR(s.dones);
    assert_false(s.o.ok || s.o.sent || s.o.timed_out);
    assert_int_equal(s.heads, 0);
    snprintf(text, sizeof text, "127.0.0.1:%u: ", dead);
    assert_memory_equal(s.error, text, strlen(text));
    assert_null(strstr(s.error, "secret"));
    assert_null(strstr(s.error, "pw"));

    /* The peer speaks no TLS. */
    see(&s);
    snprintf(text, sizeof text, "https://127.0.0.1:%u/", port);
    send_it(&s, &(struct http_send){ .method = "GET", .url = text, .timeout_ms = 300 });
    WAIT_FOR(s.dones);
    assert_false(s.o.ok || s.o.sent);

    see(&s);
    send_it(&s, &(struct http_send){ .method = "GET", .url = "http://name.invalid/" });
    WAIT_FOR(s.dones);
    assert_false(s.o.ok || s.o.sent);
}

static void
what_cannot_start_says_why(void **state)
{
    static const char *const evil[] = { "X: a\r\nY: b", NULL };
    struct err e;
    struct http_send s = { .method = "GET", .url = "ftp://127.0.0.1/" };
    assert_null(http_exchange_start(client, &s, &handlers, NULL, &e));
    assert_non_null(strstr(e.text, "http"));
    s.url = "file:///etc/passwd";
    assert_null(http_exchange_start(client, &s, &handlers, NULL, NULL));
    s.url = url("/");
    s.headers = evil;
    assert_null(http_exchange_start(client, &s, &handlers, NULL, &e));
    assert_non_null(strstr(e.text, "line break"));
    assert_int_equal(http_client_active(client), 0);
}

static void
the_whole_exchange_has_a_deadline(void **state)
{
    struct seen s;
    see(&s);
    uint64_t start = clock_ms();
    send_it(&s, &(struct http_send){ .method = "GET", .url = url("/hang"), .timeout_ms = 100 });
    WAIT_FOR(s.dones);
    assert_in_range(clock_ms() - start, 99, 5000);
    assert_true(s.o.timed_out && s.o.sent && !s.o.ok);
    assert_int_equal(s.o.status, 0);
    assert_non_null(strstr(s.error, "100 ms"));
    WAIT_FOR(shared->gone == 1); /* the connection was closed, not kept */
    assert_int_equal(http_client_idle_connections(client), 0);
    see(&s);
    send_it(&s, &(struct http_send){ .method = "GET", .url = url("/drip"), .timeout_ms = 200 });
    WAIT_FOR(s.dones);
    assert_true(s.o.timed_out);
    assert_int_equal(s.o.status, 200);
    buf_fini(&s.body);
}

static void
silence_has_a_deadline_and_each_byte_moves_it(void **state)
{
    struct seen s;
    see(&s);
    send_it(&s,
        &(struct http_send){ .method = "GET", .url = url("/part-hang"), .idle_timeout_ms = 100 });
    WAIT_FOR(s.dones);
    assert_true(s.o.timed_out && !s.o.ok);
    assert_string_equal(buf_text(&s.body), "0123456789");
    buf_fini(&s.body);
    see(&s); /* 600 ms in all, never 400 at a time */
    send_it(
        &s, &(struct http_send){ .method = "GET", .url = url("/drip"), .idle_timeout_ms = 400 });
    WAIT_FOR(s.dones);
    assert_true(s.o.ok);
    assert_int_equal(s.body.len, 10);
    buf_fini(&s.body);
}

static void
pause_keeps_the_bytes(void **state)
{
    static const struct {
        const char *path;
        size_t n;
    } cases[] = { { "/bytes/5", 5 }, { "/bytes/500000", 500000 }, { "/gzip", 100000 },
        { "/gzip-noise", 300000 }, { "/gzip-two", 100000 }, { "/gzip-exact", 16384 },
        { "/trailer", 2 } };
    for (size_t i = 0; i < NELEM(cases); i++)
        for (size_t every = 1; every < 4; every++)
            for (int in_body = 0; in_body < 2; in_body++) {
                struct seen s;
                see(&s);
                s.pause_every = every + 1;
                s.resume_in_body = in_body;
                get(&s, cases[i].path);
                while (!s.dones) {
                    if (s.paused && !in_body) {
                        size_t before = s.body.len;
                        for (int k = 0; k < 3; k++)
                            loop_run_once(l, 2); /* nothing comes while paused */
                        assert_int_equal(s.body.len, before);
                        assert_int_equal(s.dones, 0);
                        s.paused = false;
                        http_exchange_resume(s.x);
                    } else {
                        WAIT_FOR(s.dones || (s.paused && !in_body));
                    }
                }
                assert_true(s.o.ok);
                assert_int_equal(s.dones, 1);
                assert_int_equal(s.body.len, cases[i].n);
                if (i < 2)
                    assert_pattern(&s, cases[i].n);
                assert_in_range(s.largest, 1, 16384);
                buf_fini(&s.body);
            }
    assert_int_equal(shared->connections, 1);
}

static void
a_cut_gzip_is_an_error_after_a_pause_too(void **state)
{
    struct seen s;
    see(&s);
    s.pause_every = 2;
    s.resume_in_body = true;
    get(&s, "/gzip-cut");
    WAIT_FOR(s.dones);
    assert_false(s.o.ok);
    assert_non_null(strstr(s.error, "cut off"));
    buf_fini(&s.body);
}

static long
resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
a_paused_bomb_stays_small(void **state)
{
    struct seen s;
    see(&s);
    s.pause_every = 10;
    get(&s, "/gzip-bomb");
    WAIT_FOR(s.paused);
    long before = resident_kb();
    for (int i = 0; i < 20; i++) {
        s.paused = false;
        http_exchange_resume(s.x);
        WAIT_FOR(s.paused);
    }
    /* What it took itself, and no 32 MB. */
    assert_true(resident_kb() - before < 12000);
    http_exchange_cancel(s.x);
    buf_fini(&s.body);
}

static void
time_stands_still_while_paused(void **state)
{
    struct seen s;
    see(&s);
    s.pause_every = 1000000;
    send_it(&s, &(struct http_send){ .method = "GET",
                    .url = url("/bytes/500000"),
                    .timeout_ms = 1500,
                    .idle_timeout_ms = 1500 });
    WAIT_FOR(s.paused);
    clock_skip_ms(3600000);
    for (int i = 0; i < 5; i++)
        loop_run_once(l, 10);
    assert_int_equal(s.dones, 0);
    http_exchange_resume(s.x);
    WAIT_FOR(s.dones);
    assert_true(s.o.ok);
    assert_pattern(&s, 500000);
    buf_fini(&s.body);
}

static void
enough_ends_it_well(void **state)
{
    static const char *const paths[] = { "/bytes/10000000", "/gzip-bomb", "/part-hang" };
    for (size_t i = 0; i < NELEM(paths); i++)
        for (int pausing = 0; pausing < 2; pausing++) {
            struct seen s;
            see(&s);
            s.enough_after = 10;
            s.pause_every = pausing ? 1000 : 0; /* once, before the first piece */
            s.resume_in_body = true;
            get(&s, paths[i]);
            WAIT_FOR(s.dones);
            assert_true(s.o.ok && s.o.stopped && s.o.sent && !s.o.timed_out);
            assert_in_range(s.body.len, 10, 16384);
            assert_int_equal(s.o.status, 200);
            buf_fini(&s.body);
        }
    struct seen s;
    see(&s); /* after a pause, inside the caller's own resume: on_done comes later */
    s.enough_after = 10;
    s.pause_every = 1000;
    get(&s, "/gzip");
    WAIT_FOR(s.paused);
    http_exchange_resume(s.x);
    assert_int_equal(s.dones, 0);
    assert_true(s.body.len >= 10);
    WAIT_FOR(s.dones);
    assert_true(s.o.ok && s.o.stopped);
    buf_fini(&s.body);
}

static void
cancel_is_silent_wherever_it_is_called(void **state)
{
    struct seen s;
    http_exchange_cancel(NULL);
    see(&s);
    get(&s, "/hang");
    http_exchange_cancel(s.x); /* before anything happened */
    assert_int_equal(http_client_active(client), 0);
    get(&s, "/hang");
    WAIT_FOR(shared->requests == 1);
    http_exchange_cancel(s.x);
    WAIT_FOR(shared->gone == 1);
    s.cancel_in_head = true;
    get(&s, "/part-hang");
    WAIT_FOR(shared->gone == 2);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.body.len, 0);
    s.cancel_in_head = false;
    s.heads = 0;
    s.cancel_in_body = true;
    get(&s, "/part-hang");
    WAIT_FOR(shared->gone == 3);
    assert_int_equal(s.body.len, 10);
    s.heads = 0;
    buf_clear(&s.body);
    get(&s, "/gzip");
    WAIT_FOR(s.body.len);
    assert_int_equal(http_client_active(client), 0);
    assert_int_equal(s.dones, 0);
    buf_fini(&s.body);
    see(&s);
    s.cancel_in_done = true; /* too late, but harmless */
    get(&s, "/bytes/5");
    WAIT_FOR(s.dones);
    assert_true(s.o.ok);
    buf_fini(&s.body);
    see(&s);
    s.pause_every = 2;
    get(&s, "/gzip");
    WAIT_FOR(s.paused);
    http_exchange_cancel(s.x); /* paused, with bytes in hand */
    see(&s);
    s.pause_every = 2;
    s.cancel_in_body = true; /* cancelled inside resume() */
    get(&s, "/gzip");
    WAIT_FOR(s.paused);
    http_exchange_resume(s.x);
    assert_int_equal(s.body.len, 16384);
    assert_int_equal(s.dones, 0);
    assert_int_equal(http_client_active(client), 0);
    buf_fini(&s.body);
}

static void
one_exchange_may_cancel_or_start_another(void **state)
{
    struct seen a, b, c;
    see(&a);
    see(&b);
    see(&c);
    get(&b, "/hang");
    WAIT_FOR(shared->requests == 1);
    a.cancel_other = b.x;
    a.then = &c;
    a.then_in_body = true;
    a.then_url = "/bytes/7";
    get(&a, "/bytes/5");
    WAIT_FOR(a.dones && c.dones);
    assert_int_equal(b.dones, 0);
    assert_true(a.o.ok && c.o.ok);
    assert_pattern(&c, 7);
    WAIT_FOR(shared->gone == 1);
    buf_fini(&a.body);
    buf_fini(&c.body);
    see(&a);
    see(&c);
    a.then = &c;
    a.then_url = "/bytes/8";
    unsigned connections = shared->connections;
    get(&a, "/bytes/5");
    WAIT_FOR(c.dones);
    assert_pattern(&c, 8);
    assert_int_equal(shared->connections, connections); /* the one that has just become free */
    buf_fini(&a.body);
    buf_fini(&c.body);
}

static void
freeing_the_client_cancels_without_callbacks(void **state)
{
    struct seen s[3];
    for (size_t i = 0; i < NELEM(s); i++)
        see(&s[i]);
    s[2].pause_every = 1;
    get(&s[0], "/hang");
    get(&s[1], "/part-hang");
    get(&s[2], "/gzip-bomb");
    WAIT_FOR(s[1].body.len && s[2].paused && shared->requests == 3);
    http_client_free(client);
    client = NULL;
    WAIT_FOR(shared->gone == 2);
    for (size_t i = 0; i < NELEM(s); i++) {
        assert_int_equal(s[i].dones, 0);
        buf_fini(&s[i].body);
    }
}

/* A name that resolves slowly must not hold up the loop when it is given up. */
static void
giving_up_never_waits_for_the_resolver(void **state)
{
    struct seen s;
    see(&s);
    send_it(&s, &(struct http_send){ .method = "GET", .url = "http://name.invalid/" });
    loop_run_once(l, 50);
    uint64_t start = clock_ms();
    if (!s.dones)
        http_exchange_cancel(s.x);
    assert_true(clock_ms() - start < 1000);
}

static void
the_environment_names_no_proxy(void **state)
{
    struct seen s;
    unsigned short dead;
    char text[64];
    close(listen_on_loopback(&dead));
    snprintf(text, sizeof text, "http://127.0.0.1:%u", dead);
    setenv("http_proxy", text, 1);
    setenv("all_proxy", text, 1);
    get_whole(&s, "/bytes/5");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_true(s.o.ok);
    buf_fini(&s.body);
}

static void
a_proxy_is_used_and_no_proxy_spared(void **state)
{
    char proxy[64];
    struct seen s;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", port);
    http_client_free(client);
    struct http_client_options o = { .user_agent = "u",
        .proxy = proxy,
        .no_proxy = "127.0.0.1",
        .connect_timeout_ms = 1000,
        .max_connections = 4 };
    client = http_client_new(l, &o, NULL);
    see(&s);
    send_it(&s, &(struct http_send){ .method = "GET", .url = "http://name.invalid/echo" });
    WAIT_FOR(s.dones);
    assert_int_equal(s.status, 404); /* our server as a proxy: the path is a whole URL */
    buf_fini(&s.body);
    get_whole(&s, "/echo");
    assert_int_equal(s.status, 200);
    assert_memory_equal(buf_text(&s.body), "GET /echo ", 10);
    buf_fini(&s.body);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_answer_arrives_whole),
        T(the_request_carries_what_was_asked_and_little_else),
        T(a_large_body_is_sent_at_once),
        T(the_head_is_told_as_it_is),
        T(connections_are_reused),
        T(no_more_connections_than_allowed),
        T(gzip_is_unpacked),
        T(a_cut_or_damaged_gzip_is_an_error),
        T(an_answer_that_breaks_off_is_an_error),
        T(what_nobody_can_have_seen_is_not_sent),
        T(what_cannot_start_says_why),
        T(the_whole_exchange_has_a_deadline),
        T(silence_has_a_deadline_and_each_byte_moves_it),
        T(pause_keeps_the_bytes),
        T(a_cut_gzip_is_an_error_after_a_pause_too),
        T(a_paused_bomb_stays_small),
        T(time_stands_still_while_paused),
        T(enough_ends_it_well),
        T(cancel_is_silent_wherever_it_is_called),
        T(one_exchange_may_cancel_or_start_another),
        T(freeing_the_client_cancels_without_callbacks),
        T(giving_up_never_waits_for_the_resolver),
        T(the_environment_names_no_proxy),
        T(a_proxy_is_used_and_no_proxy_spared),
    };
    start_server();
    struct err e;
    if (http_client_global_init(&e) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kill(-server, SIGKILL);
    waitpid(server, NULL, 0);
    return failed;
}
