/* test_statement.c - the status table of the SQL API, line by line, against a scripted server; and
 * partitions, limits, pauses, cancels. */
#include "sf/sf.h"

#include "clock.h"
#include "http_client.h"
#include "json_text.h"
#include "must.h"
#include "sf/request.h"
#include "sf/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "fake_server.h"

#define H     "01be0a44-0102-3c1d-0000-0a11000b2f06"
#define R     "9a6c1d0e-51c1-4d2a-a0a7-2f0c7d0a9b11"
#define SUB   "POST /api/v2/statements?requestId=" R
#define GET   "GET /api/v2/statements/" H "?requestId=" R
#define STOPS "POST /api/v2/statements/" H "/cancel?requestId="
#define COLS                                                                                       \
    "\"rowType\":[{\"name\":\"ID\",\"type\":\"fixed\",\"precision\":38,\"scale\":0},"              \
    "{\"name\":\"NAME\",\"type\":\"text\",\"length\":80}]"
#define HEAD "{\"code\":\"090001\",\"statementHandle\":\"" H "\",\"message\":\"ok\","
#define RESULT                                                                                     \
    HEAD "\"resultSetMetaData\":{\"numRows\":2,\"partitionInfo\":[{\"rowCount\":2}]," COLS         \
         "},\"data\":[[\"1\",\"Ada\"],[\"2\",null]]}"
/* Behind a result, so that half of it all holds its rows. */
#define BLANK20 "                    "
#define BLANKS                                                                                     \
    BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20        \
        BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20 BLANK20
#define RUNNING                                                                                    \
    "{\"code\":\"333334\",\"message\":\"Asynchronous execution in progress.\","                    \
    "\"statementHandle\":\"" H "\"}"

struct bed {
    struct config config;
    struct fake_server server;
    struct loop *loop;
    struct sf_identity *identity;
    struct sf_client *client;
    /* what the statement told */
    struct sf_statement *statement;
    struct buf log; /* rows as text */
    unsigned rows, columns_told, handles_told, done;
    char handle[64], code[32], sqlstate[32], message[1024];
    struct sf_outcome outcome;
    unsigned pause_every, enough_after, drop_after;
    int cancelled; /* -1: not told; else confirmed */
};

static void
bed_open(struct bed *b, const struct fake_step *steps, unsigned n)
{
    memset(b, 0, sizeof *b);
    fake_start(&b->server, steps, n);
    b->config = (struct config){ .sf_host = "127.0.0.1",
        .sf_port = b->server.port,
        .sf_protocol = SF_PROTOCOL_HTTP,
        .sf_account = "demo",
        .sf_user = "demo",
        .sf_role = "READER",
        .sf_warehouse = "WH",
        .sf_database = "DB",
        .sf_schema = "PUBLIC",
        .sf_timezone = "UTC",
        .sf_submit = SF_SUBMIT_AUTO,
        .sf_connect_ms = 2000,
        .sf_request_ms = 5000,
        .sf_retries = 3,
        .sf_retry_base_ms = 2,
        .sf_retry_max_ms = 2000,
        .sf_poll_min_ms = 1,
        .sf_poll_max_ms = 5,
        .sf_partitions_ahead = 2,
        .sf_partition_buffer = 16384,
        .sf_max_metadata = 1 << 20,
        .sf_max_cell = 1 << 20,
        .query_timeout_s = 60,
        .pool_max = 4 };
    b->config.sf_password = secret_new(STR("pat-secret"));
    buf_init(&b->log, (size_t)1 << 30);
    b->cancelled = -1;
    struct err e = { "" };
    b->loop = loop_new();
    assert_non_null(b->loop);
    b->identity = sf_identity_new(&b->config, &e);
    assert_string_equal(e.text, "");
    b->client = sf_client_new(b->loop, &b->config, b->identity, &e);
    assert_string_equal(e.text, "");
}

/* Another client, for settings that are read when it is made. */
static void
bed_reopen(struct bed *b, unsigned port)
{
    struct err e = { "" };
    sf_client_free(b->client);
    sf_identity_free(b->identity);
    b->config.sf_port = port;
    b->identity = sf_identity_new(&b->config, &e);
    assert_string_equal(e.text, "");
    b->client = sf_client_new(b->loop, &b->config, b->identity, &e);
    assert_string_equal(e.text, "");
}

static void
bed_close(struct bed *b)
{
    sf_client_free(b->client);
    sf_identity_free(b->identity);
    loop_free(b->loop);
    unsigned unexpected = b->server.unexpected;
    fake_stop(&b->server);
    secret_free(b->config.sf_password);
    secret_free(b->config.sf_private_key);
    buf_fini(&b->log);
    assert_int_equal(unexpected, 0);
}

static void
on_cancelled(void *arg, bool confirmed)
{
    struct bed *b = arg;
    assert_int_equal(b->cancelled, -1);
    b->cancelled = confirmed;
}

static void
on_handle(void *arg, const char *handle)
{
    struct bed *b = arg;
    b->handles_told++;
    str_copy(b->handle, sizeof b->handle, str_of(handle));
}

static void
on_columns(void *arg, const struct sf_column *cols, unsigned n)
{
    struct bed *b = arg;
    b->columns_told++;
    assert_int_equal(n, 2);
    assert_true(str_is(cols[0].name, "ID"));
}

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct bed *b = arg;
    assert_int_equal(n, 2);
    assert_int_equal(b->done, 0);
    b->rows++;
    if (b->log.len < 4096)
        buf_printf(&b->log, "%.*s:%.*s ", STR_ARG(cells[0].json),
            cells[1].null ? 4 : (int)cells[1].json.n, cells[1].null ? "NULL" : cells[1].json.p);
    if (b->drop_after && b->rows == b->drop_after) {
        sf_statement_drop(b->statement, on_cancelled, b);
        return SF_GO;
    }
    if (b->enough_after && b->rows == b->enough_after)
        return SF_ENOUGH;
    return b->pause_every && b->rows % b->pause_every == 0 ? SF_PAUSE : SF_GO;
}

