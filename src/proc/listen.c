/* listen.c - makes the listening sockets before the first fork.
 *
 * Supervisor.  Must never accept or read: the sockets are for its children. */
#include "proc/listen.h"

#include "must.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, PORT_TRIES = 16 };

struct address {
    struct sockaddr_storage sa;
    socklen_t len;
    char text[64]; /* as it stands in a URL */
};

static void
set_port(struct address *a, uint16_t port)
{
    if (a->sa.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&a->sa)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&a->sa)->sin_port = htons(port);
}

static uint16_t
port_of(int fd)
{
    struct address a = { .len = sizeof a.sa };
    if (getsockname(fd, (struct sockaddr *)&a.sa, &a.len) != 0)
        return 0;
    return a.sa.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a.sa)->sin6_port)
                                      : ntohs(((struct sockaddr_in *)&a.sa)->sin_port);
}

static bool
is_known(const struct address *list, unsigned n, const struct addrinfo *ai)
{
    for (unsigned i = 0; i < n; i++)
        if (list[i].len == ai->ai_addrlen && memcmp(&list[i].sa, ai->ai_addr, list[i].len) == 0)
            return true;
    return false;
}

static int
resolve(struct address *list, unsigned *n, const char *host, struct err *e)
{
    struct addrinfo *found = NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    int rc = getaddrinfo(host, NULL, &hints, &found);
    if (rc != 0)
        return err_set(e, "cannot listen on %s: %s", host, gai_strerror(rc));
    for (struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next) {
        char text[48] = "?";
        if ((ai->ai_family != AF_INET && ai->ai_family != AF_INET6) || is_known(list, *n, ai))
            continue;
        if (*n == LISTEN_ADDRESSES_MAX) {
            freeaddrinfo(found);
            return err_set(e, "more than %d addresses to listen on", LISTEN_ADDRESSES_MAX);
        }
        struct address *a = &list[(*n)++];
        memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
        a->len = ai->ai_addrlen;
        getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
        snprintf(a->text, sizeof a->text, ai->ai_family == AF_INET6 ? "[%s]" : "%s", text);
    }
    freeaddrinfo(found);
    return 0;
}

/* The first socket of an address is bound without SO_REUSEPORT and gets it afterwards: so another
 * server of the same user on this port is noticed instead of sharing its clients with us. */
static int
open_one(const struct address *a, bool first)
{
    int on = 1, fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              (first || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
              (a->sa.ss_family != AF_INET6 ||
                  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
              setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
              bind(fd, (const struct sockaddr *)&a->sa, a->len) == 0 &&
              setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
    if (ok)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool
may_be_missing(const struct address *a)
{
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)&a->sa)->sin6_addr;
    return (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) && a->sa.ss_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(in6) || IN6_IS_ADDR_UNSPECIFIED(in6));
}

static int
explain(const struct listen_options *o, const struct address *a, uint16_t port, struct err *e)
{
    if (errno == EADDRINUSE)
        return err_set(e,
            "port %u on %s is in use by another program: stop it, or set %s to a free port", port,
            a->text, o->setting);
    if (errno == EACCES)
        return err_set(e,
            "port %u on %s needs a privilege that this user does not have: set %s to 1024 or more",
            port, a->text, o->setting);
    if (errno == EADDRNOTAVAIL)
        return err_set(e, "%s is not an address of this machine", a->text);
    return err_set(e, "cannot listen on %s:%u: %s", a->text, port, strerror(errno));
}

/* All sockets of one attempt.  1: the port that the system picked is taken on another address. */
static int
open_all(struct listeners *l, const struct listen_options *o, struct address *list, unsigned n,
    struct err *e)
{
    uint16_t port = o->port;
    unsigned kept = 0;
    l->skipped[0] = '\0';
    for (unsigned i = 0; i < n; i++) {
        set_port(&list[i], port);
        int fd = open_one(&list[i], true);
        if (fd < 0 && may_be_missing(&list[i])) {
            snprintf(l->skipped, sizeof l->skipped, "%s", list[i].text);
            continue;
        }
        if (fd < 0 && errno == EADDRINUSE && o->port == 0)
            return 1;
        if (fd < 0)
            return explain(o, &list[i], port, e);
        l->fds[kept] = fd;
        if (port == 0)
            port = port_of(fd);
        if (kept == 0)
            snprintf(l->shown, sizeof l->shown, "%s:%u", list[i].text, port);
        set_port(&list[i], port);
        for (unsigned seat = 1; seat < o->n_seats; seat++) {
            fd = open_one(&list[i], false);
            if (fd < 0)
                return explain(o, &list[i], port, e);
            l->fds[seat * n + kept] = fd;
        }
        kept++;
    }
    if (kept == 0)
        return err_set(e, "none of the addresses to listen on exists on this machine");
    l->n_addresses = kept;
    l->port = port;
    return 0;
}

/* Seats stand in rows of n; pull the rows together when an address was skipped. */
static void
compact(struct listeners *l, unsigned n)
{
    for (unsigned seat = 1; seat < l->n_seats; seat++)
        memmove(&l->fds[seat * l->n_addresses], &l->fds[seat * n], l->n_addresses * sizeof *l->fds);
}

static void
close_all(int *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

int
listen_open(struct listeners *l, const struct listen_options *o, struct err *e)
{
    struct address list[LISTEN_ADDRESSES_MAX];
    unsigned n = 0;
    memset(list, 0, sizeof list);
    *l = (struct listeners){ .n_seats = o->n_seats };
    for (unsigned i = 0; o->hosts[i] != NULL; i++)
        if (resolve(list, &n, o->hosts[i], e) != 0)
            return -1;
    if (n == 0)
        return err_set(e, "there is no address to listen on");
    l->fds = malloc((size_t)n * o->n_seats * sizeof *l->fds);
    if (l->fds == NULL)
        return err_set(e, "no memory for the listening sockets");
    for (unsigned i = 0; i < n * o->n_seats; i++)
        l->fds[i] = -1;

    int rc = 1;
    for (unsigned tries = 0; rc == 1 && tries < PORT_TRIES; tries++) {
        close_all(l->fds, n * o->n_seats);
        rc = open_all(l, o, list, n, e);
    }
    if (rc != 0) {
        close_all(l->fds, n * o->n_seats);
        free(l->fds);
        l->fds = NULL;
        return rc == 1 ? err_set(e, "no port is free on all addresses at once: set %s", o->setting)
                       : -1;
    }
    compact(l, n);
    for (unsigned i = 0; i < l->n_seats * l->n_addresses; i++)
        if (listen(l->fds[i], BACKLOG) != 0) {
            int saved = errno;
            listen_close(l);
            return err_set(e, "cannot listen on port %u: %s", l->port, strerror(saved));
        }
    return 0;
}

void
listen_close(struct listeners *l)
{
    if (l->fds != NULL)
        close_all(l->fds, l->n_seats * l->n_addresses);
    free(l->fds);
    l->fds = NULL;
}

const int *
listen_of(const struct listeners *l, unsigned seat)
{
    must(seat < l->n_seats);
    return &l->fds[seat * l->n_addresses];
}

void
listen_keep_only(struct listeners *l, unsigned seat)
{
    for (unsigned i = 0; i < l->n_seats; i++)
        if (i != seat)
            close_all(&l->fds[i * l->n_addresses], l->n_addresses);
}

void
listen_shut(struct listeners *l, unsigned seat)
{
    const int *fds = listen_of(l, seat);
    for (unsigned i = 0; i < l->n_addresses; i++)
        shutdown(fds[i], SHUT_RDWR);
}
