/* test_plan.c - the SQL that each tool writes, above all from hostile names. */
#include "mcp_test.h"

#include "state/metrics.h"

static struct tool_plan plan;

static const char *
sql_of(struct fixture *f, const char *tool, const char *arguments)
{
    static char params[1 << 16], sql[1 << 16];

    snprintf(params, sizeof params, "\"name\":\"%s\",\"arguments\":%s", tool, arguments);
    assert_int_equal(say_modern(f, "tools/call", tool, params), MCP_RUN);
    enum rc rc = tool_plan(&f->r, &plan, &f->out);
    if (rc != RC_OK)
        return buf_text(&f->out);
    assert_int_equal(f->out.len, 0);
    assert_true(str_copy(sql, sizeof sql, plan.statements[0].request.sql));
    return sql;
}

struct sql_case {
    const char *tool, *arguments, *sql;
};

static void
check(struct fixture *f, const struct sql_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_string_equal(sql_of(f, cases[i].tool, cases[i].arguments), cases[i].sql);
}

static void
lists_are_show_statements_without_a_warehouse(void **state)
{
    struct fixture *f = *state;
    static const struct sql_case cases[] = {
        { "list_databases", "{}", "SHOW DATABASES LIMIT 101" },
        { "list_databases", "{\"pattern\":\"%a'b\\\\%\",\"limit\":5}",
            "SHOW DATABASES LIKE '%a''b\\\\%' LIMIT 6" },
        { "list_databases", "{\"limit\":9999}", "SHOW DATABASES LIMIT 10000" },
        { "list_databases", "{\"limit\":10000}", "SHOW DATABASES LIMIT 10000" },
        { "list_schemas", "{\"database\":\"demo_db\"}",
            "SHOW SCHEMAS IN DATABASE \"DEMO_DB\" LIMIT 101" },
        { "list_schemas", "{\"database\":\"\\\"demo_db\\\"\",\"pattern\":\"P%\"}",
            "SHOW SCHEMAS LIKE 'P%' IN DATABASE \"demo_db\" LIMIT 101" },
        { "list_tables", "{\"database\":\"d\"}", "SHOW TABLES IN DATABASE \"D\" LIMIT 101" },
        { "list_tables", "{\"database\":\"d\",\"schema\":\"s\"}",
            "SHOW TABLES IN SCHEMA \"D\".\"S\" LIMIT 101" },
        { "list_views", "{\"database\":\"d\",\"schema\":\"my schema\",\"pattern\":\"x\"}",
            "SHOW VIEWS LIKE 'x' IN SCHEMA \"D\".\"my schema\" LIMIT 101" },
    };
    check(f, cases, sizeof cases / sizeof *cases);
    assert_true(plan.statements[0].request.metadata);
    assert_int_equal(plan.statements[0].metric, STATEMENT_SHOW);
    assert_int_equal(plan.row_limit, 100);
    assert_int_equal(plan.statements[0].request.row_limit, 100);
    assert_int_equal(plan.n_statements, 1);
    assert_string_equal(plan.keep[0], "name");
}

