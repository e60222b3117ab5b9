/* The scanner of raw request bytes: what it takes, what it refuses and with which status, and that
 * the cutting of the bytes into pieces changes nothing. */
#include "front/http_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))
#define H        "Host: localhost\r\n"

static const struct http_scan_limits limits = {
    .max_head = 1024, .max_body = 64, .max_headers = 8
};

struct sample {
    const char *text;
    unsigned requests, refused;
};

static const struct sample taken[] = {
    { "GET / HTTP/1.1\r\n" H "\r\n", 1, 0 },
    { "GET / HTTP/1.0\r\n\r\n", 1, 0 },
    { "\r\nGET / HTTP/1.1\r\n" H "\r\n", 1, 0 },
    { "POST /mcp HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", 1, 0 },
    { "POST /mcp HTTP/1.1\r\n" H "Content-Length:  2 \t\r\n\r\n{}\r\nGET / HTTP/1.1\r\n" H "\r\n",
        2, 0 },
    { "POST /mcp HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{", 0, 0 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", 1, 0 },
    { "POST / HTTP/1.1\r\n" H
      "transfer-encoding: CHUNKED\r\n\r\nA\r\n0123456789\r\n00\r\nX-T: y\r\n\r\n",
        1, 0 },
    { "HEAD /health HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 1, 0 },
    { "GET /a%20b?q=%7B HTTP/1.1\r\n" H "\r\n", 1, 0 },
    { "GET http://localhost:8000/mcp HTTP/1.1\r\n" H "\r\n", 1, 0 },
    { "GET HTTPS://[::1]?x HTTP/1.1\r\n" H "\r\n", 1, 0 },
    { "OPTIONS * HTTP/1.1\r\n" H "\r\n", 1, 0 },
    { "GET / HTTP/1.1\r\n" H "X: \xc3\xa9 \"q\" <>\\^`{|}\r\n\r\n", 1, 0 },
    { "GET / HTTP/1.1\r\nHost:\r\nX:\r\n\r\n", 1, 0 },
    { "POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", 1, 0 },
    { "GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n" H "\r\nGET /", 2, 0 },
};

static const struct sample refused[] = {
    /* lines */
    { "GET / HTTP/1.1\n" H "\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost: x\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\n\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", 0, 400 },
    { "\n", 0, 400 },
    { "\r\n\r\n", 0, 400 },
    { "\r\r\n", 0, 400 },
    { " GET / HTTP/1.1\r\n", 0, 400 },
    { "GET  / HTTP/1.1\r\n", 0, 400 },
    { "GET /a b HTTP/1.1\r\n", 0, 400 },
    { "GET /\tHTTP/1.1\r\n", 0, 400 },
    { "GET / HTTP/1.1 \r\n", 0, 400 },
    { "GET /\r\n", 0, 400 },
    { "GET\r\n", 0, 400 },
    { "\x16\x03\x01\x02\x00", 0, 400 },
    /* methods */
    { "TRACE / HTTP/1.1\r\n", 0, 405 },
    { "CONNECT a:1 HTTP/1.1\r\n", 0, 405 },
    { "FOO / HTTP/1.1\r\n", 0, 405 },
    { "get / HTTP/1.1\r\n", 0, 405 },
    { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n", 0, 405 },
    { "G{T / HTTP/1.1\r\n", 0, 400 },
    /* targets */
    { "GET mcp HTTP/1.1\r\n", 0, 400 },
    { "GET * HTTP/1.1\r\n", 0, 400 },
    { "OPTIONS *a HTTP/1.1\r\n", 0, 400 },
    { "GET /a#b HTTP/1.1\r\n", 0, 400 },
    { "GET /a\"b HTTP/1.1\r\n", 0, 400 },
    { "GET /a\xc3\xa9 HTTP/1.1\r\n", 0, 400 },
    { "GET /%0 HTTP/1.1\r\n", 0, 400 },
    { "GET /%zz HTTP/1.1\r\n", 0, 400 },
    { "GET /%00 HTTP/1.1\r\n", 0, 400 },
    { "GET ftp://x/ HTTP/1.1\r\n", 0, 400 },
    { "GET http:///mcp HTTP/1.1\r\n", 0, 400 },
    { "GET http://a@b/ HTTP/1.1\r\n", 0, 400 },
    { "GET http: HTTP/1.1\r\n", 0, 400 },
    /* versions */
    { "GET / HTTP/1.9\r\n", 0, 505 },
    { "GET / HTTP/2.0\r\n", 0, 505 },
    { "GET / HTTP/0.9\r\n", 0, 505 },
    { "GET / HTTP/4294967297.1\r\n", 0, 400 },
    { "GET / HTTP/1.10\r\n", 0, 400 },
    { "GET / http/1.1\r\n", 0, 400 },
    { "GET / HTTP/1\r\n", 0, 400 },
    /* headers */
    { "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n: x\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nX(y): x\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n\xc3\xa9: x\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\n" H H "\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 0, 400 },
    { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Expect: banana\r\n\r\n", 0, 417 },
    { "GET / HTTP/1.1\r\n" H "A:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5\r\nF:6\r\nG:7\r\nI:8\r\n\r\n", 0,
        431 },
    /* lengths */
    { "POST / HTTP/1.1\r\n" H "Content-Length: +7\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 0x4\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 4, 4\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 4 4\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nContent-Length: 5\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\ncontent-length: 4\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 65\r\n\r\n", 0, 413 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", 0, 413 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, 501 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 0, 501 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked chunked\r\n\r\n", 0, 501 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 0, 501 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 0,
        400 },
    { "HEAD / HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\n", 0, 400 },
    { "HEAD / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 0, 400 },
    /* chunks */
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0x4\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n+4\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4;ext=1\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4 \r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\nabcd", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd0\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\n0\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n41\r\n", 0, 413 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 0, 413 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n00000000000000004\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n folded\r\n\r\n", 0, 400 },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\x01\r\n\r\n", 0, 400 },
    /* behind a good request */
    { "GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\n", 1, 400 },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx\r\n\r\nGET", 1, 400 },
};

static void
feed(struct http_scan *s, const char *text, size_t n, size_t piece)
{
    size_t at, n_piece;

    http_scan_init(s);
    for (at = 0; at < n && !s->refused; at += piece) {
        n_piece = n - at < piece ? n - at : piece;
        /* A copy of its own size: reading past a piece is caught by the address sanitizer. */
        char *copy = malloc(n_piece);

        assert_non_null(copy);
        memcpy(copy, text + at, n_piece);
        http_scan_feed(s, &limits, copy, n_piece);
        free(copy);
    }
}

static void
check(const struct sample *x)
{
    struct http_scan s;
    size_t piece, n = strlen(x->text);

    for (piece = 1; piece <= n; piece++) {
        feed(&s, x->text, n, piece);
        if (s.refused != x->refused || s.requests != x->requests)
            fail_msg("%s: pieces of %zu: refused %u (%s), requests %u", x->text, piece, s.refused,
                s.reason ? s.reason : "-", (unsigned)s.requests);
        assert_int_equal(s.refused != 0, s.reason != NULL);
    }
}

static void
well_formed_requests_are_taken(void **state)
{
    size_t i;

    for (i = 0; i < NELEM(taken); i++)
        check(&taken[i]);
}

static void
malformed_requests_are_refused(void **state)
{
    size_t i;

    for (i = 0; i < NELEM(refused); i++)
        check(&refused[i]);
}

static void
nul_bytes_are_refused_everywhere_in_a_head(void **state)
{
    static const char good[] = "GET /a HTTP/1.1\r\nHost: x\r\nX-Y: z\r\n\r\n";
    char bad[sizeof good];
    struct http_scan s;
    size_t i;

    for (i = 0; i < sizeof good - 1; i++) {
        memcpy(bad, good, sizeof good);
        bad[i] = '\0';
        feed(&s, bad, sizeof good - 1, sizeof good);
        assert_int_not_equal(s.refused, 0);
        assert_int_equal(s.requests, 0);
    }
}

static void
a_head_without_end_is_refused_at_its_limit(void **state)
{
    static const char *const starts[] = { "GET /", "GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\nX",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " };
    static const unsigned status[] = { 414, 431, 431, 431 };
    struct http_scan s;
    size_t i, fed, piece;

    for (i = 0; i < NELEM(starts); i++)
        for (piece = 1; piece < 40; piece += 13) {
            char a[40];

            memset(a, 'a', sizeof a);
            http_scan_init(&s);
            http_scan_feed(&s, &limits, starts[i], strlen(starts[i]));
            for (fed = 0; !s.refused && fed < 10 * limits.max_head; fed += piece)
                http_scan_feed(&s, &limits, a, piece);
            assert_int_equal(s.refused, status[i]);
            assert_true(fed <= limits.max_head + sizeof a);
        }
}

static void
a_head_of_exactly_the_limit_is_taken(void **state)
{
    struct http_scan s;
    char text[1200];
    size_t pad;
    int n;

    for (pad = 960; pad < 1000; pad++) {
        n = snprintf(
            text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n", (int)pad, 0);
        feed(&s, text, (size_t)n, 7);
        assert_int_equal(s.refused, (size_t)n > limits.max_head ? 431 : 0);
    }
}

static void
no_byte_after_a_refusal_is_looked_at(void **state)
{
    static const char text[] = "GET / HTTP/1.9\r\nGET / HTTP/1.1\r\n" H "\r\n";
    struct http_scan s;

    http_scan_init(&s);
    assert_int_equal(http_scan_feed(&s, &limits, text, sizeof text - 1), 16);
    assert_int_equal(http_scan_feed(&s, &limits, text + 16, sizeof text - 17), 0);
    assert_int_equal(s.requests, 0);
    assert_int_equal(s.refused, 505);
}

static void
it_knows_when_it_stands_between_two_requests(void **state)
{
    struct http_scan s;

    http_scan_init(&s);
    assert_true(http_scan_idle(&s));
    http_scan_feed(&s, &limits, "\r\n", 2);
    assert_true(http_scan_idle(&s));
    http_scan_feed(&s, &limits, "G", 1);
    assert_false(http_scan_idle(&s));
    http_scan_feed(&s, &limits, "ET / HTTP/1.0\r\n\r\n", 17);
    assert_true(http_scan_idle(&s));
    assert_int_equal(s.requests, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_requests_are_taken),
        cmocka_unit_test(malformed_requests_are_refused),
        cmocka_unit_test(nul_bytes_are_refused_everywhere_in_a_head),
        cmocka_unit_test(a_head_without_end_is_refused_at_its_limit),
        cmocka_unit_test(a_head_of_exactly_the_limit_is_taken),
        cmocka_unit_test(no_byte_after_a_refusal_is_looked_at),
        cmocka_unit_test(it_knows_when_it_stands_between_two_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
