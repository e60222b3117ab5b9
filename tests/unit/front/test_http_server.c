/* The HTTP server on real sockets: one process plays both sides, so that every step is ordered. */
#include "front/http_server.h"
#include "front_test.h"
#include "state/metrics.h"

#include <sys/resource.h>
#include <time.h>

static struct http_server *server;
static int listener;
static unsigned handled, closed, drained, refusals[16];
static struct http_request *held;
static struct buf seen; /* what the handler saw: METHOD path body|name=value */

/* ---- the server side ------------------------------------------------------------------------- */

static void
on_close(void *arg)
{
    struct http_request *r = arg;

    closed++;
    assert_ptr_equal(r, held);
    held = NULL;
    assert_string_equal(http_request_peer(r), "127.0.0.1");
    http_reply(r, 200, NULL, NULL, STR("nobody reads this"));
}

static void
on_drain(void *arg)
{
    drained++;
}

static void
handler(void *arg, struct http_request *r)
{
    static const char *const extra[] = { "X-Extra: yes", NULL };
    struct str path = http_request_path(r), body = http_request_body(r);

    handled++;
    buf_printf(&seen, "%d %.*s %.*s|", http_request_method(r), STR_ARG(path), STR_ARG(body));
    if (str_is(path, "/hold") || str_is(path, "/stream")) {
        held = r;
        http_request_on_close(r, on_close, r);
        if (str_is(path, "/stream"))
            http_reply_start(r, 200, "text/plain", NULL);
    } else if (str_is(path, "/empty")) {
        http_reply(r, 202, NULL, NULL, STR_NONE);
    } else if (str_is(path, "/begin")) {
        http_reply_start(r, 200, "text/plain", NULL);
        http_reply_write(r, STR("one"));
        http_reply_write(r, STR("two"));
        http_reply_end(r);
    } else {
        http_reply(r, 200, "text/plain", extra, body.n ? body : STR("hello"));
    }
}

static void
on_refused(void *arg, unsigned reason)
{
    refusals[reason]++;
}

static const struct http_server_options defaults = { .max_body = 300000,
    .max_headers = 4096,
    .max_header_count = 16,
    .max_connections = 100,
    .request_ms = 600,
    .idle_ms = 1500,
    .write_ms = 600,
    .allow = "GET, POST",
    .on_refused = on_refused,
    .handler = handler };

static void
start(const struct http_server_options *o)
{
    struct err e;

    listener = listen_anywhere();
    assert_non_null(server = http_server_new(loop, o, &e));
    assert_int_equal(http_server_listen(server, listener, &e), 0);
}

static int
setup(void **state)
{
    handled = closed = drained = 0;
    held = NULL;
    memset(refusals, 0, sizeof refusals);
    buf_init(&seen, 1 << 20);
    loop = loop_new();
    start(&defaults);
    return loop ? 0 : -1;
}

static int
teardown(void **state)
{
    http_server_free(server);
    settle(); /* libevent frees in the loop */
    loop_free(loop);
    close(listener);
    buf_fini(&seen);
    return 0;
}

/* ---- replies --------------------------------------------------------------------------------- */

static void
a_request_gets_its_reply_and_the_connection_stays(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "POST /a?b=c HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
    UNTIL(has(&c, "abc"));
    assert_true(has(&c, "HTTP/1.1 200 OK\r\n"));
    assert_true(has(&c, "Content-Length: 3\r\n"));
    assert_true(has(&c, "Content-Type: text/plain\r\n"));
    assert_true(has(&c, "X-Extra: yes\r\n"));
    assert_true(has(&c, " GMT\r\n"));
    assert_false(has(&c, "Connection: close"));
    send_text(&c, "GET /empty HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&c, "HTTP/1.1 202 Accepted\r\n"));
    UNTIL(has(&c, "Content-Length: 0\r\n"));
    assert_false(at_end(&c));
    assert_string_equal(buf_text(&seen), "2 /a abc|0 /empty |");
    assert_int_equal(http_server_connections(server), 1);
    close_client(&c);
    UNTIL(http_server_connections(server) == 0);
}

static void
head_gets_the_length_but_no_body(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "HEAD / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n" H "\r\n");
    UNTIL(count_of(&c, "HTTP/1.1 200 OK") == 2);
    assert_int_equal(count_of(&c, "Content-Length: 5\r\n"), 2);
    UNTIL(count_of(&c, "hello") == 1);
    close_client(&c);
}

