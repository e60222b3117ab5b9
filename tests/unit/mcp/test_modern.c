/* test_modern.c - the checks of a stateless request, each alone and in pairs that prove the order.
 */
#include "mcp_test.h"

#include "encode.h"

#define CLAIM(version, rest)                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":" version rest "}"
#define CAPABILITIES ",\"io.modelcontextprotocol/clientCapabilities\":{}"

static const char *const one_tool = "\"name\":\"list_databases\"";

/* A message with a fault of each kind can be put together from these. */
enum fault {
    NO_CAPABILITIES = 1,
    VERSION_HEADER_DIFFERS = 2,
    METHOD_HEADER_DIFFERS = 4,
    REPEATED = 8,
    OLD_VERSION = 16,
    NO_VERSION_HEADER = 32,
    NO_METHOD_HEADER = 64,
    NO_NAME_HEADER = 128,
    NAME_DIFFERS = 256,
    UNKNOWN_METHOD = 512,
    BAD_LEVEL = 1024,
    UNKNOWN_TOOL = 2048
};

static void
say_with(struct fixture *f, unsigned faults)
{
    char body[1024];
    const char *method = faults & UNKNOWN_METHOD ? "prompts/get" : "tools/call";
    const char *version = faults & OLD_VERSION ? "2025-11-25" : MODERN;
    const char *name = faults & UNKNOWN_TOOL ? "nope" : "list_databases";

    snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"name\":\"%s\",\"_meta\":{"
        "\"io.modelcontextprotocol/protocolVersion\":\"%s\"%s%s}}}",
        method, name, version, faults & NO_CAPABILITIES ? "" : CAPABILITIES,
        faults & BAD_LEVEL ? ",\"io.modelcontextprotocol/logLevel\":\"loud\"" : "");
    f->headers = (struct mcp_headers){
        .protocol_version = faults & NO_VERSION_HEADER        ? STR_NONE
                            : faults & VERSION_HEADER_DIFFERS ? STR("2031-01-01")
                                                              : str_of(version),
        .method = faults & NO_METHOD_HEADER        ? STR_NONE
                  : faults & METHOD_HEADER_DIFFERS ? STR("TOOLS/CALL")
                                                   : str_of(method),
        .name = faults & NO_NAME_HEADER ? STR_NONE
                : faults & NAME_DIFFERS ? STR("x")
                                        : str_of(name),
        .repeated = faults & REPEATED ? "Mcp-Method" : NULL,
    };
    say(f, body);
}

/* In the order of the checks. */
static const struct {
    unsigned fault;
    int http, code;
    const char *says;
} order[] = {
    { NO_CAPABILITIES, 400, -32602, "clientCapabilities" },
    { REPEATED, 400, -32020, "repeated" },
    { VERSION_HEADER_DIFFERS, 400, -32020, "MCP-Protocol-Version does not match" },
    { METHOD_HEADER_DIFFERS, 400, -32020, "Mcp-Method does not match" },
    { OLD_VERSION, 400, -32022, "version" },
    { NO_VERSION_HEADER, 400, -32020, "MCP-Protocol-Version is missing" },
    { NO_METHOD_HEADER, 400, -32020, "Mcp-Method is missing" },
    { NO_NAME_HEADER, 400, -32020, "Mcp-Name is missing" },
    { NAME_DIFFERS, 400, -32020, "Mcp-Name does not match" },
    { UNKNOWN_METHOD, 404, -32601, "method not found" },
    { BAD_LEVEL, 200, -32602, "logLevel" },
    { UNKNOWN_TOOL, 200, -32602, "unknown tool" },
};
enum { KINDS = sizeof order / sizeof *order };

static void
each_fault_alone_has_its_code(void **state)
{
    struct fixture *f = *state;
    say_with(f, 0);
    assert_int_equal(f->next, MCP_RUN);
    for (int i = 0; i < KINDS; i++) {
        say_with(f, order[i].fault);
        assert_error(f, order[i].http, order[i].code);
        assert_true(text_has(f, "error/message", order[i].says));
        assert_int_equal(number_at(f, "id"), 1);
    }
}

