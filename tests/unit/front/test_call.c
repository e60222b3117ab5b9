/* A call from its bytes to its reply: real HTTP, protocol, leases and log lines; Snowflake is
 * played by the test, which decides when a statement answers. */
#include "front/call.h"
#include "front_test.h"
#include "log.h"
#include "state/events.h"
#include "state/health.h"

#include <poll.h>
#include <sys/mman.h>

/* ---- Snowflake, as far as the front end sees it ---------------------------------------------- */

struct sf_statement {
    struct sf_statement *next;
    struct sf_handlers h;
    void *arg;
    char sql[400], tag[2100], uuid[40], lease_uuid[40];
    bool resumed, dropped, metadata;
    void (*on_cancelled)(void *arg, bool confirmed);
    void *cancelled_arg;
};

static struct sf_statement *statements; /* the newest first; dropped ones too */
static unsigned n_statements, n_cancels;
static char cancelled_name[64];
static void (*orphan_cb)(void *, bool);
static void *orphan_arg;
static struct segment *segment;
static const struct sf_counters counters;

struct sf_client *
sf_client_new(struct loop *l, const struct config *c, struct sf_identity *i, struct err *e)
{
    return (struct sf_client *)(uintptr_t)&counters;
}

void
sf_client_free(struct sf_client *c)
{
}

unsigned
sf_client_idle_connections(const struct sf_client *c)
{
    return 3;
}

const struct sf_counters *
sf_client_counters(const struct sf_client *c)
{
    return &counters;
}

struct sf_statement *
sf_statement_start(
    struct sf_client *c, const struct sf_request *r, const struct sf_handlers *h, void *arg)
{
    struct sf_statement *s = calloc(1, sizeof *s);
    uint32_t i;

    assert_non_null(s);
    s->h = *h;
    s->arg = arg;
    s->metadata = r->metadata;
    str_copy(s->sql, sizeof s->sql, r->sql);
    assert_true(str_copy(s->tag, sizeof s->tag, r->query_tag));
    str_copy(s->uuid, sizeof s->uuid, str_of(r->request_id));
    for (i = 0; i < 64; i++) /* what the leases say at the moment of sending */
        if (strcmp(segment->leases[i].request_id, s->uuid) == 0)
            str_copy(s->lease_uuid, sizeof s->lease_uuid, str_of(segment->leases[i].request_id));
    s->next = statements;
    statements = s;
    n_statements++;
    return s;
}

void
sf_statement_resume(struct sf_statement *s)
{
    s->resumed = true;
}

void
sf_statement_drop(
    struct sf_statement *s, void (*on_cancelled)(void *arg, bool confirmed), void *arg)
{
    assert_false(s->dropped);
    s->dropped = true;
    s->on_cancelled = on_cancelled;
    s->cancelled_arg = arg;
}

void
sf_cancel_handle(struct sf_client *c, const char *handle,
    void (*on_cancelled)(void *arg, bool confirmed), void *arg)
{
    n_cancels++;
    snprintf(cancelled_name, sizeof cancelled_name, "handle %s", handle);
    orphan_cb = on_cancelled;
    orphan_arg = arg;
}

void
sf_cancel_request(struct sf_client *c, const char *request_id,
    void (*on_cancelled)(void *arg, bool confirmed), void *arg)
{
    n_cancels++;
    snprintf(cancelled_name, sizeof cancelled_name, "request %s", request_id);
    orphan_cb = on_cancelled;
    orphan_arg = arg;
}

static const struct sf_column columns[] = {
    { .name = { "ID", 2 }, .type = SF_FIXED, .type_text = { "NUMBER(38,0)", 12 }, .precision = 38 },
    { .name = { "NAME", 4 }, .type = SF_TEXT, .type_text = { "VARCHAR", 7 }, .nullable = true },
};

static enum sf_flow
give_row(struct sf_statement *s, const char *id, const char *name)
{
    struct sf_cell cells[] = { { .json = str_of(id) }, { .json = str_of(name) } };

    return s->h.on_row(s->arg, cells, 2);
}

static void
end_statement(struct sf_statement *s, enum rc rc, const char *message)
{
    struct sf_outcome o = { .rc = rc,
        .message = str_of(message),
        .handle = STR("01-handle"),
        .elapsed_ns = 12000000,
        .retry_after_s = -1 };

    s->dropped = true;
    s->h.on_done(s->arg, &o);
}

static void
answer(struct sf_statement *s, unsigned rows)
{
    unsigned i;

    s->h.on_handle(s->arg, "01-handle");
    s->h.on_columns(s->arg, columns, 2);
    for (i = 0; i < rows; i++)
        if (give_row(s, "7", "seven") == SF_ENOUGH)
            break;
    end_statement(s, RC_OK, NULL);
}