static void
on_done(void *arg, const struct sf_outcome *o)
{
    struct bed *b = arg;
    b->done++;
    b->outcome = *o;
    str_copy(b->code, sizeof b->code, o->code);
    str_copy(b->sqlstate, sizeof b->sqlstate, o->sqlstate);
    str_copy(b->message, sizeof b->message, o->message);
}

static void
start(struct bed *b, uint64_t row_limit, bool metadata)
{
    static const struct sf_handlers handlers = { on_handle, on_columns, on_row, on_done };
    struct sf_request r = { .sql = STR("select id, name from t"),
        .row_limit = row_limit,
        .metadata = metadata,
        .request_id = R,
        .query_tag = STR("mcp:" R) };
    b->statement = sf_statement_start(b->client, &r, &handlers, b);
    assert_non_null(b->statement);
    assert_int_equal(b->done, 0);
}

static void
run_until(struct bed *b, const int *flag, int not_value)
{
    uint64_t deadline = clock_ms() + 10000;
    while (*flag == not_value && clock_ms() < deadline)
        loop_run_once(b->loop, 50);
    if (*flag == not_value)
        fail_msg("nothing happened within 10 s");
}

static void
finish(struct bed *b)
{
    uint64_t deadline = clock_ms() + 10000;
    while (!b->done && clock_ms() < deadline)
        loop_run_once(b->loop, 50);
    assert_int_equal(b->done, 1);
}

static void
wait_requests(struct bed *b, unsigned n)
{
    uint64_t deadline = clock_ms() + 10000;
    while (b->server.n_requests < n && clock_ms() < deadline)
        loop_run_once(b->loop, 5);
    assert_int_equal(b->server.n_requests, n);
}

/* Runs one statement through the script and checks how it ended. */
static void
play(struct bed *b, const struct fake_step *steps, unsigned n, bool metadata, enum rc rc)
{
    bed_open(b, steps, n);
    start(b, 0, metadata);
    finish(b);
    if (b->outcome.rc != rc)
        fail_msg("%s: %s", rc_table[b->outcome.rc].name, b->message);
    assert_int_equal(b->server.n_requests, n);
}

#define PLAY(b, metadata, rc, ...)                                                                 \
    do {                                                                                           \
        static const struct fake_step steps_[] = { __VA_ARGS__ };                                  \
        play((b), steps_, NELEM(steps_), (metadata), (rc));                                        \
    } while (0)

static void
expect_rows(struct bed *b)
{
    assert_string_equal(buf_text(&b->log), "1:Ada 2:NULL ");
    assert_int_equal(b->columns_told, 1);
    assert_int_equal(b->handles_told, 1);
    assert_string_equal(b->handle, H);
    assert_false(b->outcome.more);
    assert_false(b->outcome.may_be_running);
}

/* ---- the status table ------------------------------------------------------------------------ */

static void
a_200_is_the_result(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_OK, { SUB, 200, RESULT });
    expect_rows(&b);
    assert_int_equal(b.outcome.total_rows, 2);
    assert_int_equal(b.outcome.retries, 0);
    assert_true(b.outcome.elapsed_ns > 0);
    const struct fake_request *r = &b.server.requests[0];
    assert_null(strstr(r->line, "async"));
    assert_null(strstr(r->line, "retry"));
    assert_non_null(strcasestr(r->headers, "\r\nAuthorization: Bearer pat-secret\r\n"));
    assert_non_null(strcasestr(
        r->headers, "\r\nX-Snowflake-Authorization-Token-Type: PROGRAMMATIC_ACCESS_TOKEN\r\n"));
    assert_non_null(strcasestr(r->headers, "\r\nAccept: application/json\r\n"));
    assert_non_null(strcasestr(r->headers, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strcasestr(r->headers, "\r\nAccept-Encoding: gzip"));
    assert_non_null(strcasestr(r->headers, "\r\nUser-Agent: snowflake-mcp/"));
    const struct sf_counters *n = sf_client_counters(b.client);
    assert_int_equal(n->logins_ok, 1);
    assert_int_equal(n->logins_refused, 0);
    bed_close(&b);
}

static void
a_202_is_polled(void **state)
{
    struct bed b;
    PLAY(&b, false, RC_OK, { SUB "&async=true ", 202, RUNNING }, { GET " ", 202, RUNNING },
        { GET " ", 202, RUNNING }, { GET " ", 200, RESULT });
    expect_rows(&b);
    bed_close(&b);
}

static void
a_synchronous_submit_may_be_told_to_poll(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_OK, { SUB " ", 202, RUNNING }, { GET " ", 200, RESULT });
    expect_rows(&b);
    bed_close(&b);
}

static void
a_422_is_the_statements_own_fault(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_SQL_FAILED,
        { SUB, 422,
            "{\"code\":\"000904\",\"message\":\"SQL compilation error: error line 1 at position "
            "7\\ninvalid identifier 'NAMEE'\",\"sqlState\":\"42000\",\"statementHandle\":\"" H
            "\"}" });
    assert_string_equal(b.code, "000904");
    assert_string_equal(b.sqlstate, "42000");
    assert_non_null(strstr(b.message, "7\ninvalid identifier 'NAMEE'"));
    assert_string_equal(b.handle, H);
    assert_false(b.outcome.may_be_running);
    assert_int_equal(b.rows, 0);
    bed_close(&b);
}

static void
a_422_while_polling_ends_it(void **state)
{
    struct bed b;
    PLAY(&b, false, RC_CANCELLED, { SUB, 202, RUNNING },
        { GET, 422, "{\"code\":\"000604\",\"message\":\"SQL execution canceled\"}" });
    assert_false(b.outcome.may_be_running);
    bed_close(&b);
    PLAY(&b, false, RC_STATEMENT_TIMEOUT, { SUB, 202, RUNNING },
        { GET, 422, "{\"code\":\"000630\",\"message\":\"Statement reached its timeout\"}" });
    bed_close(&b);
    PLAY(&b, false, RC_UPSTREAM_FAILED, { SUB, 202, RUNNING },
        { GET, 422, "{\"code\":\"000709\",\"message\":\"Statement " H " not found\"}" });
    bed_close(&b);
}

