/* test_rpc.c - from bytes to a message: JSON, shape, ids, and which era it belongs to. */
#include "mcp_test.h"

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"

static void
broken_text_is_a_parse_error_without_id(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = { "", " ", "{", "{\"jsonrpc\":\"2.0\",\"id\":1,}", "nul",
        "{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"ping\"}", PING("1") "x", "\xef\xbb\xbf{}",
        "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\\ud800\"}" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        say(f, bodies[i]);
        assert_error(f, 400, -32700);
        assert_null(at(f, "id"));
        assert_int_equal(f->r.rc, RC_BAD_JSON);
    }
}

static void
what_is_json_but_no_message_is_an_invalid_request(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = { "null", "1", "\"x\"", "{}", "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
        "{\"id\":1,\"method\":\"ping\"}", "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}",
        "{\"jsonrpc\":\"2.0\",\"result\":{}}",
        "{\"JSONRPC\":\"2.0\",\"ID\":1,\"METHOD\":\"ping\"}" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        say(f, bodies[i]);
        assert_error(f, 400, -32600);
    }
}

static void
duplicate_keys_nul_and_depth_are_refused(void **state)
{
    struct fixture *f = *state;
    char deep[256] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":";
    static const char *const bodies[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"m\\u0065thod\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"name\":1,\"name\":2}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"a\":{\"b\":1,\"b\":2}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0000b\",\"method\":\"ping\"}"
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        say(f, bodies[i]);
        assert_error(f, 400, -32600);
        assert_null(at(f, "id"));
    }
    for (int i = 0; i < 40; i++)
        strcat(deep, "{\"a\":");
    strcat(deep, "1");
    say(f, deep);
    assert_error(f, 400, -32600);
}

static void
ids_come_back_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    static const char *const ids[] = { "0", "-7", "9007199254740993",
        "123456789012345678901234567890", "\"\"", "\"a\\u0041\"", "\"\xc3\xa4\\/\"", "\"1\"" };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char body[128], want[128];
        f->transport = MCP_STDIO;
        snprintf(
            body, sizeof body, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\": %s }", ids[i]);
        snprintf(want, sizeof want, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", ids[i]);
        say(f, body);
        assert_string_equal(buf_text(&f->out), want);
    }
}

static void
ids_of_other_types_are_refused_and_not_echoed(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = { PING("null"), PING("1.5"), PING("1.0"), PING("1e2"),
        PING("true"), PING("[1]"), PING("{}") };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        say(f, bodies[i]);
        assert_error(f, 400, -32600);
        assert_null(at(f, "id"));
    }
}

static void
a_wrong_shape_still_echoes_a_readable_id(void **state)
{
    struct fixture *f = *state;
    say(f, "{\"jsonrpc\":\"1.0\",\"id\":\"q\",\"method\":\"ping\"}");
    assert_error(f, 400, -32600);
    assert_true(text_is(f, "id", "q"));
}

static void
batches_are_refused_with_the_reason(void **state)
{
    struct fixture *f = *state;
    say(f, "[]");
    assert_error(f, 400, -32600);
    assert_true(text_has(f, "error/message", "empty"));
    say(f, "[" PING("1") "]");
    assert_error(f, 400, -32600);
    assert_true(text_has(f, "error/message", "one by one"));
    say(f, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}]");
    assert_error(f, 400, -32600);
    assert_true(text_has(f, "error/message", MODERN));
}

/* ---- section 2 of the checklist, row by row ----------------------------------------------------
 */

static void
a_response_is_legacy(void **state)
{
    struct fixture *f = *state;
    f->headers.protocol_version = STR(MODERN);
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    assert_false(f->r.modern);
    assert_true(f->r.is_response);
    assert_error(f, 400, -32600); /* without a session */
    open_session_of(f, "2025-11-25");
    say_in_session(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    assert_error(f, 400, -32600); /* nothing was asked */
    f->transport = MCP_STDIO;
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}");
    assert_accepted(f);
}

#define INIT(extra)                                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-06-18\",\"capabilities\":{}" extra "}}"

