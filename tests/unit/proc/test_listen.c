/* Listening sockets on loopback: one per seat and address, and a clear word when a port is taken.
 */
#include "proc/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const loopback[] = { "127.0.0.1", NULL };
static const char *const both[] = { "127.0.0.1", "::1", NULL };

static struct listen_options
options(const char *const *hosts, uint16_t port, unsigned seats)
{
    return (struct listen_options){ hosts, port, seats, "server.port (MCP_SERVER_PORT)" };
}

static int
call(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static void
every_seat_has_its_own_socket_on_every_address(void **state)
{
    struct listeners l;
    struct err e = { "" };
    struct listen_options o = options(both, 0, 3);
    assert_int_equal(listen_open(&l, &o, &e), 0);
    assert_int_equal(l.n_addresses, l.skipped[0] != '\0' ? 1 : 2);
    assert_true(l.port > 0);
    assert_non_null(strstr(l.shown, "127.0.0.1:"));
    for (unsigned i = 0; i < 3 * l.n_addresses; i++) {
        int on = 0;
        socklen_t len = sizeof on;
        assert_int_equal(getsockopt(l.fds[i], SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
        assert_int_equal(on, 1);
        assert_true(fcntl(l.fds[i], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(l.fds[i], F_GETFD) & FD_CLOEXEC);
    }
    listen_close(&l);
}

static void
connections_reach_more_than_one_seat(void **state)
{
    struct listeners l;
    struct listen_options o = options(loopback, 0, 2);
    assert_int_equal(listen_open(&l, &o, NULL), 0);
    unsigned seen[2] = { 0, 0 };
    for (unsigned i = 0; i < 200 && (seen[0] == 0 || seen[1] == 0); i++) {
        int fd = call(l.port);
        assert_true(fd >= 0);
        struct pollfd p[2] = { { listen_of(&l, 0)[0], POLLIN, 0 },
            { listen_of(&l, 1)[0], POLLIN, 0 } };
        assert_true(poll(p, 2, 5000) > 0);
        for (unsigned seat = 0; seat < 2; seat++)
            if (p[seat].revents) {
                int got = accept(p[seat].fd, NULL, NULL);
                assert_true(got >= 0);
                close(got);
                seen[seat]++;
            }
        close(fd);
    }
    assert_true(seen[0] > 0 && seen[1] > 0);
    listen_close(&l);
}

static void
a_second_server_on_the_port_is_refused_by_name(void **state)
{
    struct listeners l, second;
    struct err e = { "" };
    struct listen_options o = options(loopback, 0, 2);
    assert_int_equal(listen_open(&l, &o, NULL), 0);
    o.port = l.port;
    assert_int_equal(listen_open(&second, &o, &e), -1);
    assert_non_null(strstr(e.text, "is in use by another program"));
    assert_non_null(strstr(e.text, "MCP_SERVER_PORT"));
    listen_close(&l);
    assert_int_equal(listen_open(&l, &o, &e), 0); /* and is free again afterwards */
    listen_close(&l);
}

static void
an_address_of_another_machine_is_refused(void **state)
{
    static const char *const foreign[] = { "192.0.2.1", NULL };
    struct listeners l;
    struct err e = { "" };
    struct listen_options o = options(foreign, 0, 1);
    assert_int_equal(listen_open(&l, &o, &e), -1);
    assert_non_null(strstr(e.text, "192.0.2.1 is not an address of this machine"));
}

static void
a_shut_seat_takes_no_client_but_the_others_do(void **state)
{
    struct listeners l;
    struct listen_options o = options(loopback, 0, 2);
    assert_int_equal(listen_open(&l, &o, NULL), 0);
    listen_shut(&l, 0);
    for (unsigned i = 0; i < 50; i++) {
        int fd = call(l.port);
        assert_true(fd >= 0);
        struct pollfd p = { listen_of(&l, 1)[0], POLLIN, 0 };
        assert_int_equal(poll(&p, 1, 5000), 1);
        close(accept(p.fd, NULL, NULL));
        close(fd);
    }
    listen_shut(&l, 1);
    assert_int_equal(call(l.port), -1);
    listen_close(&l);
}

static void
a_child_keeps_only_its_own(void **state)
{
    struct listeners l;
    struct listen_options o = options(loopback, 0, 2);
    assert_int_equal(listen_open(&l, &o, NULL), 0);
    int gone = listen_of(&l, 0)[0], kept = listen_of(&l, 1)[0];
    listen_keep_only(&l, 1);
    assert_int_equal(fcntl(gone, F_GETFD), -1);
    assert_true(fcntl(kept, F_GETFD) >= 0);
    listen_close(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seat_has_its_own_socket_on_every_address),
        cmocka_unit_test(connections_reach_more_than_one_seat),
        cmocka_unit_test(a_second_server_on_the_port_is_refused_by_name),
        cmocka_unit_test(an_address_of_another_machine_is_refused),
        cmocka_unit_test(a_shut_seat_takes_no_client_but_the_others_do),
        cmocka_unit_test(a_child_keeps_only_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
