/* test_tools.c - tools/list per revision, and arguments checked against what it says. */
#include "mcp_test.h"

static const char *const names[] = { "list_databases", "list_schemas", "list_tables", "list_views",
    "describe_table", "describe_view", "query_view", "execute_query" };
enum { TOOLS = sizeof names / sizeof *names };

static void
list_of(struct fixture *f, enum mcp_revision v)
{
    if (v == MCP_2026_07_28) {
        say_modern(f, "tools/list", NULL, "");
    } else {
        open_session_of(f, mcp_revision_names[v]);
        say_in_session(
            f, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"tools/list\",\"params\":{}}");
        assert_true(text_is(f, "id", "q"));
    }
    assert_int_equal(f->next, MCP_REPLY);
    assert_int_equal(f->r.http_status, 200);
}

static void
every_revision_lists_the_same_tools_in_the_same_order(void **state)
{
    struct fixture *f = *state;
    for (int v = 0; v < MCP_REVISION__COUNT; v++) {
        list_of(f, v);
        const struct json *tool = json_first(at(f, "result/tools"));
        for (int i = 0; i < TOOLS; i++, tool = json_following(tool)) {
            assert_true(str_is(json_string(json_get(tool, "name")), names[i]));
            assert_true(json_string(json_get(tool, "description")).n > 80);
            const struct json *in = json_get(tool, "inputSchema");
            assert_true(str_is(json_string(json_get(in, "type")), "object"));
            assert_false(json_bool(json_get(in, "additionalProperties"), true));
            assert_int_equal(json_type(json_get(in, "properties")), JSON_OBJECT);
        }
        assert_null(tool);
    }
}

static void
each_revision_gets_the_fields_it_knows(void **state)
{
    struct fixture *f = *state;
    for (int v = 0; v < MCP_REVISION__COUNT; v++) {
        list_of(f, v);
        for (const struct json *t = json_first(at(f, "result/tools")); t; t = json_following(t)) {
            assert_int_equal(json_get(t, "title") != NULL, v >= MCP_2025_06_18);
            assert_int_equal(json_get(t, "outputSchema") != NULL, v >= MCP_2025_06_18);
            assert_int_equal(json_get(t, "annotations") != NULL, v >= MCP_2025_03_26);
            if (v >= MCP_2025_03_26) {
                assert_true(json_bool(json_get(json_get(t, "annotations"), "readOnlyHint"), false));
                assert_false(
                    json_bool(json_get(json_get(t, "annotations"), "destructiveHint"), true));
            }
        }
        bool modern = v == MCP_2026_07_28;
        assert_int_equal(at(f, "result/ttlMs") != NULL, modern);
        assert_int_equal(at(f, "result/cacheScope") != NULL, modern);
        assert_int_equal(at(f, "result/resultType") != NULL, modern);
        assert_int_equal(at(f, "result/_meta") != NULL, modern);
        assert_null(at(f, "result/nextCursor"));
    }
}

static void
schemas_carry_the_settings(void **state)
{
    struct fixture *f = *state;
    f->config.query_limit_default = 7;
    f->config.query_limit_max = 50000;
    f->config.query_view_limit_default = 3;
    f->config.query_timeout_s = 11;
    restart_server(f);
    list_of(f, MCP_2025_11_25);
    assert_int_equal(number_at(f, "result/tools/0/inputSchema/properties/limit/default"), 7);
    assert_int_equal(number_at(f, "result/tools/0/inputSchema/properties/limit/maximum"), 10000);
    assert_int_equal(number_at(f, "result/tools/6/inputSchema/properties/limit/default"), 3);
    assert_int_equal(number_at(f, "result/tools/6/inputSchema/properties/limit/maximum"), 50000);
    assert_int_equal(
        number_at(f, "result/tools/7/inputSchema/properties/timeout_seconds/maximum"), 11);
    assert_true(text_is(f, "result/tools/7/inputSchema/required/0", "sql"));
    assert_true(text_is(f, "result/tools/4/inputSchema/required/0", "table"));
    assert_null(at(f, "result/tools/0/inputSchema/required"));
    assert_int_equal(
        json_count(at(f, "result/tools/6/inputSchema/properties/filters/items/properties/op/enum")),
        11);
    assert_non_null(at(f, "result/tools/5/outputSchema/properties/definition"));
    assert_null(at(f, "result/tools/4/outputSchema/properties/definition"));
}