static void
initialize_without_a_modern_claim_is_legacy(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = { INIT(""),
        INIT(
            ",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}"), /* incomplete
                                                                                         */
        INIT(",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2025-11-25\","
             "\"io.modelcontextprotocol/clientCapabilities\":{}}"),
        INIT(",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":5,"
             "\"io.modelcontextprotocol/clientCapabilities\":{}}"),
        INIT(",\"_meta\":7") };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        say(f, bodies[i]);
        assert_false(f->r.modern);
        assert_true(text_is(f, "result/protocolVersion", "2025-06-18"));
        f->headers.protocol_version = STR("2025-03-26"); /* a legacy header is tolerated */
        say(f, bodies[i]);
        assert_true(text_is(f, "result/protocolVersion", "2025-06-18"));
        f->headers.protocol_version = STR(MODERN);
        say(f, bodies[i]);
        assert_error(f, 400, -32020);
    }
}

static void
initialize_with_a_modern_claim_is_an_unknown_method(void **state)
{
    struct fixture *f = *state;
    f->headers.protocol_version = STR(MODERN);
    f->headers.method = STR("initialize");
    say(f, INIT("," META));
    assert_true(f->r.modern);
    assert_error(f, 404, -32601);
}

static void
a_claim_makes_any_request_modern(void **state)
{
    struct fixture *f = *state;
    f->headers.protocol_version = STR("2025-11-25"); /* also against the header */
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}");
    assert_true(f->r.modern);
    assert_error(f, 400, -32020);
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":"
           "{\"io.modelcontextprotocol/protocolVersion\":null}}}");
    assert_true(f->r.modern);
    assert_error(f, 400, -32602);
}

static void
a_header_of_no_legacy_revision_without_claim_is_modern(void **state)
{
    struct fixture *f = *state;
    static const char *const versions[] = { MODERN, "2099-01-01", "banana", "" };
    for (size_t i = 0; i < 4; i++) {
        f->headers.protocol_version = (struct str){ versions[i], strlen(versions[i]) };
        say(f, PING("1"));
        assert_true(f->r.modern);
        assert_error(f, 400, -32602);
        f->headers.protocol_version = (struct str){ versions[i], strlen(versions[i]) };
        say(f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
        assert_accepted(f);
    }
}

static void
everything_else_is_legacy(void **state)
{
    struct fixture *f = *state;
    /* Neither of these headers says anything about the era. */
    f->headers.method = STR("ping");
    f->headers.name = STR("x");
    say(f, PING("1"));
    assert_false(f->r.modern);
    assert_error(f, 400, -32600); /* the session is missing */
    f->headers.protocol_version = STR("2024-11-05");
    say(f, PING("1"));
    assert_false(f->r.modern);
    f->headers.protocol_version = STR(" 2025-06-18\t"); /* blanks around a value do not count */
    say(f, PING("1"));
    assert_false(f->r.modern);
    f->transport = MCP_STDIO; /* no headers there */
    f->headers.protocol_version = STR(MODERN);
    say(f, PING("1"));
    assert_false(f->r.modern);
    assert_int_equal(f->r.rc, RC_OK);
}

static void
meta_is_read_for_the_log(void **state)
{
    struct fixture *f = *state;
    f->transport = MCP_STDIO;
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
           "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
           "\"io.modelcontextprotocol/clientCapabilities\":{},"
           "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"insp\",\"version\":\"1\"},"
           "\"traceparent\":\"00-aa-bb-01\",\"progressToken\":12345678901234567890}}}");
    assert_int_equal(f->r.rc, RC_OK);
    assert_true(str_is(f->r.client_name, "insp"));
    assert_true(str_is(f->r.traceparent, "00-aa-bb-01"));
    assert_true(str_is(f->r.progress_token, "12345678901234567890"));
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(broken_text_is_a_parse_error_without_id),
        TEST(what_is_json_but_no_message_is_an_invalid_request),
        TEST(duplicate_keys_nul_and_depth_are_refused),
        TEST(ids_come_back_byte_for_byte),
        TEST(ids_of_other_types_are_refused_and_not_echoed),
        TEST(a_wrong_shape_still_echoes_a_readable_id),
        TEST(batches_are_refused_with_the_reason),
        TEST(a_response_is_legacy),
        TEST(initialize_without_a_modern_claim_is_legacy),
        TEST(initialize_with_a_modern_claim_is_an_unknown_method),
        TEST(a_claim_makes_any_request_modern),
        TEST(a_header_of_no_legacy_revision_without_claim_is_modern),
        TEST(everything_else_is_legacy),
        TEST(meta_is_read_for_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
