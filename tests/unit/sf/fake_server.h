/* fake_server.h - a small HTTP/1.1 server in a thread that plays Snowflake from a script.
 *
 * Each step answers one request: the first unused step whose `match` occurs in "METHOD path" takes
 * it.  What no step wants is answered 599 and counted.  All requests are kept for inspection. */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include "buf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum fake_way {
    FAKE_WHOLE,
    FAKE_DROP, /* reads the request and closes */
    FAKE_CUT,  /* promises all of the body, sends half of it and closes */
    FAKE_GZIP,
    FAKE_GZIP_CUT, /* ends the compressed stream early, with a matching length */
    FAKE_HOLD      /* no answer until fake_release() */
};

struct fake_step {
    const char *match;
    int status;
    const char *body;
    enum fake_way way;
    const char *header; /* one more line with CRLF, or NULL */
    size_t body_size;   /* 0: strlen(body) */
};

#define FAKE_MAX 64

struct fake_request {
    char *line;    /* "POST /path HTTP/1.1" */
    char *headers; /* all of them */
    char *body;
};

struct fake_conn {
    int fd;
    struct buf in, out;
    size_t sent;
    bool close_after;
    int held_step; /* -1: none */
};

struct fake_server {
    int listener, wake[2];
    unsigned short port;
    pthread_t thread;
    pthread_mutex_t lock;
    const struct fake_step *steps;
    unsigned n_steps;
    bool used[FAKE_MAX];
    struct fake_request requests[FAKE_MAX];
    atomic_uint n_requests, unexpected;
    atomic_bool stop, released;
    struct fake_conn conns[FAKE_MAX];
};

static inline void
fake_gzip(const char *body, size_t n, struct buf *out)
{
    z_stream z = { 0 };
    int r = deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    assert(r == Z_OK);
    size_t bound = deflateBound(&z, n);
    unsigned char *to = malloc(bound);
    unsigned char *from = malloc(n + 1);
    memcpy(from, body, n);
    z.next_in = from;
    z.avail_in = (unsigned)n;
    z.next_out = to;
    z.avail_out = (unsigned)bound;
    r = deflate(&z, Z_FINISH);
    assert(r == Z_STREAM_END);
    buf_put(out, to, bound - z.avail_out);
    deflateEnd(&z);
    free(to);
    free(from);
}

static inline void
fake_answer(struct fake_conn *c, const struct fake_step *s)
{
    size_t n = s->body_size ? s->body_size : strlen(s->body ? s->body : "");
    struct buf body;
    buf_init(&body, (size_t)1 << 30);
    if (s->way == FAKE_GZIP || s->way == FAKE_GZIP_CUT)
        fake_gzip(s->body, n, &body);
    else
        buf_put(&body, s->body, n);
    if (s->way == FAKE_GZIP_CUT)
        buf_truncate(&body, body.len / 2);
    buf_printf(&c->out, "HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s%sContent-Length: %zu\r\n\r\n",
        s->status, s->body && s->body[0] == '<' ? "text/html" : "application/json",
        s->way == FAKE_GZIP || s->way == FAKE_GZIP_CUT ? "Content-Encoding: gzip\r\n" : "",
        s->header ? s->header : "", body.len);
    if (s->way == FAKE_CUT) {
        c->close_after = true;
        buf_put(&c->out, body.p, body.len / 2);
    } else {
        buf_put_str(&c->out, buf_str(&body));
    }
    buf_fini(&body);
}

static inline void
fake_close(struct fake_conn *c)
{
    close(c->fd);
    buf_fini(&c->in);
    buf_fini(&c->out);
    c->fd = -1;
}

/* One whole request stands in c->in. */
static inline void
fake_handle(struct fake_server *f, struct fake_conn *c, size_t head, size_t body)
{
    unsigned k = f->n_requests;
    assert(k < FAKE_MAX);
    struct fake_request *r = &f->requests[k];
    const char *eol = memmem(c->in.p, head, "\r\n", 2);
    r->line = strndup(c->in.p, (size_t)(eol - c->in.p));
    r->headers = strndup(c->in.p, head);
    r->body = strndup(c->in.p + head, body);
    buf_drop_front(&c->in, head + body);
    const struct fake_step *s = NULL;
    for (unsigned i = 0; i < f->n_steps && !s; i++) {
        if (!f->used[i] && strstr(r->line, f->steps[i].match)) {
            f->used[i] = true;
            s = &f->steps[i];
            if (s->way == FAKE_HOLD && !f->released)
                c->held_step = (int)i;
        }
    }
    atomic_fetch_add(&f->n_requests, 1);
    if (!s) {
        fprintf(stderr, "unexpected request: %s\n", r->line);
        atomic_fetch_add(&f->unexpected, 1);
        s = &(struct fake_step){ "", 599, "{}", FAKE_WHOLE, NULL, 0 };
        fake_answer(c, s);
    } else if (s->way == FAKE_DROP) {
        c->close_after = true;
    } else if (c->held_step < 0) {
        fake_answer(c, s);
    }
}