/* ---- the server ------------------------------------------------------------------------------ */

static struct config config;
static struct mcp_server *mcp;
static struct front *front;
static int listener, log_fd;
static bool drained_called;

static void
default_config(struct config *c)
{
    memset(c, 0, sizeof *c);
#define SECTION(name, help)
#define OPT_TEXT(f, path, env, dflt, when, help) c->f = dflt;
#define OPT_PATH(f, path, env, dflt, when, help) c->f = dflt;
#define OPT_SECRET(f, path, env, when, help)
#define OPT_FLAG(f, path, env, dflt, when, help)            c->f = dflt;
#define OPT_CHOICE(f, path, env, choices, dflt, when, help) c->f = dflt;
#define OPT_LIST(f, path, env, dflt, when, help)
#define OPT_NUM(f, path, env, unit, dflt, min, max, when, help) c->f = dflt;
#include "state/config.def"
#undef SECTION
#undef OPT_TEXT
#undef OPT_PATH
#undef OPT_SECRET
#undef OPT_FLAG
#undef OPT_CHOICE
#undef OPT_LIST
#undef OPT_NUM
}

static void
start(bool credential)
{
    struct front_options o = { .loop = loop,
        .config = &config,
        .segment = segment,
        .mcp = mcp,
        .identity = credential ? (struct sf_identity *)(uintptr_t)&config : NULL,
        .listeners = &listener,
        .n_listeners = 1 };
    struct err e = { "" };

    front = front_new(&o, &e);
    assert_string_equal(e.text, "");
    assert_non_null(front);
}

static void
restart(bool credential)
{
    front_free(front);
    start(credential);
}

static int
setup(void **state)
{
    struct log_options lo = { .level = LOG_LEVEL_INFO };
    const char *const *names;
    struct err e = { "" };
    unsigned n;

    statements = NULL;
    n_statements = n_cancels = 0;
    orphan_cb = NULL;
    drained_called = false;
    default_config(&config);
    config.pool_max = 2;
    log_fd = lo.fd = memfd_create("log", MFD_CLOEXEC);
    assert_int_equal(log_open(&lo, &e), 0);
    names = tool_names(&n);
    metrics_name_dim(METRIC_DIM_TOOL, names, n);
    assert_non_null(segment = segment_create(4, &e));
    atomic_store(&segment->control->pool_max, 2);
    atomic_store(&segment->control->pool_queue, 16);
    atomic_store(&segment->control->workers_configured, 1);
    atomic_store(&segment->slots[1].identity, OWNER(1, 1));
    atomic_store(&segment->slots[1].kind, SLOT_WORKER);
    atomic_store(&segment->slots[1].state, SLOT_SERVING);
    atomic_store(&segment->slots[1].heartbeat_ns, clock_ns());
    segment_enter(segment, 1, OWNER(1, 1));
    health_success(segment, clock_ns()); /* no probe on its own */
    assert_non_null(mcp = mcp_server_new(&config, &e));
    loop = loop_new();
    listener = listen_anywhere();
    start(true);
    return 0;
}

static int
teardown(void **state)
{
    struct sf_statement *s;

    front_free(front);
    loop_run_once(loop, 0);
    loop_free(loop);
    close(listener);
    close(log_fd);
    mcp_server_free(mcp);
    segment_free(segment);
    while ((s = statements)) {
        statements = s->next;
        free(s);
    }
    return 0;
}

/* Seconds later. */
static void
later(unsigned ms)
{
    clock_skip_ms(ms);
    front_tick(front);
}