static void
a_408_is_the_statements_timeout(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_STATEMENT_TIMEOUT,
        { SUB, 408, "{\"code\":\"000630\",\"statementHandle\":\"" H "\",\"message\":\"late\"}" });
    assert_string_equal(b.message, "late");
    assert_false(b.outcome.may_be_running);
    bed_close(&b);
}

static void
a_401_is_tried_again_with_a_new_signature_once(void **state)
{
    static const struct fake_step good[] = {
        { SUB, 401, "{\"code\":\"390144\",\"message\":\"JWT token is invalid. [x]\"}" },
        { SUB, 200, RESULT },
    };
    static const struct fake_step bad[] = {
        { SUB, 401, "{\"code\":\"390144\",\"message\":\"JWT token is invalid. [x]\"}" },
        { SUB, 401, "{\"code\":\"390144\",\"message\":\"JWT token is invalid. [y]\"}" },
    };
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    char *pem;
    long n = BIO_get_mem_data(bio, &pem);
    for (int round = 0; round < 2; round++) {
        struct bed b;
        bed_open(&b, round ? bad : good, 2);
        secret_free(b.config.sf_password);
        b.config.sf_password = NULL;
        b.config.sf_private_key = secret_new((struct str){ pem, (size_t)n });
        bed_reopen(&b, b.server.port);
        start(&b, 0, true);
        finish(&b);
        assert_int_equal(b.outcome.rc, round ? RC_UPSTREAM_AUTH : RC_OK);
        assert_int_equal(b.server.n_requests, 2);
        assert_null(strstr(b.server.requests[1].line, "retry=true"));
        const struct sf_counters *c = sf_client_counters(b.client);
        assert_int_equal(c->logins_refused, round ? 2 : 1);
        assert_int_equal(c->logins_ok, round ? 0 : 1);
        assert_non_null(strcasestr(b.server.requests[0].headers, "Token-Type: KEYPAIR_JWT"));
        if (round)
            assert_string_equal(b.code, "390144");
        else
            expect_rows(&b);
        bed_close(&b);
    }
    BIO_free(bio);
    EVP_PKEY_free(pkey);
}

static void
a_401_for_a_token_that_cannot_change_is_final(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_UPSTREAM_AUTH,
        { SUB, 401, "{\"code\":\"394400\",\"message\":\"Programmatic access token is invalid\"}" });
    assert_string_equal(b.code, "394400");
    assert_int_equal(sf_client_counters(b.client)->logins_refused, 1);
    bed_close(&b);
}

static void
a_429_with_a_handle_means_running(void **state)
{
    struct bed b;
    PLAY(&b, false, RC_OK, { SUB, 202, RUNNING },
        { GET, 429, "{\"code\":\"333334\",\"message\":\"still\",\"statementHandle\":\"" H "\"}" },
        { GET, 200, RESULT });
    expect_rows(&b);
    assert_int_equal(b.outcome.retries, 0);
    bed_close(&b);
}

static void
a_429_without_a_handle_backs_off(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_OK,
        { SUB " ", 429, "{\"code\":\"390505\",\"message\":\"Too many requests.\"}" },
        { SUB " ", 200, RESULT });
    expect_rows(&b);
    assert_int_equal(b.outcome.retries, 1);
    assert_int_equal(sf_client_counters(b.client)->retries, 1);
    bed_close(&b);

    PLAY(&b, true, RC_UPSTREAM_BUSY, { SUB, 429, "{\"code\":\"390505\",\"message\":\"Too many\"}" },
        { SUB, 429, "{}" }, { SUB, 429, "{}" },
        { SUB, 429, "{\"code\":\"390505\",\"message\":\"Too many requests.\"}" });
    assert_string_equal(b.code, "390505");
    assert_false(b.outcome.may_be_running);
    bed_close(&b);
}

static void
retry_after_is_obeyed_or_told(void **state)
{
    struct bed b;
    uint64_t began = clock_ms();
    PLAY(&b, true, RC_OK, { SUB, 429, "{}", FAKE_WHOLE, "Retry-After: 1\r\n" },
        { SUB, 200, RESULT });
    assert_true(clock_ms() - began >= 950);
    bed_close(&b);
    /* longer than any pause allowed: no use in waiting */
    PLAY(&b, true, RC_UPSTREAM_BUSY, { SUB, 429, "{}", FAKE_WHOLE, "Retry-After: 60\r\n" });
    assert_int_equal(b.outcome.retry_after_s, 60);
    bed_close(&b);
}

static void
after_a_500_the_same_request_goes_out_with_retry(void **state)
{
    struct bed b;
    PLAY(&b, false, RC_OK, { SUB "&async=true ", 500, "{\"code\":\"000603\",\"message\":\"x\"}" },
        { SUB "&async=true&retry=true ", 502, "<html>bad gateway</html>" },
        { SUB "&async=true&retry=true ", 202, RUNNING }, { GET, 500, "" }, { GET, 200, RESULT });
    expect_rows(&b);
    assert_string_equal(b.server.requests[0].body, b.server.requests[1].body);
    assert_string_equal(b.server.requests[0].body, b.server.requests[2].body);
    assert_int_equal(b.outcome.retries, 3);
    bed_close(&b);
}

static void
html_is_never_parsed(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 503, "<html>{\"code\":\"1\"}</html>" },
        { SUB, 504, "<html>" }, { SUB, 522, "<html>" }, { SUB, 503, "<html>late</html>" });
    assert_string_equal(b.code, "");
    assert_string_equal(b.message, "Snowflake answered with HTTP status 503 and no JSON");
    assert_true(b.outcome.may_be_running);
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 200, "<html>login</html>" });
    assert_non_null(strstr(b.message, "'{' expected, got '<'"));
    assert_true(b.outcome.may_be_running); /* it does not say that anything ended */
    assert_int_equal(b.rows, 0);
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 422, "<html>" });
    bed_close(&b);
}