static void
bodies_arrive_whole_in_any_pieces(void **state)
{
    static const char text[] =
        "POST /one HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nabcd"
        "\r\nPOST /two HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
        "3\r\nxyz\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\nGET /%6dcp HTTP/1.1\r\n" H "\r\n";
    struct client c;
    size_t piece, at, n;

    for (piece = 1; piece <= sizeof text; piece += piece < 8 ? 1 : 37) {
        buf_clear(&seen);
        handled = 0;
        open_client(&c);
        for (at = 0; at < sizeof text - 1; at += piece) {
            n = sizeof text - 1 - at < piece ? sizeof text - 1 - at : piece;
            send_bytes(&c, text + at, n);
        }
        UNTIL(handled == 3);
        assert_string_equal(buf_text(&seen), "2 /one abcd|2 /two xyz!|0 /mcp |");
        UNTIL(count_of(&c, "HTTP/1.1 200 OK") == 3);
        close_client(&c);
    }
}

static void
a_long_body_is_taken_up_to_its_limit(void **state)
{
    struct client c;
    char head[128], *body = malloc(defaults.max_body + 1);

    assert_non_null(body);
    memset(body, 'b', defaults.max_body + 1);
    open_client(&c);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n",
        defaults.max_body);
    send_text(&c, head);
    send_bytes(&c, body, defaults.max_body);
    UNTIL((take(&c), c.got.len > defaults.max_body));
    assert_int_equal(handled, 1);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n",
        defaults.max_body + 1);
    buf_clear(&c.got);
    send_text(&c, head);
    send_bytes(&c, body, defaults.max_body + 1);
    UNTIL(has(&c, "HTTP/1.1 413 "));
    UNTIL(has(&c, "-32600"));
    UNTIL(at_end(&c));
    assert_int_equal(refusals[REASON_TOO_LARGE], 1);
    assert_int_equal(handled, 1);
    free(body);
    close_client(&c);
    UNTIL(http_server_connections(server) == 0);
}

static void
expect_100_continue_is_answered(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    UNTIL(has(&c, "HTTP/1.1 100 "));
    assert_int_equal(handled, 0);
    send_text(&c, "ok");
    UNTIL(has(&c, "HTTP/1.1 200 OK"));
    buf_clear(&c.got);
    send_text(
        &c, "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
    UNTIL(has(&c, "HTTP/1.1 413 "));
    assert_false(has(&c, "HTTP/1.1 100 "));
    close_client(&c);
}

static void
connection_close_is_found_in_a_list(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "GET / HTTP/1.1\r\n" H "Connection: TE, Close\r\n\r\n");
    UNTIL(at_end(&c));
    assert_true(has(&c, "hello"));
    assert_true(has(&c, "Connection: close\r\n"));
    close_client(&c);
}

static void
http_1_0_closes_and_is_not_chunked(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "GET /begin HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    UNTIL(at_end(&c));
    assert_true(has(&c, "\r\n\r\nonetwo"));
    assert_false(has(&c, "chunked"));
    assert_false(has(&c, "Content-Length"));
    close_client(&c);
    open_client(&c);
    send_text(&c, "GET / HTTP/1.0\r\n\r\n");
    UNTIL(at_end(&c));
    assert_true(has(&c, "\r\n\r\nhello"));
    close_client(&c);
}

static void
absolute_targets_and_strange_paths_are_routed_by_their_own_text(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "GET //evil/mcp HTTP/1.1\r\n" H "\r\n");
    UNTIL(handled == 1);
    send_text(&c, "GET HttP://h:1/mcp?x HTTP/1.1\r\n" H "\r\n");
    UNTIL(handled == 2);
    close_client(&c);
    open_client(&c);
    send_text(&c, "GET http://h?x HTTP/1.1\r\n" H "\r\n");
    UNTIL(handled == 3);
    assert_string_equal(buf_text(&seen), "0 //evil/mcp |0 /mcp |0 / |");
    close_client(&c);
}