static void
labels_for_metrics_end_with_other(void **state)
{
    unsigned n;
    const char *const *labels = tool_names(&n);
    assert_int_equal(n, TOOLS + 1);
    assert_string_equal(labels[TOOLS], "other");
    assert_int_equal(tool_index(NULL), TOOLS);
    assert_string_equal(tool_name(NULL), "unknown");
}

/* ---- arguments --------------------------------------------------------------------------------
 */

static enum rc
call(struct fixture *f, const char *tool, const char *arguments)
{
    static char params[1 << 16];
    static struct tool_plan plan;

    snprintf(params, sizeof params, "\"name\":\"%s\"%s%s", tool,
        *arguments ? ",\"arguments\":" : "", arguments);
    assert_int_equal(say_modern(f, "tools/call", tool, params), MCP_RUN);
    assert_string_equal(tool_name(f->r.tool), tool);
    enum rc rc = tool_plan(&f->r, &plan, &f->out);
    read_reply(f);
    assert_int_equal(f->r.rc, rc);
    return rc;
}

static void
good_arguments_pass(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *tool, *arguments;
    } good[] = {
        { "list_databases", "" },
        { "list_databases", "{}" },
        { "list_databases", "{\"limit\":1}" },
        { "list_databases", "{\"limit\":10000}" },
        { "list_databases", "{\"limit\":100.0}" }, /* an integer, by JSON Schema */
        { "list_databases", "{\"limit\":1e2}" },
        { "list_databases", "{\"limit\":null,\"pattern\":null}" },
        { "list_schemas", "{\"database\":\"D\"}" },
        { "query_view", "{\"view\":\"a.b.c\",\"columns\":[\"x\"],\"limit\":1}" },
        { "execute_query", "{\"sql\":\"select 1\",\"timeout_seconds\":300}" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(call(f, good[i].tool, good[i].arguments), RC_OK);
}

static void
bad_arguments_are_explained_in_a_result(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *tool, *arguments, *says;
    } bad[] = {
        { "list_databases", "{\"limit\":0}", "limit must be an integer from 1 to 10000, got 0" },
        { "list_databases", "{\"limit\":-1}", "from 1 to 10000, got -1" },
        { "list_databases", "{\"limit\":10001}", "from 1 to 10000, got 10001" },
        { "list_databases", "{\"limit\":1.5}", "got 1.5" },
        { "list_databases", "{\"limit\":\"100\"}", "got \"100\"" },
        { "list_databases", "{\"limit\":99999999999999999999}", "got 99999999999999999999" },
        { "list_databases", "{\"limit\":true}", "got true" },
        { "list_databases", "{\"pattern\":\"\"}", "pattern must not be empty" },
        { "list_databases", "{\"pattern\":5}", "pattern must be a string, got 5" },
        { "list_databases", "{\"patern\":\"x\"}",
            "unknown argument patern; did you mean \"pattern\"? "
            "(known: pattern, limit)" },
        { "list_databases", "{\"Limit\":1}", "unknown argument Limit; did you mean \"limit\"?" },
        { "list_databases", "{\"zzzzzzzz\":1}",
            "unknown argument zzzzzzzz (known: pattern, limit)" },
        { "list_schemas", "{}", "no database: pass `database`" },
        { "list_tables", "{\"schema\":\"S\"}", "no database: pass `database`" },
        { "describe_table", "{}", "table is required" },
        { "describe_table", "{\"table\":null}", "table is required" },
        { "describe_table", "{\"table\":\"a.b.c.d\"}", "table" },
        { "describe_table", "{\"table\":\"T\",\"database\":\"D\"}", "no schema: pass `schema`" },
        { "describe_table", "{\"table\":\"d.s.t\",\"database\":\"E\"}", "database is given twice" },
        { "describe_table", "{\"table\":\"d.s.t\",\"schema\":\"x\"}", "schema is given twice" },
        { "describe_table", "{\"table\":\"t\",\"database\":\"d\",\"schema\":\"a.b\"}",
            "without dots" },
        { "query_view", "{\"view\":\"d.s.v\",\"columns\":\"x\"}",
            "columns must be an array of strings" },
        { "query_view", "{\"view\":\"d.s.v\",\"columns\":[]}",
            "columns must have 1 to 1000 elements" },
        { "query_view", "{\"view\":\"d.s.v\",\"columns\":[\"a\",1]}",
            "columns[1] must be a string" },
        { "query_view", "{\"view\":\"d.s.v\",\"columns\":[\"\"]}", "columns[0] must be a string" },
        { "query_view", "{\"view\":\"d.s.v\",\"filters\":[1]}", "filters[0] must be an object" },
        { "query_view", "{\"view\":\"d.s.v\",\"filters\":[{\"op\":\"=\"}]}",
            "filters[0].column is required" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"is_null\"},"
            "{\"column\":\"a\",\"op\":\"~\",\"value\":1}]}",
            "filters[1].op must be one of =|!=|" },
        { "query_view", "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"=\"}]}",
            "filters[0].value: op \"=\" needs a value (to find NULL use is_null)" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"=\",\"value\":null}]}",
            "use is_null" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"=\",\"value\":{}}]}",
            "filters[0].value must be" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"=\",\"value\":[1]}]}",
            "needs one value" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"in\",\"value\":1}]}",
            "needs an array" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"in\",\"value\":[]}]}",
            "needs an array" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"in\",\"value\":[null]}]}",
            "filters[0].value must be" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"like\",\"value\":1}]}",
            "needs a string" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"is_null\",\"value\":1}]}",
            "takes no value" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"order_by\":[{\"column\":\"a\",\"direction\":\"up\"}]}",
            "order_by[0].direction must be one of asc|desc" },
        { "query_view", "{\"view\":\"d.s.v\",\"order_by\":[{\"colum\":\"a\"}]}",
            "unknown argument order_by[0].colum; did you mean \"column\"?" },
        { "execute_query", "{}", "sql is required" },
        { "execute_query", "{\"sql\":\"select 1\",\"timeout_seconds\":301}", "from 1 to 300" },
        { "execute_query", "{\"sql\":\"select 1\",\"database\":\"a.b\"}", "without dots" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(call(f, bad[i].tool, bad[i].arguments), RC_BAD_ARGUMENTS);
        assert_true(json_bool(at(f, "result/isError"), false));
        assert_true(text_has(f, "result/content/0/text", bad[i].says));
        assert_true(text_is(f, "result/structuredContent/error/class", "invalid_arguments"));
        assert_true(text_has(f, "result/structuredContent/error/message", bad[i].says));
        assert_true(text_is(f, "result/resultType", "complete"));
        assert_int_equal(f->r.http_status, 200);
    }
}

static void
writes_are_refused_by_the_guard_with_its_reason(void **state)
{
    struct fixture *f = *state;
    static const char *const sqls[] = { "drop table t", "select 1; drop table t", "call p()", "",
        "'", "select * from t ->> insert into u select 1" };
    for (size_t i = 0; i < sizeof sqls / sizeof *sqls; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments, "{\"sql\":\"%s\"}", sqls[i]);
        enum rc rc = call(f, "execute_query", arguments);
        assert_int_equal(rc, *sqls[i] ? RC_SQL_DENIED : RC_BAD_ARGUMENTS);
        assert_true(json_bool(at(f, "result/isError"), false));
        if (rc == RC_SQL_DENIED)
            assert_true(text_is(f, "result/structuredContent/error/class", "sql_denied"));
    }
}