static void
what_will_not_change_is_not_repeated(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_INTERNAL, { SUB, 400, "{\"code\":\"391917\",\"message\":\"'X' is not\"}" });
    assert_string_equal(b.code, "391917");
    bed_close(&b);
    PLAY(&b, true, RC_SQL_FAILED,
        { SUB, 400, "{\"code\":\"391902\",\"message\":\"You must specify the database\"}" });
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_AUTH, { SUB, 403, "" });
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 404, "" });
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 405, "{}" });
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 301, "" });
    bed_close(&b);
}

static void
a_lost_connection_is_resubmitted_with_retry(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_OK, { SUB " ", 0, NULL, FAKE_DROP },
        { SUB "&retry=true ", 0, NULL, FAKE_DROP }, { SUB "&retry=true ", 200, RESULT });
    expect_rows(&b);
    bed_close(&b);
    PLAY(
        &b, false, RC_OK, { SUB, 202, RUNNING }, { GET, 0, NULL, FAKE_DROP }, { GET, 200, RESULT });
    expect_rows(&b);
    bed_close(&b);
}

static void
a_submit_on_a_kept_connection_is_never_repeated_silently(void **state)
{
    /* Whoever sends it again, libcurl included, must say retry=true. */
    static const struct fake_step steps[] = { { SUB " ", 200, RESULT },
        { SUB " ", 0, NULL, FAKE_DROP }, { SUB "&retry=true ", 200, RESULT } };
    struct bed b;
    bed_open(&b, steps, 3);
    start(&b, 0, true);
    finish(&b);
    b.done = 0;
    start(&b, 0, true);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_OK);
    assert_int_equal(b.outcome.retries, 1);
    bed_close(&b);
}

static void
nobody_listening_is_reported_with_the_host(void **state)
{
    struct bed b;
    bed_open(&b, NULL, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, but not listening */
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    bed_reopen(&b, ntohs(a.sin_port));
    start(&b, 0, true);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_UPSTREAM_FAILED);
    assert_non_null(strstr(b.message, "127.0.0.1"));
    assert_false(b.outcome.may_be_running); /* it never went out */
    assert_int_equal(b.outcome.retries, 3);
    bed_close(&b);
    close(fd);
}

static void
a_391908_shows_no_rows(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_RESULT_TOO_LARGE,
        { SUB, 200,
            "{\"code\":\"391908\",\"message\":\"too large\",\"statementHandle\":\"" H
            "\",\"resultSetMetaData\":{" COLS "},\"data\":[[\"1\",\"x\"]]}" });
    assert_int_equal(b.rows, 0);
    assert_string_equal(b.message, "too large");
    bed_close(&b);
}

static void
a_body_that_lost_its_end_is_fetched_again_without_repeating_rows(void **state)
{
    struct bed b;
    PLAY(&b, false, RC_OK, { SUB, 202, RUNNING }, { GET, 200, RESULT, FAKE_CUT },
        { GET, 200, RESULT });
    expect_rows(&b);
    bed_close(&b);
    PLAY(&b, true, RC_OK, { SUB " ", 200, RESULT BLANKS, FAKE_CUT }, { GET, 200, RESULT });
    expect_rows(&b);
    bed_close(&b);
}

static void
json_that_lost_its_end_is_an_error(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_UPSTREAM_FAILED,
        { SUB, 200, HEAD "\"resultSetMetaData\":{" COLS "},\"data\":[[\"1\",\"x\"]" });
    assert_string_equal(b.message, "the answer ended in the middle of its rows");
    assert_false(b.outcome.may_be_running);
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 200, "{\"code\":\"090001\"}" });
    assert_string_equal(b.message, "the answer holds no result");
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED, { SUB, 202, "{\"code\":\"333334\"}" });
    assert_non_null(strstr(b.message, "not under which handle"));
    assert_true(b.outcome.may_be_running);
    bed_close(&b);
    PLAY(&b, true, RC_UPSTREAM_FAILED,
        { SUB, 202, "{\"code\":\"333334\",\"statementHandle\":\"../../x\"}" });
    bed_close(&b);
}

static void
running_for_ever_ends_after_the_timeout(void **state)
{
    struct bed b;
    static struct fake_step steps[FAKE_MAX];
    for (unsigned i = 0; i < FAKE_MAX; i++)
        steps[i] = (struct fake_step){ i ? GET : SUB, 202, RUNNING };
    bed_open(&b, steps, FAKE_MAX);
    b.config.query_timeout_s = 60;
    start(&b, 0, false);
    wait_requests(&b, 3);
    clock_skip_ms(60000 + 9000);
    wait_requests(&b, b.server.n_requests + 2);
    assert_int_equal(b.done, 0);
    clock_skip_ms(3000);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_STATEMENT_TIMEOUT);
    assert_true(b.outcome.may_be_running);
    bed_close(&b);
}

/* ---- partitions --------------------------------------------------------------------------------
 */

#define THREE                                                                                      \
    HEAD "\"resultSetMetaData\":{\"numRows\":5,\"partitionInfo\":[{\"rowCount\":2},"               \
         "{\"rowCount\":2},{\"rowCount\":1}]," COLS "},\"data\":[[\"1\",\"a\"],[\"2\",\"b\"]]}"
#define PART1 "{\"data\":[[\"3\",\"c\"],[\"4\",\"d\"]]}"
#define PART2 "{\"data\":[[\"5\",\"e\"]]}"

static void
partitions_come_in_order(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_OK, { SUB, 200, THREE }, { GET "&partition=1 ", 200, PART1, FAKE_GZIP },
        { GET "&partition=2 ", 200, PART2, FAKE_GZIP });
    assert_string_equal(buf_text(&b.log), "1:a 2:b 3:c 4:d 5:e ");
    assert_int_equal(b.outcome.total_rows, 5);
    assert_int_equal(b.columns_told, 1);
    bed_close(&b);
}