static void
a_reply_in_pieces_is_chunked(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "GET /begin HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&c, "\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
    send_text(&c, "GET /stream HTTP/1.1\r\n" H "\r\n");
    UNTIL(held);
    http_reply_write(held, STR("later"));
    UNTIL(has(&c, "5\r\nlater\r\n"));
    http_reply_end(held);
    UNTIL(has(&c, "later\r\n0\r\n\r\n"));
    send_text(&c, "GET / HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&c, "hello"));
    close_client(&c);
}

static void
an_aborted_reply_does_not_look_whole(void **state)
{
    static const char *const versions[] = { "1.1", "1.0" };
    char text[100];
    struct client c;
    int i;

    for (i = 0; i < 2; i++) {
        open_client(&c);
        snprintf(text, sizeof text, "GET /stream HTTP/%s\r\n" H "\r\n", versions[i]);
        send_text(&c, text);
        UNTIL(held);
        http_reply_write(held, STR("half"));
        UNTIL(has(&c, "half"));
        http_reply_abort(held);
        held = NULL;
        UNTIL(at_end(&c));
        assert_true(c.reset);
        assert_false(has(&c, "0\r\n\r\n"));
        close_client(&c);
    }
    assert_int_equal(closed, 0);
    UNTIL(http_server_connections(server) == 0);
}

/* ---- clients that leave or stall ------------------------------------------------------------- */

static void
a_client_that_leaves_is_noticed_at_once(void **state)
{
    static const char *const paths[] = { "/hold", "/stream" };
    struct client c;
    char text[100];
    uint64_t began;
    int i, hard;

    for (i = 0; i < 2; i++)
        for (hard = 0; hard < 2; hard++) {
            struct linger now = { hard, 0 };

            closed = 0;
            open_client(&c);
            snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" H "\r\nGET /next HT", paths[i]);
            send_text(&c, text);
            UNTIL(held);
            settle();
            assert_int_equal(closed, 0);
            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            close_client(&c);
            began = clock_ms();
            UNTIL(closed == 1);
            assert_true(clock_ms() - began < 500);
            UNTIL(http_server_connections(server) == 0);
        }
}

static void
a_client_that_leaves_behind_many_pipelined_bytes_is_noticed(void **state)
{
    struct client c;
    char *junk = malloc(100000);

    assert_non_null(junk);
    memset(junk, 'x', 100000);
    open_client(&c);
    send_text(&c,
        "GET /hold HTTP/1.1\r\n" H "\r\nPOST / HTTP/1.1\r\n" H "Content-Length: 299999\r\n\r\n");
    UNTIL(held);
    /* More than is read ahead, less than the kernel holds: its FIN is behind bytes we leave. */
    assert_int_equal(send(c.fd, junk, 100000, MSG_NOSIGNAL), 100000);
    settle();
    close_client(&c);
    UNTIL(closed == 1);
    free(junk);
}

static void
pipelined_requests_wait_for_a_late_reply(void **state)
{
    struct client c;
    char *body = malloc(200001);

    assert_non_null(body);
    memset(body, 'p', 200000);
    body[200000] = '\0';
    open_client(&c);
    send_text(&c, "GET /hold HTTP/1.1\r\n" H "\r\nGET /second HTTP/1.1\r\n" H
                  "\r\n\r\nPOST /third HTTP/1.1\r\n" H "Content-Length: 200000\r\n\r\n");
    UNTIL(held);
    send(c.fd, body, 200000, MSG_NOSIGNAL);
    settle();
    assert_int_equal(handled, 1);
    http_reply(held, 200, NULL, NULL, STR("first"));
    UNTIL(handled == 3); /* the long body does not wait under the mark */
    UNTIL((take(&c), c.got.len > 200000));
    assert_true(strstr(buf_text(&c.got), "first") < strstr(buf_text(&c.got), "hello"));
    free(body);
    close_client(&c);
}

static void
back_pressure_is_told_and_drains(void **state)
{
    struct client c;
    struct str piece = { calloc(1, 65536), 65536 };
    size_t put = 0;

    open_client(&c);
    send_text(&c, "GET /stream HTTP/1.1\r\n" H "\r\n");
    UNTIL(held);
    while (http_reply_backlog(held) < 300000) { /* until the kernel takes no more */
        http_reply_write(held, piece);
        put += piece.n;
        settle();
        assert_true(put < 100u << 20);
    }
    http_reply_on_drain(held, 100000, on_drain, NULL);
    settle();
    assert_int_equal(drained, 0);
    UNTIL((take(&c), drained == 1));
    assert_true(http_reply_backlog(held) <= 100000);
    http_reply_end(held);
    UNTIL((take(&c), c.got.len > put && memcmp(c.got.p + c.got.len - 5, "0\r\n\r\n", 5) == 0));
    free((void *)(uintptr_t)piece.p);
    close_client(&c);
}

static void
a_client_that_takes_nothing_is_dropped(void **state)
{
    struct client c;
    struct str piece = { calloc(1, 1 << 20), 1 << 20 };
    uint64_t began;
    int i;

    open_client(&c);
    send_text(&c, "GET /stream HTTP/1.1\r\n" H "\r\n");
    UNTIL(held);
    for (i = 0; i < 32; i++)
        http_reply_write(held, piece);
    began = clock_ms();
    UNTIL(closed == 1);
    assert_true(clock_ms() - began >= defaults.write_ms);
    UNTIL(http_server_connections(server) == 0);
    free((void *)(uintptr_t)piece.p);
    close_client(&c);
}

static void
slow_requests_get_408_and_idle_connections_end(void **state)
{
    struct client slow, idle, silent;
    uint64_t began = clock_ms(), next = began;

    open_client(&silent);
    open_client(&idle);
    send_text(&idle, "GET / HTTP/1.1\r\n" H "\r\n");
    open_client(&slow);
    send_text(&slow, "GET / HTTP/1.1\r\nX: ");
    while (!at_end(&slow) && clock_ms() - began < 4000) { /* a byte now and then is no progress */
        if (clock_ms() >= next) {
            send(slow.fd, "x", 1, MSG_NOSIGNAL);
            next = clock_ms() + 50;
        }
        turn();
    }
    assert_true(has(&slow, "HTTP/1.1 408 Request Timeout"));
    assert_true(clock_ms() - began >= defaults.request_ms);
    assert_false(at_end(&idle));
    UNTIL(at_end(&idle) && at_end(&silent));
    assert_true(clock_ms() - began >= defaults.idle_ms);
    assert_int_equal(refusals[REASON_TIMEOUT], 1);
    close_client(&slow);
    close_client(&idle);
    close_client(&silent);
    UNTIL(http_server_connections(server) == 0);
}

/* ---- hostile bytes --------------------------------------------------------------------------- */

static const struct {
    const char *text, *status;
} bad[] = {
    { "GET / HTTP/1.1\n" H "\r\n", "400" },
    { "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", "400" },
    { "GET / HTTP/1.1\r\n\r\n", "400" },
    { "GET / HTTP/1.9\r\n" H "\r\n", "505" },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", "400" },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "400" },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4;ext=1\r\nabcd\r\n0\r\n\r\n",
        "400" },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\r\nabcdX", "400" },
    { "POST / HTTP/1.1\r\n" H "Content-Length: +7\r\n\r\n1234567", "400" },
    { "FOO / HTTP/1.1\r\n" H "\r\n", "405" },
    { "TRACE / HTTP/1.1\r\n" H "\r\n", "405" },
    { "HEAD / HTTP/1.1\r\n" H "Content-Length: 18\r\n\r\nGET /x HTTP/1.0\r\n\r\n", "400" },
};