static void
a_statement_is_bounded_in_bytes(void **state)
{
    struct fixture *f = *state;
    char arguments[4096] = "{\"sql\":\"select '";
    f->config.query_max_sql = 1024;
    restart_server(f);
    memset(arguments + strlen(arguments), 'x', 1024);
    strcat(arguments, "'\"}");
    assert_int_equal(call(f, "execute_query", arguments), RC_BAD_ARGUMENTS);
    assert_true(text_has(f, "result/content/0/text", "sql is too long: 1033 bytes, at most 1024"));
}

static void
old_clients_get_errors_as_text_alone(void **state)
{
    struct fixture *f = *state;
    struct tool_plan plan;
    open_session_of(f, "2025-03-26");
    assert_int_equal(say_in_session(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                                       "\"params\":{\"name\":\"describe_table\"}}"),
        MCP_RUN);
    assert_int_equal(tool_plan(&f->r, &plan, &f->out), RC_BAD_ARGUMENTS);
    read_reply(f);
    assert_true(text_has(f, "result/content/0/text", "table is required"));
    assert_null(at(f, "result/structuredContent"));
    assert_null(at(f, "result/resultType"));
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_revision_lists_the_same_tools_in_the_same_order),
        TEST(each_revision_gets_the_fields_it_knows),
        TEST(schemas_carry_the_settings),
        TEST(labels_for_metrics_end_with_other),
        TEST(good_arguments_pass),
        TEST(bad_arguments_are_explained_in_a_result),
        TEST(writes_are_refused_by_the_guard_with_its_reason),
        TEST(a_statement_is_bounded_in_bytes),
        TEST(old_clients_get_errors_as_text_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