static void
settings_complete_what_is_left_out(void **state)
{
    struct fixture *f = *state;
    f->config.sf_database = "Cfg\"Db"; /* spelled as SHOW prints it: not folded */
    restart_server(f);
    static const struct sql_case without_schema[] = {
        { "list_schemas", "{}", "SHOW SCHEMAS IN DATABASE \"Cfg\"\"Db\" LIMIT 101" },
        { "list_tables", "{}", "SHOW TABLES IN DATABASE \"Cfg\"\"Db\" LIMIT 101" },
        { "list_tables", "{\"schema\":\"s\"}",
            "SHOW TABLES IN SCHEMA \"Cfg\"\"Db\".\"S\" LIMIT 101" },
    };
    check(f, without_schema, 3);
    f->config.sf_schema = "PUBLIC";
    static const struct sql_case cases[] = {
        { "list_views", "{}", "SHOW VIEWS IN SCHEMA \"Cfg\"\"Db\".\"PUBLIC\" LIMIT 101" },
        { "list_views", "{\"database\":\"e\"}", "SHOW VIEWS IN DATABASE \"E\" LIMIT 101" },
        { "describe_table", "{\"table\":\"t\"}", "DESCRIBE TABLE \"Cfg\"\"Db\".\"PUBLIC\".\"T\"" },
        { "describe_table", "{\"table\":\"s.t\"}", "DESCRIBE TABLE \"Cfg\"\"Db\".\"S\".\"T\"" },
        { "describe_table", "{\"table\":\"t\",\"database\":\"e\"}",
            "DESCRIBE TABLE \"E\".\"PUBLIC\".\"T\"" },
    };
    check(f, cases, sizeof cases / sizeof *cases);
}

static void
names_are_quoted_whatever_they_hold(void **state)
{
    struct fixture *f = *state;
    static const struct sql_case cases[] = {
        { "describe_table", "{\"table\":\"d.s.t\"}", "DESCRIBE TABLE \"D\".\"S\".\"T\"" },
        { "describe_table", "{\"table\":\"d.s.t\",\"database\":\"D\",\"schema\":\"s\"}",
            "DESCRIBE TABLE \"D\".\"S\".\"T\"" },
        { "describe_table", "{\"table\":\"d.s.\\\"Ord.er \\\"\\\"x\\\"\"}",
            "DESCRIBE TABLE \"D\".\"S\".\"Ord.er \"\"x\"" },
        { "describe_table", "{\"table\":\"d.s.t; drop table x\"}",
            "DESCRIBE TABLE \"D\".\"S\".\"t; drop table x\"" },
        { "describe_table", "{\"table\":\"d.s.t -- x\"}", "DESCRIBE TABLE \"D\".\"S\".\"t -- x\"" },
        { "describe_table", "{\"table\":\"d.s.t/*\"}", "DESCRIBE TABLE \"D\".\"S\".\"t/*\"" },
        { "describe_table", "{\"table\":\"d.s.IDENTIFIER('x')\"}",
            "DESCRIBE TABLE \"D\".\"S\".\"IDENTIFIER('x')\"" },
        { "describe_table", "{\"table\":\"d.s.t\xc3\xa4\xe6\xbc\xa2\"}",
            "DESCRIBE TABLE \"D\".\"S\".\"t\xc3\xa4\xe6\xbc\xa2\"" },
        { "list_schemas", "{\"database\":\"x LIMIT 1; select 1\"}",
            "SHOW SCHEMAS IN DATABASE \"x LIMIT 1; select 1\" LIMIT 101" },
        { "list_databases", "{\"pattern\":\"' IN ACCOUNT; --\\n\"}",
            "SHOW DATABASES LIKE ''' IN ACCOUNT; --\n' LIMIT 101" },
        { "list_databases", "{\"pattern\":\"\\\\'\"}", "SHOW DATABASES LIKE '\\\\''' LIMIT 101" },
    };
    check(f, cases, sizeof cases / sizeof *cases);
}

static void
a_view_is_described_by_two_statements(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(sql_of(f, "describe_view", "{\"view\":\"d.s.\\\"o'v\\\"\"}"),
        "DESCRIBE VIEW \"D\".\"S\".\"o'v\"");
    assert_int_equal(plan.n_statements, 2);
    assert_int_equal(plan.statements[0].gives, TOOL_ROWS);
    assert_int_equal(plan.statements[1].gives, TOOL_DEFINITION);
    assert_true(
        str_is(plan.statements[1].request.sql, "SELECT GET_DDL('VIEW', '\"D\".\"S\".\"o''v\"')"));
    assert_true(plan.statements[1].request.metadata);
    assert_int_equal(plan.statements[1].request.row_limit, 1);
}