static void
malformed_requests_get_json_and_the_connection_ends(void **state)
{
    struct client c;
    char status[40];
    size_t i, piece, at, n;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (piece = 1; piece < 100; piece += 33) {
            handled = 0;
            open_client(&c);
            /* A good one first, whose reply must not suffer, and one behind that must not run. */
            send_text(&c, "GET /good HTTP/1.1\r\n" H "\r\n");
            for (at = 0; at < strlen(bad[i].text); at += piece) {
                n = strlen(bad[i].text) - at < piece ? strlen(bad[i].text) - at : piece;
                send_bytes(&c, bad[i].text + at, n);
            }
            send_text(&c, "GET /smuggled HTTP/1.1\r\n" H "\r\n");
            UNTIL(at_end(&c));
            assert_false(c.reset);
            snprintf(status, sizeof status, "HTTP/1.1 %s ", bad[i].status);
            if (!has(&c, status) || count_of(&c, "HTTP/1.1 ") != 2 || handled != 1)
                fail_msg("%s got %s", bad[i].text, buf_text(&c.got));
            assert_true(has(&c, "hello"));
            assert_true(has(&c, "Content-Type: application/json\r\n"));
            if (strncmp(bad[i].text, "HEAD", 4) != 0)
                assert_true(has(&c, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,"));
            if (strcmp(bad[i].status, "405") == 0)
                assert_true(has(&c, "Allow: GET, POST\r\n"));
            close_client(&c);
            UNTIL(http_server_connections(server) == 0);
        }
    assert_null(strstr(buf_text(&seen), "smuggled"));
}

static void
a_refusal_waits_for_the_replies_in_front_of_it(void **state)
{
    struct client c;

    open_client(&c);
    send_text(
        &c, "GET /hold HTTP/1.1\r\n" H "\r\nGET /second HTTP/1.1\r\n" H "\r\nGARBAGE\r\n\r\n");
    UNTIL(held);
    send_text(&c, "GET /smuggled HTTP/1.1\r\n" H "\r\n");
    settle();
    take(&c);
    assert_int_equal(c.got.len, 0);
    http_reply(held, 200, NULL, NULL, STR("first"));
    UNTIL(at_end(&c));
    assert_true(has(&c, "first"));
    assert_true(has(&c, "hello"));
    assert_int_equal(count_of(&c, "HTTP/1.1 200 "), 2);
    assert_int_equal(count_of(&c, "HTTP/1.1 400 "), 1);
    assert_int_equal(handled, 2);
    close_client(&c);
    UNTIL(http_server_connections(server) == 0);
}

static void
an_endless_chunk_line_holds_no_memory(void **state)
{
    struct client c;
    char a[8192];
    int i;

    memset(a, '0', sizeof a);
    open_client(&c);
    send_text(&c, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
    for (i = 0; i < 100; i++)
        send(c.fd, a, sizeof a, MSG_NOSIGNAL);
    UNTIL(has(&c, "HTTP/1.1 400 "));
    close_client(&c);
    UNTIL(http_server_connections(server) == 0);
}

/* A client that goes on sending after the refusal, and never closes, is cut in the end. */
static void
a_refused_client_that_sends_on_is_cut(void **state)
{
    struct client c;
    char a[16384];
    uint64_t began = clock_ms();

    memset(a, 'x', sizeof a);
    open_client(&c);
    send_text(&c, "BAD\r\n");
    while (http_server_connections(server) > 0 && clock_ms() - began < 6000) {
        send(c.fd, a, 100, MSG_NOSIGNAL);
        turn();
    }
    assert_int_equal(http_server_connections(server), 0);
    close_client(&c);
}

static void
connections_past_the_limit_get_503(void **state)
{
    struct http_server_options few = defaults;
    struct client c[4];
    int i;

    teardown(NULL);
    buf_init(&seen, 1 << 20);
    loop = loop_new();
    few.max_connections = 2;
    start(&few);
    for (i = 0; i < 3; i++) {
        open_client(&c[i]);
        settle();
    }
    UNTIL(has(&c[2], "HTTP/1.1 503 "));
    UNTIL(at_end(&c[2]));
    assert_int_equal(refusals[REASON_CONNECTIONS], 1);
    send_text(&c[0], "GET / HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&c[0], "hello"));
    close_client(&c[0]);
    close_client(&c[2]);
    UNTIL(http_server_connections(server) == 1);
    open_client(&c[3]);
    send_text(&c[3], "GET / HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&c[3], "hello"));
    close_client(&c[3]);
    close_client(&c[1]);
}

static uint64_t
cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
without_descriptors_the_listener_pauses(void **state)
{
    struct rlimit was, low;
    struct client c;
    uint64_t began, cpu;
    int next = dup(0);

    if (getenv("UNDER_VALGRIND")) { /* it wants descriptors of its own, and reserves some */
        close(next);
        skip();
    }
    open_client(&c); /* connected in the kernel, not accepted yet */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    low = was;
    low.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    began = clock_ms();
    cpu = cpu_ms();
    while (clock_ms() - began < 400)
        loop_run_once(loop, 20);
    assert_true(cpu_ms() - cpu < 100);
    assert_true(refusals[REASON_CONNECTIONS] >= 1);
    assert_true(refusals[REASON_CONNECTIONS] < 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    send_text(&c, "GET / HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&c, "hello"));
    close(next);
    close_client(&c);
}

static void
draining_ends_idle_connections_and_finishes_work(void **state)
{
    struct client idle, busy;

    open_client(&idle);
    send_text(&idle, "GET / HTTP/1.1\r\n" H "\r\n");
    UNTIL(has(&idle, "hello"));
    open_client(&busy);
    send_text(&busy, "GET /hold HTTP/1.1\r\n" H "\r\n");
    UNTIL(held);
    settle();
    http_server_stop_listening(server);
    http_server_drain(server, 0);
    UNTIL(at_end(&idle));
    assert_false(at_end(&busy));
    http_reply(held, 200, NULL, NULL, STR("done"));
    UNTIL(at_end(&busy));
    assert_true(has(&busy, "done"));
    assert_true(has(&busy, "Connection: close\r\n"));
    close_client(&idle);
    close_client(&busy);
    UNTIL(http_server_connections(server) == 0);
}

static void
freeing_the_server_ends_what_is_under_way(void **state)
{
    struct client c, d;

    open_client(&c);
    send_text(&c, "GET /hold HTTP/1.1\r\n" H "\r\n");
    UNTIL(held);
    open_client(&d); /* perhaps just accepted */
    loop_run_once(loop, 0);
    http_server_free(server);
    server = NULL;
    loop_run_once(loop, 0); /* libevent frees in the loop */
    assert_int_equal(closed, 1);
    close_client(&c);
    close_client(&d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_gets_its_reply_and_the_connection_stays),
        T(head_gets_the_length_but_no_body),
        T(bodies_arrive_whole_in_any_pieces),
        T(a_long_body_is_taken_up_to_its_limit),
        T(expect_100_continue_is_answered),
        T(connection_close_is_found_in_a_list),
        T(http_1_0_closes_and_is_not_chunked),
        T(absolute_targets_and_strange_paths_are_routed_by_their_own_text),
        T(a_reply_in_pieces_is_chunked),
        T(an_aborted_reply_does_not_look_whole),
        T(a_client_that_leaves_is_noticed_at_once),
        T(a_client_that_leaves_behind_many_pipelined_bytes_is_noticed),
        T(pipelined_requests_wait_for_a_late_reply),
        T(back_pressure_is_told_and_drains),
        T(a_client_that_takes_nothing_is_dropped),
        T(slow_requests_get_408_and_idle_connections_end),
        T(malformed_requests_get_json_and_the_connection_ends),
        T(a_refusal_waits_for_the_replies_in_front_of_it),
        T(an_endless_chunk_line_holds_no_memory),
        T(a_refused_client_that_sends_on_is_cut),
        T(connections_past_the_limit_get_503),
        T(without_descriptors_the_listener_pauses),
        T(draining_ends_idle_connections_and_finishes_work),
        T(freeing_the_server_ends_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
