/* test_legacy.c - handshake, session ids, ping and notifications of the older revisions. */
#include "mcp_test.h"

#include "clock.h"
#include "encode.h"

#include <unistd.h>

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

static void
initialize_echoes_its_revision_or_the_newest(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *asked, *given;
    } cases[] = { { "2024-11-05", "2024-11-05" }, { "2025-03-26", "2025-03-26" },
        { "2025-06-18", "2025-06-18" }, { "2025-11-25", "2025-11-25" }, { MODERN, "2025-11-25" },
        { "1999-01-01", "2025-11-25" }, { "", "2025-11-25" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_session_of(f, cases[i].asked);
        assert_int_equal(f->r.http_status, 200);
        assert_true(text_is(f, "result/protocolVersion", cases[i].given));
        assert_true(text_is(f, "result/serverInfo/name", "snowflake-mcp"));
        assert_int_equal(json_type(at(f, "result/capabilities/tools")), JSON_OBJECT);
        assert_int_equal(json_count(at(f, "result/capabilities")), 1);
        assert_null(at(f, "result/resultType"));
        bool title = i >= 2, description = i >= 3;
        assert_int_equal(at(f, "result/serverInfo/title") != NULL, title);
        assert_int_equal(at(f, "result/serverInfo/description") != NULL, description);
        assert_true(str_is(f->r.client_name, "probe"));
    }
}

static void
initialize_with_wrong_parameters_fails_in_band(void **state)
{
    struct fixture *f = *state;
    static const char *const params[] = { "{}", "{\"protocolVersion\":5}",
        "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":7}",
        "{\"protocolVersion\":\"2025-06-18\",\"clientInfo\":\"x\"}" };
    for (size_t i = 0; i < 4; i++) {
        char body[256];
        snprintf(body, sizeof body,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":%s}", params[i]);
        say(f, body);
        assert_error(f, 200, -32602);
        assert_null(f->r.session_id.p);
    }
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}");
    assert_error(f, 200, -32602);
    say(f, "{\"jsonrpc\":\"2.0\",\"method\":\"initialize\",\"params\":{}}");
    assert_error(f, 400, -32600);
}

static void
session_ids_are_visible_ascii_and_never_the_same(void **state)
{
    struct fixture *f = *state;
    char first[256];
    open_session_of(f, "2025-06-18");
    strcpy(first, f->session);
    assert_true(strlen(first) >= 64 && strlen(first) < 200);
    for (const char *p = first; *p; p++)
        assert_true(*p > 0x20 && *p < 0x7f);
    open_session_of(f, "2025-06-18");
    assert_string_not_equal(first, f->session);
}

static void
a_session_serves_and_knows_its_revision_and_client(void **state)
{
    struct fixture *f = *state;
    open_session_of(f, "2025-03-26");
    say_in_session(f, PING);
    assert_string_equal(buf_text(&f->out), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    assert_int_equal(f->r.http_status, 200);
    assert_int_equal(f->r.revision, MCP_2025_03_26);
    assert_true(str_is(f->r.client_name, "probe"));
    f->headers.protocol_version =
        STR("2025-11-25"); /* a known fault of clients: ours is what counts */
    say_in_session(f, PING);
    assert_int_equal(f->r.revision, MCP_2025_03_26);
}

static void
a_reload_keeps_sessions_unless_a_key_file_decides(void **state)
{
    struct fixture *f = *state;
    struct err e = { "" };
    open_session_of(f, "2025-06-18");
    struct mcp_server *next = mcp_server_new(&f->config, &e);
    assert_non_null(next);
    assert_false(mcp_session_valid(next, STR("anonymous"), str_of(f->session)));
    mcp_server_inherit(next, f->server);
    assert_true(mcp_session_valid(next, STR("anonymous"), str_of(f->session)));
    mcp_server_free(next);

    next = mcp_server_new(&f->config, &e);
    assert_non_null(next);
    f->config.server_key_file = "/etc/snowflake-mcp/session.key";
    mcp_server_inherit(next, f->server);
    assert_false(mcp_session_valid(next, STR("anonymous"), str_of(f->session)));
    mcp_server_free(next);
}

static void
without_a_session_there_is_a_400(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = { PING,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nope\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}" };
    for (size_t i = 0; i < 3; i++) {
        say(f, bodies[i]);
        assert_error(f, 400, -32600);
        assert_true(text_has(f, "error/message", "initialize"));
    }
}

static void
refused_as_unknown(struct fixture *f, const char *id)
{
    f->headers.session_id = (struct str){ id, strlen(id) };
    say(f, PING);
    assert_error(f, 404, -32600);
    assert_int_equal(f->r.rc, RC_UNKNOWN_SESSION);
    assert_false(mcp_session_valid(f->server, str_of(f->principal), str_of(id)));
}

static void
tampered_ids_are_unknown(void **state)
{
    struct fixture *f = *state;
    char id[256];
    open_session_of(f, "2025-06-18");
    assert_true(mcp_session_valid(f->server, STR("anonymous"), str_of(f->session)));
    size_t n = strlen(f->session);
    for (size_t i = 0; i < n; i++) {
        strcpy(id, f->session);
        id[i] = id[i] == 'A' ? 'B' : 'A';
        refused_as_unknown(f, id);
    }
    for (size_t i = 0; i < n; i++) { /* cut short */
        strcpy(id, f->session);
        id[i] = '\0';
        refused_as_unknown(f, id);
    }
    snprintf(id, sizeof id, "%sA", f->session);
    refused_as_unknown(f, id);
    snprintf(id, sizeof id, "%s=", f->session);
    refused_as_unknown(f, id);
    char *longer = calloc(1, 100001);
    memset(longer, 'A', 100000);
    refused_as_unknown(f, longer);
    free(longer);
    say_in_session(f, PING); /* the true one still serves */
    assert_int_equal(f->r.rc, RC_OK);
}

static void
ids_of_another_principal_are_unknown(void **state)
{
    struct fixture *f = *state;
    f->principal = "alice";
    open_session_of(f, "2025-06-18");
    f->principal = "bob";
    refused_as_unknown(f, f->session);
    f->principal = "alice";
    say_in_session(f, PING);
    assert_int_equal(f->r.rc, RC_OK);
}

static void
ids_expire(void **state)
{
    struct fixture *f = *state;
    f->config.session_lifetime_min = 2;
    restart_server(f);
    open_session_of(f, "2025-06-18");
    clock_skip_ms(119 * 1000);
    say_in_session(f, PING);
    assert_int_equal(f->r.rc, RC_OK);
    clock_skip_ms(2 * 1000);
    refused_as_unknown(f, f->session);
    clock_skip_ms(-121 * 1000 - 3600 * 1000); /* issued an hour from now: not by us */
    refused_as_unknown(f, f->session);
    clock_skip_ms(3600 * 1000);
}

static void
each_start_has_its_own_key_unless_a_file_gives_one(void **state)
{
    struct fixture *f = *state;
    open_session_of(f, "2025-06-18");
    restart_server(f);
    refused_as_unknown(f, f->session);

    char path[] = "/tmp/mcp-key-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0123456789abcdef0123456789abcde", 31), 31);
    f->config.server_key_file = path;
    struct err e = { "" };
    assert_null(mcp_server_new(&f->config, &e));
    assert_non_null(strstr(e.text, "server.session_key_file"));
    assert_int_equal(write(fd, "f", 1), 1);
    close(fd);
    restart_server(f);
    open_session_of(f, "2025-06-18");
    restart_server(f); /* another host with the same file */
    say_in_session(f, PING);
    assert_int_equal(f->r.rc, RC_OK);
    unlink(path);
    f->config.server_key_file = "/nonexistent/key";
    assert_null(mcp_server_new(&f->config, &e));
    assert_non_null(strstr(e.text, "server.session_key_file"));
    f->config.server_key_file = NULL;
}