static void
of_two_faults_the_earlier_check_answers(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < KINDS; i++)
        for (int k = i + 1; k < KINDS; k++) {
            unsigned both = order[i].fault | order[k].fault;
            /* A header cannot be missing and differ. */
            if ((both & VERSION_HEADER_DIFFERS && both & NO_VERSION_HEADER) ||
                (both & METHOD_HEADER_DIFFERS && both & NO_METHOD_HEADER) ||
                (both & NAME_DIFFERS && both & NO_NAME_HEADER))
                continue;
            say_with(f, both);
            assert_error(f, order[i].http, order[i].code);
            assert_true(text_has(f, "error/message", order[i].says));
        }
}

static void
required_meta_must_be_well_typed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *params, *key;
    } cases[] = {
        { CLAIM("5", CAPABILITIES), "protocolVersion" },
        { CLAIM("null", CAPABILITIES), "protocolVersion" },
        { CLAIM("\"" MODERN "\"", ""), "clientCapabilities" },
        { CLAIM("\"" MODERN "\"", ",\"io.modelcontextprotocol/clientCapabilities\":[]"),
            "clientCapabilities" },
        { CLAIM("\"" MODERN "\"", ",\"io.modelcontextprotocol/clientCapabilities\":null"),
            "clientCapabilities" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[512];
        snprintf(body, sizeof body,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{%s}}",
            cases[i].params);
        say(f, body);
        assert_error(f, 400, -32602);
        assert_true(text_has(f, "error/message", cases[i].key));
    }
}

static void
client_info_is_never_demanded(void **state)
{
    struct fixture *f = *state;
    say_modern(f, "tools/list", NULL, "");
    assert_int_equal(f->r.rc, RC_OK);
}

static void
an_unsupported_version_names_what_is_supported(void **state)
{
    struct fixture *f = *state;
    static const char *const versions[] = { "2025-11-25", "2024-11-05", "2031-01-01", "q\\\"x",
        "" };
    for (size_t i = 0; i < 5; i++) {
        char body[512];
        f->transport = MCP_WEBSOCKET;
        snprintf(body, sizeof body,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
            "\"io.modelcontextprotocol/protocolVersion\":\"%s\"" CAPABILITIES "}}}",
            versions[i]);
        say(f, body);
        assert_error(f, 400, -32022);
        assert_int_equal(json_count(at(f, "error/data/supported")), 1);
        assert_true(text_is(f, "error/data/supported/0", MODERN));
        assert_true(text_is(f, "error/data/requested", i == 3 ? "q\"x" : versions[i]));
    }
}

static void
names_may_come_in_base64(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *header;
        bool good;
    } cases[] = {
        { "list_databases", true },
        { "  list_databases\t", true },
        { "=?base64?bGlzdF9kYXRhYmFzZXM=?=", true },
        { "=?base64?bGlzdF9kYXRhYmFzZXM?=", false },  /* no padding */
        { "=?base64?bGlzdF9kYXRhYmFzZXN=?=", false }, /* bits that do not count */
        { "=?BASE64?bGlzdF9kYXRhYmFzZXM=?=", false }, /* a literal then */
        { "=?base64?bGlzdF9kYXRhYmFzZXM=", false },
        { "=?base64?/w==?=", false }, /* no UTF-8 */
        { "=?base64?"
          "?=",
            false },
        { "=?base64?=", false },
        { "LIST_DATABASES", false },
        { "", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        say_modern(f, "tools/call", cases[i].header, one_tool);
        if (cases[i].good)
            assert_int_equal(f->next, MCP_RUN);
        else
            assert_error(f, 400, -32020);
    }
}

static void
names_belong_to_their_methods(void **state)
{
    struct fixture *f = *state;
    say_modern(f, "tools/list", "whatever", ""); /* has no name to compare with */
    assert_int_equal(f->r.rc, RC_OK);
    say_modern(f, "tools/call", NULL, "\"name\":7"); /* no source value: the header may be absent */
    assert_error(f, 200, -32602);
    say_modern(f, "tools/call", "x", "\"name\":7");
    assert_error(f, 400, -32020);
    /* The header of methods that do not answer is checked first all the same. */
    say_modern(f, "resources/read", "b", "\"uri\":\"a\"");
    assert_error(f, 400, -32020);
    say_modern(f, "resources/read", "a", "\"uri\":\"a\"");
    assert_error(f, 404, -32601);
    say_modern(f, "tasks/get", NULL, "\"taskId\":\"a\"");
    assert_error(f, 400, -32020);
}

