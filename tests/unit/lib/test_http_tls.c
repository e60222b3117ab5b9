/* test_http_tls.c - http_client over TLS, against a child process with a certificate of its own.
 * Answers /hang never and everything else with the path. */
#include "clock.h"
#include "http_client.h"
#include "must.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
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

#include <cmocka.h>

static struct shared {
    atomic_uint requests;
    atomic_bool alpn; /* the server takes part in ALPN (and chooses HTTP/1.1) */
} * shared;
static pid_t server;
static unsigned short port;
static char ca_file[] = "/tmp/test_http_tls.XXXXXX";
static EVP_PKEY *key;
static X509 *cert;

static void
make_certificate(void)
{
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    must(key && cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    const unsigned char cn[] = "unit test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, cn, -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    must(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    int fd = mkstemp(ca_file);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    must(f && PEM_write_X509(f, cert) == 1);
    fclose(f);
}

static int
choose_http1(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
    unsigned in_n, void *arg)
{
    if (!shared->alpn)
        return SSL_TLSEXT_ERR_NOACK;
    *out = (const unsigned char *)"http/1.1";
    *n = 8;
    return SSL_TLSEXT_ERR_OK;
}

static void
serve(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1)
        _exit(0);
    char in[8192], out[500], path[100];
    int n = 0;
    for (;;) {
        int r = SSL_read(ssl, in + n, (int)sizeof in - 1 - n);
        if (r <= 0)
            _exit(0);
        n += r;
        in[n] = '\0';
        if (!strstr(in, "\r\n\r\n"))
            continue;
        shared->requests++;
        n = 0;
        must(sscanf(in, "%*s %99s", path) == 1);
        if (strcmp(path, "/hang") == 0)
            continue;
        snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(path),
            path);
        SSL_write(ssl, out, (int)strlen(out));
    }
}

static void
start_server(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 128) == 0);
    must(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    port = ntohs(a.sin_port);
    server = fork();
    must(server >= 0);
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        signal(SIGCHLD, SIG_IGN);
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        must(ctx && SSL_CTX_use_certificate(ctx, cert) == 1 &&
             SSL_CTX_use_PrivateKey(ctx, key) == 1);
        SSL_CTX_set_alpn_select_cb(ctx, choose_http1, NULL);
        for (;;) {
            int c = accept(fd, NULL, NULL);
            if (c < 0)
                continue;
            if (fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(fd);
                serve(ctx, c);
            }
            close(c);
        }
    }
    setpgid(server, server);
    close(fd);
}

static struct loop *l;
static struct http_client *client;

struct seen {
    struct http_exchange *x;
    unsigned dones;
    char body[100], error[600];
    size_t n;
    struct http_outcome o;
};

static enum http_flow
on_body(void *arg, struct str bytes)
{
    struct seen *s = arg;
    assert_true(s->n + bytes.n < sizeof s->body);
    memcpy(s->body + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
    return HTTP_GO;
}

static void
on_done(void *arg, const struct http_outcome *o)
{
    struct seen *s = arg;
    s->dones++;
    s->o = *o;
    if (o->error)
        snprintf(s->error, sizeof s->error, "%s", o->error);
}

static void
get(struct seen *s, const char *host, const char *path)
{
    static const struct http_handlers h = { .on_body = on_body, .on_done = on_done };
    char url[200];
    snprintf(url, sizeof url, "https://%s:%u%s", host, port, path);
    *s = (struct seen){ 0 };
    s->x = http_exchange_start(
        client, &(struct http_send){ .method = "GET", .url = url }, &h, s, NULL);
    assert_non_null(s->x);
}

#define WAIT_FOR(cond)                                                                             \
    do {                                                                                           \
        uint64_t end_ = clock_ms() + 10000;                                                        \
        while (!(cond)) {                                                                          \
            if (clock_ms() > end_)                                                                 \
                fail_msg("waited in vain for " #cond);                                             \
            loop_run_once(l, 100);                                                                 \
        }                                                                                          \
    } while (0)

static int
open_client(const char *ca)
{
    struct http_client_options o = {
        .ca_file = ca, .user_agent = "u", .connect_timeout_ms = 5000, .max_connections = 4
    };
    client = http_client_new(l, &o, NULL);
    return client ? 0 : -1;
}

static int
setup(void **state)
{
    shared->requests = 0;
    shared->alpn = true;
    l = loop_new();
    return l ? 0 : -1;
}

static int
teardown(void **state)
{
    http_client_free(client);
    client = NULL;
    loop_free(l);
    return 0;
}

static void
a_trusted_peer_is_spoken_to(void **state)
{
    struct seen s;
    assert_int_equal(open_client(ca_file), 0);
    for (int i = 0; i < 3; i++) {
        get(&s, "127.0.0.1", "/some/path");
        WAIT_FOR(s.dones);
        if (!s.o.ok)
            fail_msg("%s", s.error);
        assert_int_equal(s.n, 10);
        assert_memory_equal(s.body, "/some/path", 10);
        assert_int_equal(http_client_idle_connections(client), 1);
    }
}

static void
an_unknown_certificate_ends_it_before_anything_is_sent(void **state)
{
    struct seen s;
    assert_int_equal(open_client(NULL), 0);
    get(&s, "127.0.0.1", "/secret");
    WAIT_FOR(s.dones);
    assert_false(s.o.ok || s.o.sent || s.o.timed_out);
    assert_non_null(strstr(s.error, "certificate"));
    assert_int_equal(shared->requests, 0);
}

static void
a_certificate_for_another_name_is_refused(void **state)
{
    struct seen s;
    assert_int_equal(open_client(ca_file), 0);
    get(&s, "localhost", "/secret"); /* the certificate names the address only */
    WAIT_FOR(s.dones);
    assert_false(s.o.ok || s.o.sent);
    assert_int_equal(shared->requests, 0);
}

static void
a_missing_ca_file_is_an_error_of_each_exchange(void **state)
{
    struct seen s;
    assert_int_equal(open_client("/nonexistent/ca.pem"), 0);
    get(&s, "127.0.0.1", "/secret");
    WAIT_FOR(s.dones);
    assert_false(s.o.ok || s.o.sent);
    assert_int_equal(shared->requests, 0);
}

/* Waiting for a connection to tell whether it multiplexes must end with the handshake. */
static void
a_slow_answer_holds_up_nobody_else(void **state)
{
    for (int alpn = 0; alpn < 2; alpn++) {
        struct seen slow, s;
        shared->alpn = alpn;
        shared->requests = 0;
        assert_int_equal(open_client(ca_file), 0);
        get(&slow, "127.0.0.1", "/hang");
        get(&s, "127.0.0.1", "/at-once");
        WAIT_FOR(s.dones);
        assert_true(s.o.ok);
        WAIT_FOR(shared->requests == 2);
        get(&s, "127.0.0.1", "/later");
        WAIT_FOR(s.dones);
        assert_true(s.o.ok);
        assert_int_equal(slow.dones, 0);
        http_exchange_cancel(slow.x);
        http_client_free(client);
        client = NULL;
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_trusted_peer_is_spoken_to),
        T(an_unknown_certificate_ends_it_before_anything_is_sent),
        T(a_certificate_for_another_name_is_refused),
        T(a_missing_ca_file_is_an_error_of_each_exchange),
        T(a_slow_answer_holds_up_nobody_else),
    };
    make_certificate();
    start_server();
    struct err e;
    if (http_client_global_init(&e) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kill(-server, SIGKILL);
    waitpid(server, NULL, 0);
    unlink(ca_file);
    X509_free(cert);
    EVP_PKEY_free(key);
    return failed;
}