static void
a_view_query_binds_its_values(void **state)
{
    struct fixture *f = *state;
    static const struct sql_case plain[] = {
        { "query_view", "{\"view\":\"d.s.v\"}", "SELECT * FROM \"D\".\"S\".\"V\" LIMIT 11" },
        { "query_view",
            "{\"view\":\"d.s.v\",\"columns\":[\"a\",\"\\\"b\\\"\",\"c, (select "
            "1)\"],\"limit\":10000,"
            "\"order_by\":[{\"column\":\"a\"},{\"column\":\"b\",\"direction\":\"desc\"}]}",
            "SELECT \"A\", \"b\", \"c, (select 1)\" FROM \"D\".\"S\".\"V\" ORDER BY \"A\" ASC, "
            "\"B\" "
            "DESC LIMIT 10001" },
    };
    check(f, plain, 2);
    assert_string_equal(
        sql_of(f, "query_view",
            "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"=\",\"value\":\"x' OR "
            "1=1\"},"
            "{\"column\":\"b\",\"op\":\">=\",\"value\":  12345678901234567890123 },"
            "{\"column\":\"c\",\"op\":\"!=\",\"value\":-1.50},{\"column\":\"d\",\"op\":\"in\","
            "\"value\":[1, \"two\" ,true]},{\"column\":\"e\",\"op\":\"ilike\",\"value\":\"%Z\"},"
            "{\"column\":\"f\",\"op\":\"is_not_null\"},{\"column\":\"g\",\"op\":\"is_null\","
            "\"value\":null}]}"),
        "SELECT * FROM \"D\".\"S\".\"V\" WHERE \"A\" = ? AND \"B\" >= ? AND \"C\" <> ? AND \"D\" "
        "IN "
        "(?, ?, ?) AND \"E\" ILIKE ? AND \"F\" IS NOT NULL AND \"G\" IS NULL LIMIT 11");
    static const struct {
        const char *type, *value;
    } binds[] = { { "TEXT", "x' OR 1=1" }, { "FIXED", "12345678901234567890123" },
        { "REAL", "-1.50" }, { "FIXED", "1" }, { "TEXT", "two" }, { "BOOLEAN", "true" },
        { "TEXT", "%Z" } };
    const struct sf_request *q = &plan.statements[0].request;
    assert_int_equal(q->n_binds, 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(q->binds[i].type, binds[i].type);
        assert_true(str_is(q->binds[i].value, binds[i].value));
    }
    assert_false(q->metadata);
    assert_int_equal(q->row_limit, 10);
}

static void
bound_values_have_a_limit(void **state)
{
    struct fixture *f = *state;
    char arguments[1024] =
        "{\"view\":\"d.s.v\",\"filters\":[{\"column\":\"a\",\"op\":\"in\",\"value\":[1";
    for (int i = 1; i < TOOL_BINDS_MAX; i++)
        strcat(arguments, ",1");
    size_t n = strlen(arguments);
    strcat(arguments, "]}]}");
    sql_of(f, "query_view", arguments);
    assert_int_equal(f->r.rc, RC_OK);
    assert_int_equal(plan.statements[0].request.n_binds, TOOL_BINDS_MAX);
    strcpy(arguments + n, ",1]}]}");
    sql_of(f, "query_view", arguments);
    assert_int_equal(f->r.rc, RC_BAD_ARGUMENTS);
}

