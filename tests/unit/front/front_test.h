/* front_test.h - clients of a server that runs in the same process: each step of a test turns the
 * server's loop until what it waits for is there. */
#ifndef FRONT_TEST_H
#define FRONT_TEST_H

#include "buf.h"
#include "clock.h"
#include "loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define H "Host: localhost\r\n"

static struct loop *loop;
static uint16_t port;

static inline int
listen_anywhere(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    port = ntohs(a.sin_port);
    return fd;
}

struct client {
    int fd;
    struct buf got;
    bool eof, reset;
};

static inline void
turn(void)
{
    loop_run_once(loop, 5);
}

static inline void
open_client(struct client *c)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)
    };
    int on = 1;

    *c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    buf_init(&c->got, 64 << 20);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline void
close_client(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    buf_fini(&c->got);
}

static inline void
take(struct client *c)
{
    char b[65536];
    ssize_t n;

    while (!c->eof && (n = recv(c->fd, b, sizeof b, 0)) >= 0) {
        if (n == 0)
            c->eof = true;
        buf_put(&c->got, b, (size_t)n);
    }
    if (!c->eof && errno == ECONNRESET)
        c->eof = c->reset = true;
}

static inline void
send_bytes(struct client *c, const char *p, size_t n)
{
    uint64_t end = clock_ms() + 5000;
    ssize_t sent;

    while (n > 0 && clock_ms() < end) {
        sent = send(c->fd, p, n, MSG_NOSIGNAL);
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        } else if (errno != EAGAIN) {
            return;
        }
        turn();
        take(c);
    }
}

static inline void
send_text(struct client *c, const char *text)
{
    send_bytes(c, text, strlen(text));
}

#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t end_ = clock_ms() + 5000;                                                         \
        while (!(cond) && clock_ms() < end_)                                                       \
            turn();                                                                                \
        if (!(cond))                                                                               \
            fail_msg("never: %s", #cond);                                                          \
    } while (0)

static inline bool
has(struct client *c, const char *text)
{
    take(c);
    return strstr(buf_text(&c->got), text) != NULL;
}

static inline unsigned
count_of(struct client *c, const char *text)
{
    const char *p;
    unsigned n = 0;

    take(c);
    for (p = buf_text(&c->got); (p = strstr(p, text)); p++)
        n++;
    return n;
}

static inline bool
at_end(struct client *c)
{
    take(c);
    return c->eof;
}

/* Nothing more comes: a few turns with nothing to do. */
static inline void
settle(void)
{
    int i;

    for (i = 0; i < 5; i++)
        turn();
}

#endif