static void
a_partition_is_asked_for_again(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_OK, { SUB, 200, THREE }, { "partition=1", 503, "<html>" },
        { "partition=1", 0, NULL, FAKE_DROP }, { "partition=1", 200, PART1, FAKE_GZIP_CUT },
        { "partition=1", 200, PART1, FAKE_GZIP }, { "partition=2", 429, "{}" },
        { "partition=2", 200, PART2, FAKE_CUT }, { "partition=2", 200, PART2 });
    assert_string_equal(buf_text(&b.log), "1:a 2:b 3:c 4:d 5:e ");
    /* curl itself repeats a GET on a kept connection that was closed: 4 or 5 */
    assert_true(b.outcome.retries >= 4);
    bed_close(&b);
}

static void
a_partition_that_cannot_be_had_fails_the_call(void **state)
{
    struct bed b;
    static const struct fake_step gone[] = {
        { SUB, 200, THREE },
        { "partition=1", 422, "{\"code\":\"000709\",\"message\":\"not found\"}" },
        { "partition=2", 200, PART2 },
    };
    bed_open(&b, gone, 3);
    b.config.sf_partitions_ahead = 1;
    start(&b, 0, true);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_UPSTREAM_FAILED);
    assert_string_equal(b.code, "000709");
    assert_int_equal(b.rows, 2);
    assert_false(b.outcome.may_be_running);
    bed_close(&b);

    static const struct fake_step wrong[] = {
        { SUB, 200, THREE },
        { "partition=1", 200, "{\"data\":[[\"3\"]]}" },
    };
    bed_open(&b, wrong, 2);
    b.config.sf_partitions_ahead = 1;
    start(&b, 0, true);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_UPSTREAM_FAILED);
    assert_string_equal(b.message,
        "partition 1: row 1 of the result has only 1 cells, but 2 columns were announced");
    bed_close(&b);
}

static void
missing_rows_are_noticed(void **state)
{
    struct bed b;
    PLAY(&b, true, RC_UPSTREAM_FAILED,
        { SUB, 200,
            HEAD "\"resultSetMetaData\":{\"numRows\":3,\"partitionInfo\":[{\"rowCount\":3}]," COLS
                 "},\"data\":[[\"1\",\"a\"],[\"2\",\"b\"]]}" });
    assert_non_null(strstr(b.message, "holds 2 rows, but 3 were announced"));
    bed_close(&b);
}

/* A partition of `rows` rows that begin at `first`; about 40 bytes each. */
static char *
big_data(unsigned first, unsigned rows, size_t *n)
{
    struct buf d;
    buf_init(&d, (size_t)1 << 30);
    buf_put_z(&d, "{\"data\":[");
    for (unsigned i = 0; i < rows; i++)
        buf_printf(&d, "%s[\"%u\",\"row number %u of them\"]", i ? "," : "", first + i, first + i);
    buf_put_z(&d, "]}");
    return buf_take(&d, n);
}

static void
a_slow_reader_holds_everything_back(void **state)
{
    enum { ROWS = 20000 };
    struct bed b;
    struct fake_step steps[4] = { { SUB, 200, NULL } };
    char head[1024];
    snprintf(head, sizeof head,
        HEAD "\"resultSetMetaData\":{\"numRows\":%u,\"partitionInfo\":[{\"rowCount\":1},"
             "{\"rowCount\":%u},{\"rowCount\":%u},{\"rowCount\":%u}]," COLS
             "},\"data\":[[\"0\",\"a\"]]}",
        3 * ROWS + 1, ROWS, ROWS, ROWS);
    steps[0].body = head;
    char match[3][32], *data[3];
    for (unsigned i = 0; i < 3; i++) {
        snprintf(match[i], sizeof match[i], "partition=%u", i + 1);
        steps[i + 1].match = match[i];
        steps[i + 1].status = 200;
        data[i] = big_data(1 + i * ROWS, ROWS, &steps[i + 1].body_size);
        steps[i + 1].body = data[i];
        steps[i + 1].way = i == 1 ? FAKE_GZIP : FAKE_WHOLE;
    }
    bed_open(&b, steps, 4);
    b.config.sf_partition_buffer = 1 << 18; /* more than is parsed in one round */
    b.pause_every = 500;
    start(&b, 0, true);
    unsigned pauses = 0, idle = 0;
    uint64_t deadline = clock_ms() + 20000;
    while (!b.done && clock_ms() < deadline) {
        unsigned before = b.rows;
        loop_run_once(b.loop, 2);
        /* Paused: no row may come before resume, however long we wait. */
        if (b.rows % 500 == 0 && b.rows == before && ++idle > 1) {
            idle = 0;
            pauses++;
            sf_statement_resume(b.statement);
        }
    }
    assert_int_equal(b.done, 1);
    assert_int_equal(b.outcome.rc, RC_OK);
    assert_int_equal(b.rows, 3 * ROWS + 1);
    assert_true(pauses >= 3 * ROWS / 500);
    bed_close(&b);
    for (unsigned i = 0; i < 3; i++)
        free(data[i]);
}