static inline void
fake_input(struct fake_server *f, struct fake_conn *c)
{
    char piece[65536];
    ssize_t n = read(c->fd, piece, sizeof piece);
    if (n <= 0) {
        fake_close(c);
        return;
    }
    buf_put(&c->in, piece, (size_t)n);
    const char *end;
    while (c->in.len && (end = memmem(c->in.p, c->in.len, "\r\n\r\n", 4)) != NULL) {
        size_t head = (size_t)(end - c->in.p) + 4, body = 0;
        const char *p = buf_text(&c->in);
        const char *length = strcasestr(p, "\r\ncontent-length:");
        if (length && length < end)
            body = strtoul(length + 17, NULL, 10);
        if (c->in.len < head + body)
            return;
        fake_handle(f, c, head, body);
    }
}

static inline void *
fake_run(void *arg)
{
    struct fake_server *f = arg;
    while (!f->stop) {
        struct pollfd p[FAKE_MAX + 2] = { { f->listener, POLLIN, 0 }, { f->wake[0], POLLIN, 0 } };
        for (unsigned i = 0; i < FAKE_MAX; i++) {
            struct fake_conn *c = &f->conns[i];
            p[i + 2] = (struct pollfd){ c->fd, POLLIN, 0 };
            if (c->fd >= 0 && c->held_step >= 0 && f->released) {
                fake_answer(c, &f->steps[c->held_step]);
                c->held_step = -1;
            }
            if (c->fd >= 0 && (c->out.len > c->sent || c->close_after))
                p[i + 2].events |= POLLOUT;
        }
        if (poll(p, FAKE_MAX + 2, 1000) < 0 && errno != EINTR)
            break;
        if (p[1].revents) {
            char b[16];
            ssize_t n = read(f->wake[0], b, sizeof b);
            (void)n;
        }
        if (p[0].revents) {
            int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            for (unsigned i = 0; i < FAKE_MAX && fd >= 0; i++) {
                if (f->conns[i].fd < 0) {
                    f->conns[i] = (struct fake_conn){ .fd = fd, .held_step = -1 };
                    buf_init(&f->conns[i].in, 1 << 24);
                    buf_init(&f->conns[i].out, (size_t)1 << 30);
                    fd = -1;
                }
            }
        }
        for (unsigned i = 0; i < FAKE_MAX; i++) {
            struct fake_conn *c = &f->conns[i];
            if (c->fd >= 0 && c->fd == p[i + 2].fd && p[i + 2].revents & (POLLIN | POLLHUP))
                fake_input(f, c);
            if (c->fd < 0 || c->fd != p[i + 2].fd)
                continue;
            if (c->out.len > c->sent) {
                ssize_t n = send(c->fd, c->out.p + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
                if (n > 0)
                    c->sent += (size_t)n;
                else if (errno != EAGAIN)
                    fake_close(c);
            }
            if (c->fd >= 0 && c->sent == c->out.len) {
                buf_clear(&c->out);
                c->sent = 0;
                if (c->close_after)
                    fake_close(c);
            }
        }
    }
    return NULL;
}

static inline void
fake_start(struct fake_server *f, const struct fake_step *steps, unsigned n)
{
    memset(f, 0, sizeof *f);
    f->steps = steps;
    f->n_steps = n;
    for (unsigned i = 0; i < FAKE_MAX; i++)
        f->conns[i].fd = -1;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int r = bind(f->listener, (struct sockaddr *)&a, sizeof a) | listen(f->listener, 64) |
            getsockname(f->listener, (struct sockaddr *)&a, &len) | pipe(f->wake);
    assert(r == 0);
    f->port = ntohs(a.sin_port);
    r = pthread_create(&f->thread, NULL, fake_run, f);
    assert(r == 0);
}

static inline void
fake_poke(struct fake_server *f)
{
    ssize_t n = write(f->wake[1], "x", 1);
    (void)n;
}

static inline void
fake_release(struct fake_server *f)
{
    f->released = true;
    fake_poke(f);
}

static inline void
fake_stop(struct fake_server *f)
{
    f->stop = true;
    fake_poke(f);
    pthread_join(f->thread, NULL);
    for (unsigned i = 0; i < FAKE_MAX; i++)
        if (f->conns[i].fd >= 0)
            fake_close(&f->conns[i]);
    close(f->listener);
    close(f->wake[0]);
    close(f->wake[1]);
    for (unsigned i = 0; i < f->n_requests; i++) {
        free(f->requests[i].line);
        free(f->requests[i].headers);
        free(f->requests[i].body);
    }
}

#endif