static void
methods_of_the_older_revisions_are_unknown(void **state)
{
    struct fixture *f = *state;
    static const char *const methods[] = { "ping", "logging/setLevel", "resources/subscribe",
        "resources/unsubscribe", "tasks/result", "tasks/list", "Tools/list", "tools/list ", "x" };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        say_modern(f, methods[i], NULL, "");
        assert_error(f, i == 7 ? 400 : 404, i == 7 ? -32020 : -32601); /* a header is trimmed */
    }
}

static void
headers_are_not_checked_where_there_are_none(void **state)
{
    struct fixture *f = *state;
    f->transport = MCP_STDIO;
    say(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}");
    assert_int_equal(f->r.rc, RC_OK);
}

static void
notifications_are_accepted_and_dropped(void **state)
{
    struct fixture *f = *state;
    say(f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" META "}}");
    assert_accepted(f);
    say(f, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"x\"," META "}}");
    assert_accepted(f);
}

static void
a_session_id_means_nothing_here(void **state)
{
    struct fixture *f = *state;
    f->headers.session_id = STR("forged");
    say_modern(f, "tools/list", NULL, "");
    assert_int_equal(f->r.rc, RC_OK);
    assert_null(f->r.session_id.p);
}

static void
discover_tells_versions_capabilities_and_caching(void **state)
{
    struct fixture *f = *state;
    say_modern(f, "server/discover", NULL, "");
    assert_int_equal(f->next, MCP_REPLY);
    assert_int_equal(f->r.http_status, 200);
    assert_int_equal(json_count(at(f, "result/supportedVersions")), 1);
    assert_true(text_is(f, "result/supportedVersions/0", MODERN));
    assert_int_equal(json_count(at(f, "result/capabilities")), 1);
    assert_int_equal(json_type(at(f, "result/capabilities/tools")), JSON_OBJECT);
    assert_true(text_is(f, "result/resultType", "complete"));
    assert_true(text_is(f, "result/cacheScope", "public"));
    assert_int_equal(number_at(f, "result/ttlMs"), 300000);
    const struct json *info =
        json_get(json_get(at(f, "result"), "_meta"), "io.modelcontextprotocol/serverInfo");
    assert_true(str_is(json_string(json_get(info, "name")), "snowflake-mcp"));
    assert_true(json_string(json_get(info, "version")).n > 0);
}

static void
wrong_parameters_are_answered_in_band(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *method, *name, *params;
    } cases[] = {
        { "tools/list", NULL, "\"cursor\":\"x\"" },
        { "tools/list", NULL, "\"cursor\":7" },
        { "tools/call", NULL, "\"arguments\":{}" },
        { "tools/call", "list_databases", "\"name\":\"list_databases\",\"arguments\":[]" },
        { "tools/call", "list_databases", "\"name\":\"list_databases\",\"requestState\":\"x\"" },
        { "tools/call", "list_databse", "\"name\":\"list_databse\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        say_modern(f, cases[i].method, cases[i].name, cases[i].params);
        assert_error(f, 200, -32602);
    }
    assert_int_equal(f->r.rc, RC_UNKNOWN_TOOL);
    assert_true(text_has(f, "error/message", "did you mean \"list_databases\"?"));
    assert_true(text_has(f, "error/message", "execute_query"));
    assert_null(f->r.tool);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_fault_alone_has_its_code),
        TEST(of_two_faults_the_earlier_check_answers),
        TEST(required_meta_must_be_well_typed),
        TEST(client_info_is_never_demanded),
        TEST(an_unsupported_version_names_what_is_supported),
        TEST(names_may_come_in_base64),
        TEST(names_belong_to_their_methods),
        TEST(methods_of_the_older_revisions_are_unknown),
        TEST(headers_are_not_checked_where_there_are_none),
        TEST(notifications_are_accepted_and_dropped),
        TEST(a_session_id_means_nothing_here),
        TEST(discover_tells_versions_capabilities_and_caching),
        TEST(wrong_parameters_are_answered_in_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