static void
what_waited_is_delivered_in_slices(void **state)
{
    enum { ROWS = 20000 };
    struct bed b;
    struct fake_step steps[3] = { { SUB, 200, NULL, FAKE_HOLD }, { "partition=1", 200 },
        { "partition=2", 200 } };
    char head[1024];
    snprintf(head, sizeof head,
        HEAD "\"resultSetMetaData\":{\"partitionInfo\":[{\"rowCount\":1},{\"rowCount\":%u},"
             "{\"rowCount\":%u}]," COLS "},\"data\":[[\"0\",\"a\"]]}",
        ROWS, ROWS);
    steps[0].body = head;
    char *data[2];
    for (unsigned i = 0; i < 2; i++)
        steps[i + 1].body = data[i] = big_data(1 + i * ROWS, ROWS, &steps[i + 1].body_size);
    bed_open(&b, steps, 3);
    b.config.sf_partition_buffer = 1 << 22;
    b.config.sf_partitions_ahead = 3;
    b.pause_every = 1;
    start(&b, 0, true);
    fake_release(&b.server);
    /* The first row pauses; the other partitions arrive whole meanwhile. */
    wait_requests(&b, 3);
    const struct part *parts = b.statement->parts;
    uint64_t deadline = clock_ms() + 10000;
    while (!(parts[1].over && parts[2].over) && clock_ms() < deadline)
        loop_run_once(b.loop, 20);
    assert_int_equal(b.rows, 1);
    b.pause_every = 0;
    sf_statement_resume(b.statement);
    unsigned most = b.rows;
    while (!b.done && clock_ms() < deadline) {
        unsigned before = b.rows;
        loop_run_once(b.loop, 20);
        most = b.rows - before > most ? b.rows - before : most;
    }
    assert_int_equal(b.outcome.rc, RC_OK);
    assert_int_equal(b.rows, 2 * ROWS + 1);
    assert_true(most < 4000); /* twice 64 KiB of rows of 34 bytes: the end of one, the next */
    bed_close(&b);
    free(data[0]);
    free(data[1]);
}

/* ---- limits ------------------------------------------------------------------------------------
 */

static void
play_limit(struct bed *b, const struct fake_step *steps, unsigned n, unsigned asked, uint64_t limit)
{
    bed_open(b, steps, n);
    start(b, limit, true);
    finish(b);
    assert_int_equal(b->outcome.rc, RC_OK);
    assert_int_equal(b->server.n_requests, asked);
}

static void
the_row_limit_is_exact(void **state)
{
    static const struct fake_step two[] = { { SUB, 200, RESULT } };
    struct bed b;
    play_limit(&b, two, 1, 1, 1); /* two rows came: the one more is there */
    assert_string_equal(buf_text(&b.log), "1:Ada ");
    assert_true(b.outcome.more);
    assert_non_null(strstr(b.server.requests[0].body, "\"ROWS_PER_RESULTSET\":\"2\""));
    bed_close(&b);
    play_limit(&b, two, 1, 1, 2);
    assert_int_equal(b.rows, 2);
    assert_false(b.outcome.more);
    bed_close(&b);
    play_limit(&b, two, 1, 1, 3);
    assert_int_equal(b.rows, 2);
    assert_false(b.outcome.more);
    bed_close(&b);

    /* numRows does not tell: the row itself does */
    static const struct fake_step untold[] = { { SUB, 200,
        HEAD "\"resultSetMetaData\":{" COLS "},\"data\":[[\"1\",\"a\"],[\"2\",\"b\"]]}" } };
    play_limit(&b, untold, 1, 1, 1);
    assert_int_equal(b.rows, 1);
    assert_true(b.outcome.more);
    bed_close(&b);
}

static void
partitions_past_the_limit_are_never_fetched(void **state)
{
    static const struct fake_step steps[] = { { SUB, 200, THREE }, { "partition=1", 200, PART1 } };
    struct bed b;
    play_limit(&b, steps, 1, 1, 1);
    assert_true(b.outcome.more);
    bed_close(&b);
    play_limit(&b, steps, 1, 1, 2);
    assert_int_equal(b.rows, 2);
    assert_true(b.outcome.more);
    bed_close(&b);
    play_limit(&b, steps, 2, 2, 3);
    assert_int_equal(b.rows, 3);
    assert_true(b.outcome.more);
    bed_close(&b);
    play_limit(&b, steps, 2, 2, 4);
    assert_int_equal(b.rows, 4);
    assert_true(b.outcome.more);
    bed_close(&b);
}

static void
enough_ends_it_at_once(void **state)
{
    static const struct fake_step steps[] = { { SUB, 200, RESULT } };
    struct bed b;
    bed_open(&b, steps, 1);
    b.enough_after = 1;
    start(&b, 0, true);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_OK);
    assert_int_equal(b.rows, 1);
    bed_close(&b);
}

static void
a_cell_too_long_is_a_result_too_large(void **state)
{
    static const struct fake_step steps[] = { { SUB, 200, RESULT } };
    struct bed b;
    bed_open(&b, steps, 1);
    b.config.sf_max_cell = 2;
    start(&b, 0, true);
    finish(&b);
    assert_int_equal(b.outcome.rc, RC_RESULT_TOO_LARGE);
    assert_non_null(strstr(b.message, "row 1, cell 2 is longer than 2 bytes"));
    bed_close(&b);
}

/* ---- cancelling --------------------------------------------------------------------------------
 */

#define CANCELLED                                                                                  \
    "{\"code\":\"000604\",\"sqlState\":\"57014\",\"message\":\"SQL execution canceled\"}"

static void
dropping_a_running_statement_cancels_it(void **state)
{
    static const struct fake_step steps[] = { { SUB, 202, RUNNING },
        { GET, 202, RUNNING, FAKE_HOLD }, { STOPS, 200, CANCELLED } };
    struct bed b;
    bed_open(&b, steps, 3);
    start(&b, 0, false);
    wait_requests(&b, 2);
    sf_statement_drop(b.statement, on_cancelled, &b);
    assert_int_equal(b.cancelled, -1);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.done, 0);
    assert_int_equal(b.server.n_requests, 3);
    assert_int_equal(sf_client_counters(b.client)->cancels_confirmed, 1);
    bed_close(&b);
}

static void
a_dropped_submit_is_cancelled_when_its_handle_is_known(void **state)
{
    static const struct fake_step steps[] = { { SUB, 202, RUNNING, FAKE_HOLD },
        { STOPS, 503, "<html>" }, { STOPS, 0, NULL, FAKE_DROP }, { STOPS, 200, CANCELLED } };
    struct bed b;
    bed_open(&b, steps, 4);
    start(&b, 0, false);
    wait_requests(&b, 1);
    sf_statement_drop(b.statement, on_cancelled, &b);
    loop_run_once(b.loop, 20);
    assert_int_equal(b.cancelled, -1);
    fake_release(&b.server);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.server.n_requests, 4);
    bed_close(&b);
}