static void
repeated_session_headers_are_refused(void **state)
{
    struct fixture *f = *state;
    open_session_of(f, "2025-06-18");
    f->headers.repeated = "Mcp-Session-Id";
    say_in_session(f, PING);
    assert_error(f, 400, -32600);
    f->headers.repeated = "Mcp-Name"; /* means nothing in these revisions */
    say_in_session(f, PING);
    assert_int_equal(f->r.rc, RC_OK);
}

static void
notifications_are_accepted_inside_a_session(void **state)
{
    struct fixture *f = *state;
    open_session_of(f, "2025-06-18");
    say_in_session(f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    assert_accepted(f);
    say_in_session(f, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{}}");
    assert_accepted(f);
}

static void
unknown_methods_answer_with_http_200(void **state)
{
    struct fixture *f = *state;
    open_session_of(f, "2025-06-18");
    static const char *const methods[] = { "server/discover", "resources/list", "prompts/list",
        "notifications/initialized", "PING", "" };
    for (size_t i = 0; methods[i][0]; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", methods[i]);
        say_in_session(f, body);
        assert_error(f, 200, -32601);
        assert_int_equal(f->r.rc, RC_UNKNOWN_METHOD);
    }
}

static void
other_transports_need_no_session(void **state)
{
    struct fixture *f = *state;
    f->transport = MCP_STDIO;
    say(f, PING);
    assert_int_equal(f->r.rc, RC_OK);
    assert_int_equal(f->r.revision, MCP_2025_03_26); /* nothing agreed */
    open_session_of(f, "2025-11-25");
    assert_null(f->r.session_id.p);
    f->negotiated = 1 + (unsigned)f->r.revision;
    say(f, PING);
    assert_int_equal(f->r.revision, MCP_2025_11_25);
}

static void
long_client_names_are_cut_in_the_id_alone(void **state)
{
    struct fixture *f = *state;
    char body[512], name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    name[39] = '\xc3';
    name[40] = '\xa4';
    snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-06-18\",\"clientInfo\":{\"name\":\"%s\"}}}",
        name);
    say(f, body);
    assert_int_equal(f->r.client_name.n, 200);
    assert_true(str_copy(f->session, sizeof f->session, f->r.session_id));
    say_in_session(f, PING);
    assert_int_equal(f->r.client_name.n, 39); /* not inside a character */
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(initialize_echoes_its_revision_or_the_newest),
        TEST(initialize_with_wrong_parameters_fails_in_band),
        TEST(session_ids_are_visible_ascii_and_never_the_same),
        TEST(a_session_serves_and_knows_its_revision_and_client),
        TEST(a_reload_keeps_sessions_unless_a_key_file_decides),
        TEST(without_a_session_there_is_a_400),
        TEST(tampered_ids_are_unknown),
        TEST(ids_of_another_principal_are_unknown),
        TEST(ids_expire),
        TEST(each_start_has_its_own_key_unless_a_file_gives_one),
        TEST(repeated_session_headers_are_refused),
        TEST(notifications_are_accepted_inside_a_session),
        TEST(unknown_methods_answer_with_http_200),
        TEST(other_transports_need_no_session),
        TEST(long_client_names_are_cut_in_the_id_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