static const char *
log_text(void)
{
    static char text[65536];
    ssize_t n = pread(log_fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static bool
logged(const char *what)
{
    return strstr(log_text(), what) != NULL;
}

static unsigned
times_logged(const char *what)
{
    const char *p;
    unsigned n = 0;

    for (p = log_text(); (p = strstr(p, what)); p++)
        n++;
    return n;
}

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

static void
post_with(struct client *c, const char *headers, const char *body)
{
    char text[4096];
    int n = snprintf(text, sizeof text,
        "POST /mcp HTTP/1.1\r\n" H
        "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
        headers, strlen(body), body);

    assert_true(n > 0 && (size_t)n < sizeof text);
    send_text(c, text);
}

static void
call_tool(struct client *c, const char *tool, const char *arguments)
{
    char headers[400], body[2048];

    snprintf(headers, sizeof headers,
        "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
        "Mcp-Method: tools/call\r\nMcp-Name: %s\r\n",
        tool);
    snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
        "\"arguments\":%s," META "}}",
        tool, arguments);
    post_with(c, headers, body);
}

static void
call_sql(struct client *c)
{
    call_tool(c, "execute_query", "{\"sql\":\"select id, name from t\"}");
}

/* ---- answers without Snowflake ----------------------------------------------------------------
 */

static void
discover_is_answered_and_counted(void **state)
{
    struct client c;

    open_client(&c);
    post_with(&c, "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: server/discover\r\n",
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"server/discover\",\"params\":{" META "}}");
    UNTIL(has(&c, "supportedVersions"));
    assert_true(has(&c, "HTTP/1.1 200 OK\r\n"));
    assert_true(has(&c, "Content-Type: application/json\r\n"));
    assert_true(has(&c, "\"id\":\"x\""));
    assert_int_equal(metrics_total(segment, METRIC_REQUESTS), 1);
    assert_int_equal(front_in_flight(front), 0);
    assert_false(logged("tool_call"));
    close_client(&c);
}

static void
an_old_client_gets_its_session_and_202(void **state)
{
    struct client c;
    char *id, headers[600];

    open_client(&c);
    post_with(&c, "",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}");
    UNTIL(has(&c, "\"protocolVersion\":\"2025-06-18\""));
    id = strstr(buf_text(&c.got), "Mcp-Session-Id: ");
    assert_non_null(id);
    snprintf(headers, sizeof headers, "%.*s\r\n", (int)strcspn(id, "\r"), id);
    post_with(&c, headers, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    UNTIL(has(&c, "HTTP/1.1 202 Accepted\r\n"));
    UNTIL(has(&c, "Content-Length: 0\r\n"));
    close_client(&c);
}

static void
a_client_that_takes_only_a_stream_gets_one(void **state)
{
    struct client c;

    open_client(&c);
    post_with(&c,
        "Accept: text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: "
        "server/discover\r\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}");
    UNTIL(has(&c, "\r\n\r\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,"));
    assert_true(has(&c, "Content-Type: text/event-stream\r\n"));
    assert_true(has(&c, "X-Accel-Buffering: no\r\n"));
    assert_true(has(&c, "}\n\n"));
    close_client(&c);
}

static void
requests_that_are_no_calls_are_refused_in_order(void **state)
{
    static const struct {
        const char *text, *status, *more;
    } rows[] = {
        { "GET /nothing HTTP/1.1\r\n" H "\r\n", "404", "-32600" },
        { "GET /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\n" H "\r\n", "404", "{" },
        { "GET /mcp HTTP/1.1\r\n" H "\r\n", "405", "Allow: POST, OPTIONS\r\n" },
        { "DELETE /mcp HTTP/1.1\r\n" H "\r\n", "405", "Allow: POST, OPTIONS\r\n" },
        { "PUT /mcp HTTP/1.1\r\n" H "\r\n", "405", "Allow: POST, OPTIONS\r\n" },
        { "PUT /health HTTP/1.1\r\n" H "\r\n", "405", "Allow: GET, HEAD, POST\r\n" },
        { "GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403", "Host not allowed" },
        { "POST /mcp HTTP/1.1\r\nHost: localhost.evil.example:8000\r\n\r\n", "403", "Host" },
        { "GET http://evil.example/mcp HTTP/1.1\r\n" H "\r\n", "403", "Host not allowed" },
        { "POST /mcp HTTP/1.1\r\n" H "Origin: http://evil.example\r\n\r\n", "403", "Origin" },
        { "POST /mcp HTTP/1.1\r\n" H "Origin: null\r\n\r\n", "403", "Origin" },
        { "GET /health HTTP/1.1\r\n" H "Origin: http://evil.example\r\n\r\n", "403", "Origin" },
        { "POST /mcp HTTP/1.1\r\n" H "Content-Type: text/plain\r\nAccept: a/b\r\n\r\n", "415",
            "-32600" },
        { "POST /mcp HTTP/1.1\r\n" H "\r\n", "415", "Content-Type" },
        { "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Type: "
          "application/json\r\n\r\n",
            "415", "Content-Type" },
        { "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json\r\nAccept: text/html\r\n\r\n",
            "406", "Accept" },
        { "POST /mcp HTTP/1.1\r\n" H "Content-Type: application/json\r\n\r\n", "400", "-32700" },
    };
    char status[40];
    struct client c;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_client(&c);
        send_text(&c, rows[i].text);
        snprintf(status, sizeof status, "HTTP/1.1 %s ", rows[i].status);
        UNTIL(has(&c, "\r\n\r\n"));
        if (!has(&c, status) || !has(&c, rows[i].more))
            fail_msg("%s got %s", rows[i].text, buf_text(&c.got));
        assert_true(has(&c, "Content-Type: application/json\r\n"));
        if (!strstr(rows[i].text, "http://evil.example/mcp")) /* to evhttp, a proxy's request */
            assert_false(at_end(&c));
        close_client(&c);
    }
    assert_true(logged("warning: security Origin header not allowed"));
}

static void
browsers_of_this_machine_may_ask(void **state)
{
    struct client c;

    open_client(&c);
    send_text(&c, "OPTIONS /mcp HTTP/1.1\r\n" H "Origin: http://localhost:6274\r\n"
                  "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
                  "content-type, Mcp-Param-region, x-evil\r\n\r\n");
    UNTIL(has(&c, "\r\n\r\n"));
    assert_true(has(&c, "HTTP/1.1 204 No Content\r\n"));
    assert_true(has(&c, "Access-Control-Allow-Origin: http://localhost:6274\r\n"));
    assert_true(has(&c, "Access-Control-Allow-Methods: POST, GET, DELETE\r\n"));
    assert_true(has(&c, "mcp-session-id, last-event-id, Mcp-Param-region\r\n"));
    assert_false(has(&c, "x-evil"));
    buf_clear(&c.got);
    post_with(&c,
        "Origin: http://localhost:6274\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: "
        "server/discover\r\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}");
    UNTIL(has(&c, "supportedVersions"));
    assert_true(has(&c, "Access-Control-Allow-Origin: http://localhost:6274\r\n"));
    assert_true(has(&c, "Access-Control-Expose-Headers: Mcp-Session-Id"));
    assert_true(has(&c, "Vary: Origin\r\n"));
    close_client(&c);
}

static void
health_answers_any_host(void **state)
{
    static const char *const requests[] = { "GET /health", "POST /health", "HEAD /health",
        "GET /livez", "GET /readyz?x=1" };
    char text[200];
    struct client c;
    size_t i;

    for (i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        open_client(&c);
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: 10.1.2.3:8000\r\n\r\n", requests[i]);
        send_text(&c, text);
        UNTIL(has(&c, "\r\n\r\n"));
        assert_true(has(&c, "HTTP/1.1 200 OK\r\n"));
        assert_true(has(&c, "Content-Type: application/json\r\n"));
        if (strncmp(requests[i], "HEAD", 4) != 0)
            UNTIL(has(&c, i == 4 ? "{\"ready\":true}" : "\"status\":"));
        close_client(&c);
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

static void
a_statement_gives_a_result_and_its_lease_back(void **state)
{
    struct client c;
    struct sf_statement *s;

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    s = statements;
    assert_string_equal(s->lease_uuid, s->uuid); /* in the lease before it was sent */
    assert_non_null(strstr(s->tag, s->uuid));
    assert_non_null(strstr(s->tag, "\"tool\":\"execute_query\",\"client\":\"127.0.0.1\""));
    assert_int_equal(lease_count(segment), 1);
    assert_int_equal(front_in_flight(front), 1);
    answer(s, 2);
    UNTIL(has(&c, "\"rows\":[[7,\"seven\"],[7,\"seven\"]]"));
    assert_true(has(&c, "Content-Length: "));
    assert_int_equal(lease_count(segment), 0);
    assert_int_equal(front_in_flight(front), 0);
    assert_int_equal(times_logged("tool_call"), 1);
    assert_true(logged("client=127.0.0.1 status=200"));
    assert_true(logged("rows=2 tool execute_query\n"));
    assert_true(logged("12.0 query_duration_ms query_id=01-handle client=127.0.0.1 "
                       "tool=execute_query rows=2 state=success\n"));
    assert_int_equal(metrics_total(segment, METRIC_ROWS), 2);
    assert_int_equal(metrics_total(segment, METRIC_STATEMENTS), 1);
    assert_int_equal(metrics_total(segment, METRIC_TOOL_ERRORS), 0);
    close_client(&c);
}

static void
two_statements_run_one_after_the_other(void **state)
{
    struct client c;
    struct sf_statement *first;
    struct sf_cell text = { .json = STR("create view v as select 1") };

    open_client(&c);
    call_tool(&c, "describe_view", "{\"database\":\"D\",\"schema\":\"S\",\"view\":\"V\"}");
    UNTIL(n_statements == 1);
    first = statements;
    answer(first, 1);
    assert_int_equal(n_statements, 2);
    assert_string_not_equal(statements->uuid, first->uuid);
    assert_string_equal(statements->lease_uuid, statements->uuid);
    assert_int_equal(lease_count(segment), 1);
    statements->h.on_columns(statements->arg, &columns[1], 1);
    statements->h.on_row(statements->arg, &text, 1);
    end_statement(statements, RC_OK, NULL);
    UNTIL(has(&c, "create view v as select 1"));
    assert_int_equal(times_logged("query_duration_ms"), 2);
    assert_int_equal(times_logged("tool_call"), 1);
    assert_int_equal(lease_count(segment), 0);
    close_client(&c);
}

static void
failures_are_results_with_their_class(void **state)
{
    static const struct {
        enum rc rc;
        const char *class, *status, *state;
        enum health_level health;
    } rows[] = {
        { RC_SQL_FAILED, "sql_error", " status=200 ", "state=rejected", HEALTH_HEALTHY },
        { RC_STATEMENT_TIMEOUT, "timeout", " status=504 ", "state=expired", HEALTH_HEALTHY },
        { RC_UPSTREAM_FAILED, "upstream_failed", " status=502 ", "unavailable", HEALTH_HEALTHY },
        { RC_UPSTREAM_AUTH, "upstream_auth", " status=502 ", "unavailable", HEALTH_UNHEALTHY },
    };
    struct client c;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ftruncate(log_fd, 0), 0);
        lseek(log_fd, 0, SEEK_SET);
        health_success(segment, clock_ns());
        open_client(&c);
        call_sql(&c);
        UNTIL(n_statements == i + 1);
        end_statement(statements, rows[i].rc, "what Snowflake said");
        UNTIL(has(&c, "\"isError\":true"));
        assert_true(has(&c, "HTTP/1.1 200 OK\r\n"));
        assert_true(has(&c, "what Snowflake said"));
        assert_true(has(&c, rows[i].class));
        assert_true(logged(rows[i].status));
        assert_true(logged(rows[i].state));
        assert_int_equal(metrics_total(segment, METRIC_TOOL_ERRORS), i + 1);
        assert_int_equal(health_of_snowflake(segment, 60000000000, clock_ns()), rows[i].health);
        assert_int_equal(lease_count(segment), 0);
        close_client(&c);
    }
}

static void
a_refused_statement_never_reaches_snowflake(void **state)
{
    struct client c;

    open_client(&c);
    call_tool(&c, "execute_query", "{\"sql\":\"drop table t\"}");
    UNTIL(has(&c, "\"isError\":true"));
    call_tool(&c, "no_such_tool", "{}");
    UNTIL(has(&c, "-32602"));
    assert_int_equal(n_statements, 0);
    assert_int_equal(times_logged("tool_call"), 2);
    assert_true(logged(" tool unknown\n"));
    assert_true(logged("class=sql_denied"));
    assert_int_equal(metrics_total(segment, METRIC_GUARD_DENIED), 1);
    assert_int_equal(metrics_total(segment, METRIC_TOOL_ERRORS), 1);
    close_client(&c);
}

static void
without_a_credential_calls_say_so(void **state)
{
    struct client c;

    restart(false);
    open_client(&c);
    call_sql(&c);
    UNTIL(has(&c, "no Snowflake credential is configured"));
    assert_true(has(&c, "\"isError\":true"));
    assert_int_equal(health_of_snowflake(segment, 60000000000, clock_ns()), HEALTH_UNHEALTHY);
    close_client(&c);
}

/* ---- long results ---------------------------------------------------------------------------- */

static void
long_results_are_streamed_no_faster_than_they_are_taken(void **state)
{
    struct client c;
    struct sf_statement *s;
    char name[2000];
    unsigned given = 0;
    enum sf_flow flow = SF_GO;

    config.http_output_cap = 200000;
    config.query_max_bytes = 64 << 20;
    config.query_limit_max = config.query_limit_default = 100000;
    restart(true);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    open_client(&c);
    call_tool(&c, "execute_query", "{\"sql\":\"select 1\",\"limit\":100000}");
    UNTIL(n_statements == 1);
    s = statements;
    s->h.on_handle(s->arg, "h");
    s->h.on_columns(s->arg, columns, 2);
    /* The client takes nothing: the socket fills, then the backlog, then rows are refused. */
    while (flow == SF_GO && given < 30000) {
        flow = give_row(s, "1", name);
        given++;
        if (given % 50 == 0)
            turn();
    }
    assert_int_equal(flow, SF_PAUSE);
    settle();
    if (!s->resumed) { /* the kernel may have grown its buffer once more */
        later(60000);  /* no stall: it is the client who is slow */
        assert_int_equal(front_in_flight(front), 1);
    }
    UNTIL((take(&c), s->resumed));
    assert_int_equal(give_row(s, "2", "last"), SF_GO);
    end_statement(s, RC_OK, NULL);
    UNTIL(has(&c, "0\r\n\r\n"));
    assert_true(has(&c, "Transfer-Encoding: chunked\r\n"));
    assert_true(has(&c, "[2,\"last\"]"));
    assert_int_equal(front_in_flight(front), 0);
    close_client(&c);
}

static void
a_failure_in_the_middle_ends_the_same_json(void **state)
{
    struct client c;
    struct sf_statement *s;
    char name[4001];
    int i;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    s = statements;
    s->h.on_columns(s->arg, columns, 2);
    for (i = 0; i < 40; i++)
        give_row(s, "1", name);
    UNTIL(has(&c, "nnnn"));
    end_statement(s, RC_UPSTREAM_FAILED, "partition lost");
    UNTIL(has(&c, "0\r\n\r\n"));
    assert_true(has(&c, "\"isError\":true"));
    assert_true(has(&c, "partition lost"));
    close_client(&c);
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void
a_client_that_leaves_cancels_its_statement(void **state)
{
    struct client c;
    struct sf_statement *s;

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    s = statements;
    s->h.on_handle(s->arg, "01-handle");
    close_client(&c);
    UNTIL(s->dropped);
    assert_int_equal(front_in_flight(front), 0);
    assert_int_equal(lease_count(segment), 1); /* kept: it may still run */
    assert_true(logged(" status=499 "));
    assert_int_equal(times_logged("tool_call"), 1);
    assert_true(logged("query_id=01-handle"));
    assert_true(logged("state=cancelled"));
    s->on_cancelled(s->cancelled_arg, true);
    assert_int_equal(lease_count(segment), 0);
}

static void
an_unconfirmed_cancel_holds_its_lease_for_a_grace_only(void **state)
{
    struct client c;
    struct sf_statement *s;

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    s = statements;
    close_client(&c);
    UNTIL(s->dropped);
    later(CANCEL_GRACE_MS - 500);
    assert_int_equal(lease_count(segment), 1);
    later(600);
    assert_int_equal(lease_count(segment), 0);
    s->on_cancelled(s->cancelled_arg, false);
    assert_int_equal(lease_count(segment), 0);
}

static void
a_statement_that_may_still_run_is_cancelled_under_its_lease(void **state)
{
    struct client c;
    struct sf_outcome o = { .rc = RC_UPSTREAM_FAILED, .may_be_running = true, .retry_after_s = -1 };

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    statements->dropped = true;
    statements->h.on_done(statements->arg, &o);
    UNTIL(has(&c, "\"isError\":true"));
    assert_int_equal(n_cancels, 1);
    assert_memory_equal(cancelled_name, "request ", 8);
    assert_string_equal(cancelled_name + 8, statements->uuid);
    assert_int_equal(lease_count(segment), 1);
    orphan_cb(orphan_arg, true);
    assert_int_equal(lease_count(segment), 0);
    close_client(&c);
}

static void
silence_beyond_every_limit_ends_the_call(void **state)
{
    struct client c;
    struct sf_statement *s;

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    s = statements;
    later(300000); /* a probe starts, too */
    assert_int_equal(front_in_flight(front), 1);
    later(STALL_MARGIN_MS + 1000);
    assert_true(s->dropped);
    UNTIL(has(&c, "did not answer in time"));
    assert_true(logged(" status=504 "));
    assert_int_equal(lease_count(segment), 1);
    close_client(&c);
}

/* ---- the line -------------------------------------------------------------------------------- */

static void
calls_wait_their_turn(void **state)
{
    struct client c[3];
    struct sf_statement *first;
    int i;

    for (i = 0; i < 3; i++) {
        open_client(&c[i]);
        call_sql(&c[i]);
        UNTIL(front_in_flight(front) == (unsigned)i + 1);
    }
    first = statements->next;
    assert_int_equal(n_statements, 2);
    assert_int_equal(lease_waiting(segment), 1);
    answer(first, 1);
    front_tick(front);
    assert_int_equal(n_statements, 3);
    assert_int_equal(lease_count(segment), 2);
    answer(statements, 1);
    UNTIL(has(&c[2], "seven"));
    for (i = 0; i < 3; i++)
        close_client(&c[i]);
    UNTIL(front_in_flight(front) == 0);
}

static void
waiting_too_long_is_pool_exhausted(void **state)
{
    struct client c[3];
    int i;

    for (i = 0; i < 3; i++) {
        open_client(&c[i]);
        call_sql(&c[i]);
        UNTIL(front_in_flight(front) == (unsigned)i + 1);
    }
    later((unsigned)config.pool_wait_ms + 100);
    UNTIL(has(&c[2], "Connection pool exhausted"));
    assert_true(has(&c[2], "\"isError\":true"));
    assert_true(has(&c[2], "retry_after"));
    assert_true(logged("error: connection timeout after 30"));
    assert_true(logged("(Connection pool exhausted) client=127.0.0.1"));
    assert_true(logged(" status=503 "));
    assert_int_equal(metrics_total(segment, METRIC_POOL_TIMEOUTS), 1);
    assert_int_equal(lease_waiting(segment), 0);
    for (i = 0; i < 3; i++)
        close_client(&c[i]);
}

static void
a_full_line_refuses_at_once(void **state)
{
    struct client c[3];
    int i;

    atomic_store(&segment->control->pool_queue, 0);
    for (i = 0; i < 3; i++) {
        open_client(&c[i]);
        call_sql(&c[i]);
        if (i < 2)
            UNTIL(front_in_flight(front) == (unsigned)i + 1);
    }
    UNTIL(has(&c[2], "Connection pool exhausted"));
    for (i = 0; i < 3; i++)
        close_client(&c[i]);
}

static void
a_waiting_client_that_leaves_frees_its_place(void **state)
{
    struct client c[3];
    int i;

    for (i = 0; i < 3; i++) {
        open_client(&c[i]);
        call_sql(&c[i]);
        UNTIL(front_in_flight(front) == (unsigned)i + 1);
    }
    close_client(&c[2]);
    UNTIL(lease_waiting(segment) == 0);
    assert_int_equal(front_in_flight(front), 2);
    assert_int_equal(n_statements, 2);
    assert_true(logged(" status=499 "));
    close_client(&c[0]);
    close_client(&c[1]);
}

static void
statements_of_a_dead_process_are_cancelled(void **state)
{
    struct lease_ticket t = { 0 };
    uint64_t live[4] = { 0, OWNER(1, 1), 0, 0 };
    int i;

    for (i = 0; i < 2; i++) {
        atomic_store(&segment->slots[2].identity, OWNER(2, 9));
        segment_enter(segment, 2, OWNER(2, 9));
        assert_int_equal(lease_request(segment, &t, 1, clock_ns()), LEASE_GRANTED);
        lease_note_request(segment, t.lease, "11111111-2222-4333-8444-555555555555");
        if (i == 1)
            lease_note_handle(segment, t.lease, "01-orphan");
        atomic_store(&segment->slots[2].identity, 0);
        segment_enter(segment, 1, OWNER(1, 1));
        lease_sweep(segment, live, 4);
        assert_int_equal(lease_count(segment), 1);
        front_tick(front);
        assert_int_equal(n_cancels, (unsigned)i + 1);
        assert_string_equal(cancelled_name,
            i == 0 ? "request 11111111-2222-4333-8444-555555555555" : "handle 01-orphan");
        assert_int_equal(lease_count(segment), 1);
        orphan_cb(orphan_arg, true);
        assert_int_equal(lease_count(segment), 0);
    }
}

/* ---- probe, drain ---------------------------------------------------------------------------- */

static void
one_probe_runs_when_nothing_succeeded_for_long(void **state)
{
    front_tick(front);
    assert_int_equal(n_statements, 0);
    later((unsigned)config.health_probe_ms + 100);
    assert_int_equal(n_statements, 1);
    assert_true(statements->metadata);
    assert_memory_equal(statements->sql, "SHOW ", 5);
    assert_int_equal(lease_count(segment), 0);
    front_tick(front);
    assert_int_equal(n_statements, 1);
    end_statement(statements, RC_UPSTREAM_FAILED, "no route");
    assert_true(logged("error: connection to Snowflake failed"));
    front_tick(front);
    assert_int_equal(n_statements, 1);
    later((unsigned)config.health_probe_ms + 100);
    assert_int_equal(n_statements, 2);
    end_statement(statements, RC_OK, NULL);
    assert_int_equal(health_of_snowflake(segment, 60000000000, clock_ns()), HEALTH_HEALTHY);
}

static void
on_drained(void *arg)
{
    drained_called = true;
}

static void
draining_refuses_new_calls_and_finishes_old_ones(void **state)
{
    struct client busy, late, idle;

    open_client(&late); /* its request is half there */
    send_text(&late, "POST /mcp HTTP/1.1\r\n" H);
    open_client(&idle);
    open_client(&busy);
    call_sql(&busy);
    UNTIL(n_statements == 1);
    atomic_store(&segment->control->draining, 1);
    front_drain(front, on_drained, NULL);
    UNTIL(at_end(&idle));
    send_text(&late, "Content-Type: application/json\r\nContent-Length: 43\r\n\r\n"
                     "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"initial\"}");
    UNTIL(has(&late, "HTTP/1.1 503 "));
    assert_true(has(&late, "Retry-After: "));
    assert_true(has(&late, "Connection: close\r\n"));
    assert_true(has(&late, "-32603"));
    assert_true(has(&late, "\"id\":5"));
    front_tick(front);
    assert_false(drained_called);
    answer(statements, 1);
    UNTIL(has(&busy, "seven"));
    assert_true(has(&busy, "Connection: close\r\n"));
    UNTIL(at_end(&busy) && at_end(&late));
    close_client(&busy);
    close_client(&late);
    close_client(&idle);
    UNTIL((front_tick(front), drained_called));
}

static void
a_worker_being_replaced_serves_what_its_connections_bring(void **state)
{
    struct client busy, kept;

    open_client(&kept);
    call_sql(&kept);
    UNTIL(n_statements == 1);
    answer(statements, 1);
    UNTIL(has(&kept, "seven"));
    open_client(&busy);
    UNTIL((front_tick(front), atomic_load(&segment->slots[1].client_connections) == 2));
    front_drain(front, on_drained, NULL);
    call_sql(&busy); /* connected before the drain, speaks after it */
    UNTIL(n_statements == 2);
    answer(statements, 1);
    UNTIL(has(&busy, "seven") && at_end(&busy));
    assert_true(has(&busy, "Connection: close\r\n"));
    call_sql(&kept);
    UNTIL(n_statements == 3);
    answer(statements, 1);
    UNTIL(at_end(&kept));
    close_client(&busy);
    close_client(&kept);
    UNTIL((front_tick(front), drained_called));
}

static void
calls_that_outlast_the_drain_are_cancelled(void **state)
{
    struct client c;

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    front_drain(front, on_drained, NULL);
    later((unsigned)config.server_drain_ms - 100);
    assert_false(statements->dropped);
    later(200);
    assert_true(statements->dropped);
    UNTIL(has(&c, "shutting down"));
    assert_false(drained_called);
    statements->on_cancelled(statements->cancelled_arg, true);
    UNTIL(at_end(&c));
    close_client(&c);
    UNTIL((front_tick(front), drained_called));
}

static void
in_a_hurry_the_drain_cancels_at_once(void **state)
{
    struct client c;

    open_client(&c);
    call_sql(&c);
    UNTIL(n_statements == 1);
    front_drain(front, on_drained, NULL);
    front_tick(front);
    assert_false(statements->dropped);
    front_hurry(front);
    front_tick(front);
    assert_true(statements->dropped);
    UNTIL(has(&c, "shutting down"));
    statements->on_cancelled(statements->cancelled_arg, true);
    UNTIL(at_end(&c));
    close_client(&c);
    UNTIL((front_tick(front), drained_called));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(discover_is_answered_and_counted),
        T(an_old_client_gets_its_session_and_202),
        T(a_client_that_takes_only_a_stream_gets_one),
        T(requests_that_are_no_calls_are_refused_in_order),
        T(browsers_of_this_machine_may_ask),
        T(health_answers_any_host),
        T(a_statement_gives_a_result_and_its_lease_back),
        T(two_statements_run_one_after_the_other),
        T(failures_are_results_with_their_class),
        T(a_refused_statement_never_reaches_snowflake),
        T(without_a_credential_calls_say_so),
        T(long_results_are_streamed_no_faster_than_they_are_taken),
        T(a_failure_in_the_middle_ends_the_same_json),
        T(a_client_that_leaves_cancels_its_statement),
        T(an_unconfirmed_cancel_holds_its_lease_for_a_grace_only),
        T(a_statement_that_may_still_run_is_cancelled_under_its_lease),
        T(silence_beyond_every_limit_ends_the_call),
        T(calls_wait_their_turn),
        T(waiting_too_long_is_pool_exhausted),
        T(a_full_line_refuses_at_once),
        T(a_waiting_client_that_leaves_frees_its_place),
        T(statements_of_a_dead_process_are_cancelled),
        T(one_probe_runs_when_nothing_succeeded_for_long),
        T(draining_refuses_new_calls_and_finishes_old_ones),
        T(a_worker_being_replaced_serves_what_its_connections_bring),
        T(calls_that_outlast_the_drain_are_cancelled),
        T(in_a_hurry_the_drain_cancels_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