static void
a_dropped_submit_that_had_ended_needs_no_cancel(void **state)
{
    static const struct fake_step steps[] = { { SUB, 200, RESULT, FAKE_HOLD } };
    struct bed b;
    bed_open(&b, steps, 1);
    start(&b, 0, true);
    wait_requests(&b, 1);
    sf_statement_drop(b.statement, on_cancelled, &b);
    fake_release(&b.server);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.rows, 0);
    assert_int_equal(sf_client_counters(b.client)->cancels_confirmed, 0);
    bed_close(&b);
}

static void
dropping_inside_a_row_is_fine(void **state)
{
    static const struct fake_step steps[] = { { SUB, 200, THREE }, { "partition=1", 200, PART1 } };
    struct bed b;
    bed_open(&b, steps, 2);
    b.drop_after = 1;
    start(&b, 0, true);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.rows, 1);
    assert_int_equal(b.done, 0);
    bed_close(&b);
}

static void
a_handle_that_had_ended_counts_as_cancelled(void **state)
{
    static const struct fake_step steps[] = { { STOPS, 422,
        "{\"code\":\"000709\",\"message\":\"Statement not found\"}" } };
    struct bed b;
    bed_open(&b, steps, 1);
    sf_cancel_handle(b.client, H, on_cancelled, &b);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    b.cancelled = -1;
    sf_cancel_handle(b.client, "../x", on_cancelled, &b);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 0);
    assert_int_equal(sf_client_counters(b.client)->cancels_unconfirmed, 1);
    bed_close(&b);
}

#define FOUND(rows)                                                                                \
    "{\"resultSetMetaData\":{\"rowType\":[{\"name\":\"QUERY_ID\",\"type\":\"text\"}]},"            \
    "\"data\":[" rows "]}"

static void
a_request_id_is_found_by_its_tag(void **state)
{
    static const struct fake_step steps[] = { { "POST /api/v2/statements?", 200, FOUND("") },
        { "POST /api/v2/statements?", 200, FOUND("[\"" H "\"]") }, { STOPS, 200, CANCELLED } };
    struct bed b;
    bed_open(&b, steps, 3);
    sf_cancel_request(b.client, R, on_cancelled, &b);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.server.n_requests, 3);
    assert_non_null(strstr(b.server.requests[0].body, "where query_tag like '%" R "%'"));
    assert_non_null(strstr(b.server.requests[0].body,
        "table(\\\"DB\\\".information_schema.query_history_by_user(result_limit => 1000))"));
    assert_null(strstr(b.server.requests[0].body, "\"QUERY_TAG\":\"mcp:" R));
    assert_null(strstr(b.server.requests[0].line, "async"));
    bed_close(&b);
}

static void
a_dropped_submit_without_an_answer_is_looked_up(void **state)
{
    static const struct fake_step steps[] = { { SUB, 0, NULL, FAKE_HOLD },
        { "POST /api/v2/statements?", 200, FOUND("[\"" H "\"]") }, { STOPS, 200, CANCELLED } };
    struct bed b;
    bed_open(&b, steps, 3);
    b.config.sf_request_ms = 100; /* it never answers */
    start(&b, 0, true);
    wait_requests(&b, 1);
    sf_statement_drop(b.statement, on_cancelled, &b);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.server.n_requests, 3);
    bed_close(&b);
}

static void
a_dropped_submit_that_hangs_is_looked_up_meanwhile(void **state)
{
    static const struct fake_step steps[] = { { SUB, 202, RUNNING, FAKE_HOLD },
        { "POST /api/v2/statements?", 422, "{\"code\":\"000606\",\"message\":\"no warehouse\"}" },
        { "POST /api/v2/statements?", 200, FOUND("[\"" H "\"]") }, { STOPS, 200, CANCELLED } };
    struct bed b;
    bed_open(&b, steps, 4);
    start(&b, 0, true);
    wait_requests(&b, 1);
    uint64_t began = clock_ms();
    sf_statement_drop(b.statement, on_cancelled, &b);
    run_until(&b, &b.cancelled, -1);
    assert_int_equal(b.cancelled, 1);
    assert_int_equal(b.server.n_requests, 4);
    assert_true(clock_ms() - began < 1500);
    bed_close(&b);
}

static void
a_client_can_go_in_the_middle_of_everything(void **state)
{
    static const struct fake_step steps[] = { { SUB, 202, RUNNING, FAKE_HOLD },
        { STOPS, 200, CANCELLED, FAKE_HOLD }, { "POST /api/v2/statements?", 200, "", FAKE_HOLD } };
    struct bed b;
    bed_open(&b, steps, 3);
    start(&b, 0, false);
    wait_requests(&b, 1);
    sf_cancel_handle(b.client, H, on_cancelled, &b);
    wait_requests(&b, 2);
    sf_cancel_request(b.client, "abc", on_cancelled, &b);
    wait_requests(&b, 3);
    bed_close(&b);
    assert_int_equal(b.done, 0);
    assert_int_equal(b.cancelled, -1);
}

/* ---- the request --------------------------------------------------------------------------------
 */

