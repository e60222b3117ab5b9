/* listen.h - listening sockets, made and kept by the supervisor.
 *
 * One SO_REUSEPORT socket per seat and address: a replacement gets its predecessor's, so what
 * queued up in between is served.  Another program on the port is an error all the same. */
#ifndef PROC_LISTEN_H
#define PROC_LISTEN_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum { LISTEN_ADDRESSES_MAX = 16 };

struct listeners {
    int *fds; /* [n_seats * n_addresses], non-blocking, close-on-exec */
    unsigned n_seats, n_addresses;
    uint16_t port;    /* the real one when 0 was asked for */
    char shown[80];   /* "127.0.0.1:8000", "[::1]:8000": the first address */
    char skipped[80]; /* an IPv6 address that this machine does not have; "" */
};

struct listen_options {
    const char *const *hosts; /* NULL-terminated: addresses or names */
    uint16_t port;            /* 0: any one that is free on all addresses */
    unsigned n_seats;
    const char *setting; /* named in errors: "server.port (MCP_SERVER_PORT)" */
};

int listen_open(struct listeners *l, const struct listen_options *o, struct err *e);
void listen_close(struct listeners *l);
/* The sockets of one seat: n_addresses of them. */
const int *listen_of(const struct listeners *l, unsigned seat);
/* In a child: closes all but this seat's. */
void listen_keep_only(struct listeners *l, unsigned seat);
/* Stops listening for every holder of this seat's sockets: new clients go to the other seats'.
 * For a stop only: there is no way back. */
void listen_shut(struct listeners *l, unsigned seat);

#endif