static void
a_callers_statement_goes_out_as_it_is(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        sql_of(f, "execute_query",
            "{\"sql\":\"select  'a;b' -- x\\n from t;  \",\"database\":\"demo_db\",\"schema\":"
            "\"\\\"My \\\"\\\"S\\\"\\\"\\\"\",\"limit\":7,\"timeout_seconds\":9}"),
        "select  'a;b' -- x\n from t");
    const struct sf_request *q = &plan.statements[0].request;
    assert_string_equal(q->database, "DEMO_DB");
    assert_string_equal(q->schema, "My \"S\"");
    assert_int_equal(q->timeout_s, 9);
    assert_int_equal(q->row_limit, 7);
    assert_int_equal(plan.row_limit, 7);
    assert_int_equal(plan.statements[0].metric, STATEMENT_SELECT);
    assert_true(plan.fingerprint != 0);
    assert_null(plan.keep);
    assert_int_equal(plan.ceiling, 0);

    sql_of(f, "execute_query", "{\"sql\":\"select 1\"}");
    assert_null(q->database);
    assert_null(q->schema);
    assert_int_equal(q->timeout_s, 300);
    assert_int_equal(q->row_limit, 100);

    f->config.sf_database = "DEMO_DB";
    f->config.sf_schema = "S1";
    sql_of(f, "execute_query", "{\"sql\":\"select 1\",\"database\":\"demo_db\"}");
    assert_string_equal(q->database, "DEMO_DB");
    assert_null(q->schema);
    sql_of(f, "execute_query", "{\"sql\":\"select 1\",\"database\":\"other\"}");
    assert_string_equal(q->schema, ""); /* none: S1 is a schema of DEMO_DB */
    sql_of(f, "execute_query", "{\"sql\":\"select 1\",\"schema\":\"s2\"}");
    assert_null(q->database);
    assert_string_equal(q->schema, "S2");

    sql_of(f, "execute_query", "{\"sql\":\"show tables in account\"}");
    assert_int_equal(plan.statements[0].metric, STATEMENT_SHOW);
    assert_int_equal(plan.ceiling, 10000);
    sql_of(f, "execute_query", "{\"sql\":\"explain using text select 1\"}");
    assert_int_equal(plan.statements[0].metric, STATEMENT_EXPLAIN);
    sql_of(f, "execute_query", "{\"sql\":\"desc table a.b.c\"}");
    assert_int_equal(plan.statements[0].metric, STATEMENT_DESCRIBE);
}

static void
the_policy_of_the_guard_comes_from_the_settings(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql;
        size_t flag;
    } cases[] = {
        { "select seq.nextval", offsetof(struct config, guard_sequences) },
        { "select * from @stage/x", offsetof(struct config, guard_stages) },
        { "list @stage", offsetof(struct config, guard_stages) },
        { "select ai_complete('m', 'x')", offsetof(struct config, guard_ai) },
        { "select * from table(result_scan('x'))", offsetof(struct config, guard_result_scan) },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char arguments[128];
        bool *flag = (bool *)(void *)((char *)&f->config + cases[i].flag);
        snprintf(arguments, sizeof arguments, "{\"sql\":\"%s\"}", cases[i].sql);
        sql_of(f, "execute_query", arguments);
        assert_int_equal(f->r.rc, RC_SQL_DENIED);
        *flag = true;
        sql_of(f, "execute_query", arguments);
        assert_int_equal(f->r.rc, RC_OK);
        *flag = false;
    }
    static const char *const functions[] = { "UTIL.PRICE", NULL };
    sql_of(f, "execute_query", "{\"sql\":\"select util.price(1)\"}");
    assert_int_equal(f->r.rc, RC_SQL_DENIED);
    f->config.guard_functions = functions;
    sql_of(f, "execute_query", "{\"sql\":\"select util.price(1)\"}");
    assert_int_equal(f->r.rc, RC_OK);
    f->config.guard_functions = NULL;
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lists_are_show_statements_without_a_warehouse),
        TEST(settings_complete_what_is_left_out),
        TEST(names_are_quoted_whatever_they_hold),
        TEST(a_view_is_described_by_two_statements),
        TEST(a_view_query_binds_its_values),
        TEST(bound_values_have_a_limit),
        TEST(a_callers_statement_goes_out_as_it_is),
        TEST(the_policy_of_the_guard_comes_from_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