static void
the_body_says_what_is_wanted(void **state)
{
    struct config c = { .sf_database = "DB",
        .sf_warehouse = "WH",
        .sf_role = "R\"X",
        .sf_timezone = "UTC",
        .query_timeout_s = 300 };
    struct sf_bind binds[] = { { "TEXT", STR("em\"ea") }, { "FIXED", STR("42") },
        { "FIXED", STR_NONE } };
    char tag[3000];
    memset(tag, 't', sizeof tag);
    struct sf_request r = { .sql = STR("select ?\n\xff"),
        .binds = binds,
        .n_binds = 3,
        .schema = "s1",
        .row_limit = 100,
        .request_id = R,
        .query_tag = { tag, sizeof tag } };
    struct buf b;
    buf_init(&b, 1 << 16);
    request_body(&c, &r, &b);
    struct json_fault fault;
    assert_int_equal(json_check(buf_str(&b), 8, 8, &fault), 0);
    struct str o = buf_str(&b);
    assert_true(str_is(json_member(o, "statement"), "\"select ?\\n\xef\xbf\xbd\""));
    assert_true(str_is(json_member(o, "timeout"), "300"));
    assert_true(str_is(json_member(o, "database"), "\"DB\""));
    assert_true(str_is(json_member(o, "schema"), "\"s1\""));
    assert_true(str_is(json_member(o, "warehouse"), "\"WH\""));
    assert_true(str_is(json_member(o, "role"), "\"R\\\"X\""));
    struct str bind = json_member(o, "bindings");
    assert_true(str_is(json_member(bind, "1"), "{\"type\":\"TEXT\",\"value\":\"em\\\"ea\"}"));
    assert_true(str_is(json_member(bind, "2"), "{\"type\":\"FIXED\",\"value\":\"42\"}"));
    assert_true(str_is(json_member(bind, "3"), "{\"type\":\"TEXT\",\"value\":null}"));
    struct str parameters = json_member(o, "parameters");
    assert_true(str_is(json_member(parameters, "MULTI_STATEMENT_COUNT"), "\"1\""));
    assert_true(str_is(json_member(parameters, "ROWS_PER_RESULTSET"), "\"101\""));
    assert_true(str_is(json_member(parameters, "TIMEZONE"), "\"UTC\""));
    assert_int_equal(json_member(parameters, "QUERY_TAG").n, 2002);

    c = (struct config){ .query_timeout_s = 300 };
    r = (struct sf_request){ .sql = STR("select 1"), .timeout_s = 5, .request_id = R };
    buf_clear(&b);
    request_body(&c, &r, &b);
    assert_string_equal(buf_text(&b), "{\"statement\":\"select 1\",\"timeout\":5,\"parameters\":"
                                      "{\"MULTI_STATEMENT_COUNT\":\"1\"}}");
    buf_fini(&b);
}

static void
hints_name_the_next_step(void **state)
{
    assert_non_null(strstr(sf_hint(STR("000904"), STR_NONE), "describe_table"));
    assert_non_null(strstr(sf_hint(STR("002003"), STR_NONE), "list_tables"));
    assert_non_null(strstr(sf_hint(STR("390144"), STR_NONE), "fingerprint"));
    assert_non_null(strstr(sf_hint(STR("394305"), STR_NONE), "key pair"));
    assert_non_null(strstr(sf_hint(STR("100038"), STR_NONE), "TRY_CAST"));
    assert_non_null(sf_hint(STR_NONE, STR("You must specify the database to use")));
    assert_null(sf_hint(STR("999999"), STR("x")));
    assert_null(sf_hint(STR_NONE, STR_NONE));
}

static int
once(void **state)
{
    return http_client_global_init(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_says_what_is_wanted),
        cmocka_unit_test(hints_name_the_next_step),
        cmocka_unit_test(a_200_is_the_result),
        cmocka_unit_test(a_202_is_polled),
        cmocka_unit_test(a_synchronous_submit_may_be_told_to_poll),
        cmocka_unit_test(a_422_is_the_statements_own_fault),
        cmocka_unit_test(a_422_while_polling_ends_it),
        cmocka_unit_test(a_408_is_the_statements_timeout),
        cmocka_unit_test(a_401_is_tried_again_with_a_new_signature_once),
        cmocka_unit_test(a_401_for_a_token_that_cannot_change_is_final),
        cmocka_unit_test(a_429_with_a_handle_means_running),
        cmocka_unit_test(a_429_without_a_handle_backs_off),
        cmocka_unit_test(retry_after_is_obeyed_or_told),
        cmocka_unit_test(after_a_500_the_same_request_goes_out_with_retry),
        cmocka_unit_test(html_is_never_parsed),
        cmocka_unit_test(what_will_not_change_is_not_repeated),
        cmocka_unit_test(a_lost_connection_is_resubmitted_with_retry),
        cmocka_unit_test(a_submit_on_a_kept_connection_is_never_repeated_silently),
        cmocka_unit_test(nobody_listening_is_reported_with_the_host),
        cmocka_unit_test(a_391908_shows_no_rows),
        cmocka_unit_test(a_body_that_lost_its_end_is_fetched_again_without_repeating_rows),
        cmocka_unit_test(json_that_lost_its_end_is_an_error),
        cmocka_unit_test(partitions_come_in_order),
        cmocka_unit_test(a_partition_is_asked_for_again),
        cmocka_unit_test(a_partition_that_cannot_be_had_fails_the_call),
        cmocka_unit_test(missing_rows_are_noticed),
        cmocka_unit_test(a_slow_reader_holds_everything_back),
        cmocka_unit_test(what_waited_is_delivered_in_slices),
        cmocka_unit_test(the_row_limit_is_exact),
        cmocka_unit_test(partitions_past_the_limit_are_never_fetched),
        cmocka_unit_test(enough_ends_it_at_once),
        cmocka_unit_test(a_cell_too_long_is_a_result_too_large),
        cmocka_unit_test(dropping_a_running_statement_cancels_it),
        cmocka_unit_test(a_dropped_submit_is_cancelled_when_its_handle_is_known),
        cmocka_unit_test(a_dropped_submit_that_had_ended_needs_no_cancel),
        cmocka_unit_test(dropping_inside_a_row_is_fine),
        cmocka_unit_test(a_handle_that_had_ended_counts_as_cancelled),
        cmocka_unit_test(a_request_id_is_found_by_its_tag),
        cmocka_unit_test(a_dropped_submit_without_an_answer_is_looked_up),
        cmocka_unit_test(a_dropped_submit_that_hangs_is_looked_up_meanwhile),
        cmocka_unit_test(a_client_can_go_in_the_middle_of_everything),
        cmocka_unit_test(running_for_ever_ends_after_the_timeout),
    };
    return cmocka_run_group_tests(tests, once, NULL);
}
