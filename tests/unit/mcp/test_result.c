/* test_result.c - the reply that rows become: whole, cut, broken off, for each revision. */
#include "mcp_test.h"

#include "clock.h"

struct writing {
    struct fixture *f;
    struct tool_plan plan;
    struct result_writer *w;
    struct buf left; /* what was drained */
};

/* Starts a call; `revision` NULL: modern. */
static void
start(struct writing *x, struct fixture *f, const char *revision, const char *tool,
    const char *arguments)
{
    static char body[1200]; /* is read again by tool_plan() */
    char params[1024];
    x->f = f;
    if (revision) {
        open_session_of(f, revision);
        snprintf(body, sizeof body,
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
            "\"arguments\":%s}}",
            tool, arguments);
        assert_int_equal(say_in_session(f, body), MCP_RUN);
    } else {
        snprintf(params, sizeof params, "\"name\":\"%s\",\"arguments\":%s", tool, arguments);
        assert_int_equal(say_modern(f, "tools/call", tool, params), MCP_RUN);
    }
    assert_int_equal(tool_plan(&f->r, &x->plan, &f->out), RC_OK);
    buf_init(&x->left, 64 << 20);
    x->w = result_new(&f->r, &x->plan, &f->config, &f->out);
    assert_non_null(x->w);
    result_begin(x->w, 0);
}

static void
drain(struct writing *x)
{
    buf_put_str(&x->left, buf_str(&x->f->out));
    buf_clear(&x->f->out);
    result_drained(x->w);
}

/* Everything that went out is one JSON document. */
static void
finish_reading(struct writing *x)
{
    buf_put_str(&x->left, buf_str(&x->f->out));
    buf_clear(&x->f->out);
    buf_put_str(&x->f->out, buf_str(&x->left));
    read_reply(x->f);
    assert_non_null(x->f->reply);
    assert_int_equal(x->f->r.http_status, 200);
    assert_true(number_at(x->f, "id") >= 0);
    result_free(x->w);
    buf_fini(&x->left);
}

static const struct sf_column id_name[] = {
    { .name = { "ID", 2 }, .type = SF_FIXED, .type_text = { "NUMBER(38,0)", 12 }, .scale = 0 },
    { .name = { "NAME", 4 },
        .type = SF_TEXT,
        .type_text = { "VARCHAR(80)", 11 },
        .nullable = true },
};

static struct sf_cell
cell(const char *json)
{
    if (!json)
        return (struct sf_cell){ .null = true };
    return (struct sf_cell){ .json = str_of(json), .escaped = strchr(json, '\\') != NULL };
}

static enum sf_flow
row(struct writing *x, const char *a, const char *b)
{
    struct sf_cell cells[] = { cell(a), cell(b) };
    return result_row(x->w, cells, 2);
}

static struct sf_outcome
success(void)
{
    return (struct sf_outcome){
        .handle = STR("01be0a44-0102"), .elapsed_ns = 12999999, .retry_after_s = -1
    };
}

static void
finish(struct writing *x)
{
    struct sf_outcome o = success();
    result_finish(x->w, &o);
    finish_reading(x);
}

#define SELECT "{\"sql\":\"select 1\"}"

static void
rows_come_as_structure_and_as_text(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    start(&x, f, NULL, "execute_query", SELECT);
    result_columns(x.w, id_name, 2);
    assert_int_equal(row(&x, "1", "Ada"), SF_GO);
    assert_int_equal(row(&x, "12345678901234567890", NULL), SF_GO);
    assert_int_equal(row(&x, "-3", "a|b\\n\\\"q\\\"\\t\\u00e4"), SF_GO);
    uint64_t rows = result_rows(x.w);
    finish(&x);
    assert_int_equal(rows, 3);
    const char *head =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"structuredContent\":{\"columns\":["
        "{\"name\":\"ID\",\"type\":\"NUMBER(38,0)\",\"nullable\":false},"
        "{\"name\":\"NAME\",\"type\":\"VARCHAR(80)\",\"nullable\":true}],\"rows\":["
        "[1,\"Ada\"],[\"12345678901234567890\",null],[-3,\"a|b\\n\\\"q\\\"\\t\\u00e4\"]]"
        ",\"row_count\":3,\"truncated\":false,\"query_id\":\"01be0a44-0102\","
        "\"elapsed_ms\":12},\"content\":[";
    assert_true(str_starts(buf_str(&f->out), head));
    assert_true(text_is(f, "result/content/0/text",
        "ID | NAME\n1 | Ada\n12345678901234567890 | NULL\n-3 | a\\|b\\n\"q\"\\t\xc3\xa4\n3 rows"));
    assert_false(json_bool(at(f, "result/isError"), true));
    assert_true(text_is(f, "result/resultType", "complete"));
    assert_non_null(
        json_get(json_get(at(f, "result"), "_meta"), "io.modelcontextprotocol/serverInfo"));
    assert_int_equal(f->r.rc, RC_OK);
}

static void
an_empty_result_is_a_header_and_no_rows(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    start(&x, f, NULL, "execute_query", SELECT);
    result_columns(x.w, id_name, 2);
    finish(&x);
    assert_int_equal(json_count(at(f, "result/structuredContent/rows")), 0);
    assert_int_equal(json_count(at(f, "result/structuredContent/columns")), 2);
    assert_true(text_is(f, "result/content/0/text", "ID | NAME\n0 rows"));
    start(&x, f, "2024-11-05", "execute_query", SELECT);
    result_columns(x.w, id_name, 2);
    assert_int_equal(row(&x, "1", "x"), SF_GO);
    finish(&x);
    assert_true(text_is(f, "result/content/0/text", "ID | NAME\n1 | x\n1 row"));
}

static void
each_revision_gets_what_it_knows(void **state)
{
    struct fixture *f = *state;
    static const char *const revisions[] = { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25",
        NULL };
    for (int i = 0; i < 5; i++) {
        struct writing x;
        start(&x, f, revisions[i], "execute_query", SELECT);
        result_columns(x.w, id_name, 2);
        for (int k = 0; k < 50; k++) {
            row(&x, "5", "\\\"q\\\\ \\ud83d\\ude00");
            if (k % 7 == 0)
                drain(&x);
        }
        finish(&x);
        assert_int_equal(at(f, "result/structuredContent") != NULL, i >= 2);
        assert_int_equal(at(f, "result/resultType") != NULL, i == 4);
        assert_int_equal(at(f, "result/_meta") != NULL, i == 4);
        assert_int_equal(number_at(f, "id"), revisions[i] ? 7 : 1);
        assert_true(text_has(f, "result/content/0/text",
            "\n5 | \"q\\ \xf0\x9f\x98\x80\n5 | \"q\\ \xf0\x9f\x98\x80\n"));
        assert_true(text_has(f, "result/content/0/text", "\n50 rows"));
        assert_false(json_bool(at(f, "result/isError"), true));
    }
}

static void
the_row_limit_cuts_only_when_there_are_more(void **state)
{
    struct fixture *f = *state;
    for (int extra = 0; extra < 3; extra++) {
        struct writing x;
        start(&x, f, NULL, "execute_query", "{\"sql\":\"select 1\",\"limit\":2}");
        result_columns(x.w, id_name, 2);
        assert_int_equal(row(&x, "1", "a"), SF_GO);
        assert_int_equal(row(&x, "2", "b"), SF_GO);
        if (extra == 1)
            assert_int_equal(row(&x, "3", "c"), SF_ENOUGH);
        struct sf_outcome o = success();
        o.more = extra == 2; /* the client of Snowflake says so itself */
        result_finish(x.w, &o);
        finish_reading(&x);
        assert_int_equal(json_count(at(f, "result/structuredContent/rows")), 2);
        assert_int_equal(json_bool(at(f, "result/structuredContent/truncated"), !extra), extra > 0);
        if (!extra) {
            assert_null(at(f, "result/structuredContent/note"));
            assert_null(at(f, "result/structuredContent/truncated_by"));
            continue;
        }
        assert_true(text_is(f, "result/structuredContent/truncated_by", "limit"));
        assert_true(text_is(f, "result/structuredContent/note",
            "2 rows shown, more exist: narrow with WHERE or raise limit (max 10000)"));
        assert_true(text_has(f, "result/content/0/text",
            "2 | b\n2 rows shown, more exist: narrow with WHERE or raise limit (max 10000)"));
    }
}

static void
lists_advise_the_pattern_and_know_the_ceiling_of_show(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    start(&x, f, NULL, "list_databases", "{\"limit\":1}");
    result_columns(x.w, id_name, 2);
    row(&x, "1", "a");
    assert_int_equal(row(&x, "2", "b"), SF_ENOUGH);
    finish(&x);
    assert_true(text_is(f, "result/structuredContent/note",
        "1 row shown, more exist: narrow with pattern or raise limit (max 10000)"));

    start(&x, f, NULL, "list_databases", "{\"limit\":10000}");
    result_columns(x.w, id_name, 2);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(row(&x, "1", "a"), SF_GO);
    finish(&x);
    assert_true(json_bool(at(f, "result/structuredContent/truncated"), false));
    assert_true(text_has(f, "result/structuredContent/note", "Snowflake lists no more than that"));
}

static void
the_byte_limit_stops_before_the_row_that_would_exceed_it(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    /* "[1,"a"]" and then ",[1,"a"]" */
    for (size_t max = 1024; max < 1024 + 9; max++) {
        f->config.query_max_bytes = max;
        start(&x, f, NULL, "execute_query", "{\"sql\":\"select 1\",\"limit\":10000}");
        result_columns(x.w, id_name, 2);
        uint64_t rows = 0;
        while (row(&x, "1", "a") == SF_GO)
            rows++;
        assert_int_equal(rows, 1 + (max - 7) / 8);
        assert_int_equal(result_row_bytes(x.w), rows * 8 - 1);
        finish(&x);
        assert_int_equal(json_count(at(f, "result/structuredContent/rows")), rows);
        assert_int_equal(number_at(f, "result/structuredContent/row_count"), rows);
        assert_true(text_is(f, "result/structuredContent/truncated_by", "bytes"));
        assert_true(text_has(f, "result/structuredContent/note", "select fewer columns"));
    }
    /* The older revisions count the text. */
    f->config.query_max_bytes = 1024;
    start(&x, f, "2025-03-26", "execute_query", "{\"sql\":\"select 1\",\"limit\":10000}");
    result_columns(x.w, id_name, 2);
    uint64_t rows = 0;
    while (row(&x, "1", "a") == SF_GO) /* 1 | a\n: 7 bytes of JSON */
        rows++;
    assert_int_equal(rows, 1024 / 7);
    finish(&x);
    assert_true(
        text_has(f, "result/content/0/text", "1 | a\n146 rows shown, more exist: the answer"));
}

static void
a_first_row_that_is_too_long_is_told(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    char *big = calloc(1, 4001);
    memset(big, 'x', 4000);
    f->config.query_max_bytes = 1024;
    static const char *const revisions[] = { NULL, "2024-11-05" };
    for (int i = 0; i < 2; i++) {
        start(&x, f, revisions[i], "execute_query", SELECT);
        result_columns(x.w, id_name, 2);
        assert_int_equal(row(&x, "1", big), SF_ENOUGH);
        finish(&x);
        assert_true(text_has(f, "result/content/0/text", "0 rows shown: the first row alone"));
        if (i == 0)
            assert_int_equal(json_count(at(f, "result/structuredContent/rows")), 0);
    }
    free(big);
}

static void
long_values_are_cut_between_characters_and_marked(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    char value[201] = "";
    f->config.query_max_cell = 64;
    for (int i = 0; i < 50; i++)
        strcat(value, "\xc3\xa4"); /* 100 bytes */
    static const char *const revisions[] = { NULL, "2024-11-05" };
    for (int i = 0; i < 2; i++) {
        start(&x, f, revisions[i], "execute_query", SELECT);
        result_columns(x.w, id_name, 2);
        row(&x, "1", value);
        row(&x, "2", value + 36); /* 64 bytes: fits */
        row(&x, "3", value + 35); /* 65, begins inside a character */
        row(&x, "4",
            "\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4"); /* 22
                                                                                               */
        finish(&x);
        assert_true(
            text_has(f, "result/content/0/text", "\xc3\xa4\xe2\x80\xa6[cut: 100 bytes]\n2 | "));
        assert_true(text_has(f, "result/content/0/text", "values cut to 64 bytes: select parts"));
        if (i)
            continue;
        assert_true(text_is(f, "result/structuredContent/truncated_by", "cell"));
        assert_int_equal(number_at(f, "result/structuredContent/truncated_cells"), 2);
        assert_int_equal(json_string(at(f, "result/structuredContent/rows/0/1")).n, 64 + 3 + 16);
        assert_int_equal(json_string(at(f, "result/structuredContent/rows/1/1")).n, 64);
        assert_int_equal(json_string(at(f, "result/structuredContent/rows/3/1")).n, 22);
    }
}

static void
the_text_stops_at_its_bound_and_says_so(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    f->config.query_max_text = 40; /* header 10, rows of 6 */
    start(&x, f, NULL, "execute_query", SELECT);
    result_columns(x.w, id_name, 2);
    for (int i = 0; i < 9; i++)
        row(&x, "1", "a");
    finish(&x);
    assert_int_equal(json_count(at(f, "result/structuredContent/rows")), 9);
    assert_true(text_is(f, "result/content/0/text",
        "ID | NAME\n1 | a\n1 | a\n1 | a\n1 | a\n1 | a\n9 rows, of which this text shows the first "
        "5: "
        "the others are in structuredContent only"));
    f->config.query_max_text = 0;
    start(&x, f, NULL, "execute_query", SELECT);
    result_columns(x.w, id_name, 2);
    row(&x, "1", "a");
    row(&x, "1", "a");
    finish(&x);
    assert_true(text_is(f, "result/content/0/text",
        "2 rows, of which this text shows 0: the others are in structuredContent only"));
}

static void
shown_columns_are_chosen_by_name(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    static const struct sf_column show[] = {
        { .name = { "created_on", 10 }, .type = SF_TEXT },
        { .name = { "name", 4 }, .type = SF_TEXT },
        { .name = { "surprise", 8 }, .type = SF_TEXT },
        { .name = { "owner", 5 }, .type = SF_TEXT },
    };
    start(&x, f, NULL, "list_schemas", "{\"database\":\"d\"}");
    result_columns(x.w, show, 4);
    struct sf_cell cells[] = { cell("c"), cell("n"), cell("s"), cell("o") };
    assert_int_equal(result_row(x.w, cells, 4), SF_GO);
    finish(&x);
    assert_true(text_is(f, "result/content/0/text", "name | owner | created_on\nn | o | c\n1 row"));
    assert_true(text_is(f, "result/structuredContent/rows/0/2", "c"));

    static const struct sf_column other[] = {
        { .name = { "ID", 2 }, .type = SF_TEXT },
        { .name = { "AGE", 3 }, .type = SF_TEXT },
    };
    static const struct sf_column describe[] = {
        { .name = { "null?", 5 }, .type = SF_TEXT },
        { .name = { "name", 4 }, .type = SF_TEXT },
    };
    start(&x, f, NULL, "describe_table", "{\"table\":\"d.s.t\"}");
    result_columns(x.w, describe, 2);
    row(&x, "Y", "A");
    finish(&x);
    assert_true(text_is(f, "result/content/0/text", "name | nullable\nA | Y\n1 row"));

    start(&x, f, NULL, "describe_table", "{\"table\":\"d.s.t\"}"); /* nothing that is known */
    result_columns(x.w, other, 2);
    row(&x, "1", "A");
    finish(&x);
    assert_true(text_is(f, "result/content/0/text", "ID | AGE\n1 | A\n1 row"));
}

static void
describe(struct writing *x, struct fixture *f, const char *revision)
{
    start(x, f, revision, "describe_view", "{\"view\":\"d.s.v\"}");
    static const struct sf_column column[] = { { .name = { "name", 4 }, .type = SF_TEXT } };
    struct sf_cell a = cell("A");
    result_columns(x->w, column, 1);
    assert_int_equal(result_row(x->w, &a, 1), SF_GO);
    result_begin(x->w, 1);
}

static void
a_view_has_its_definition(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    static const char *const revisions[] = { NULL, "2025-03-26" };
    for (int i = 0; i < 2; i++) {
        describe(&x, f, revisions[i]);
        struct sf_cell ddl = cell("create view V as\\nselect 'a|b'");
        result_columns(x.w, id_name, 1);
        assert_int_equal(result_row(x.w, &ddl, 1), SF_GO);
        finish(&x);
        assert_true(text_is(f, "result/content/0/text",
            "name\nA\n1 row\n\nDefinition:\ncreate view V as\nselect 'a|b'"));
        if (i == 0)
            assert_true(text_is(
                f, "result/structuredContent/definition", "create view V as\nselect 'a|b'"));
    }
}

static void
a_withheld_definition_is_no_failure(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    describe(&x, f, NULL);
    struct sf_outcome o = { .rc = RC_SQL_FAILED,
        .code = STR("003001"),
        .message = STR("Insufficient privileges"),
        .retry_after_s = -1 };
    result_fail(x.w, RC_SQL_FAILED, &o, STR_NONE, -1);
    assert_int_equal(f->r.rc, RC_OK);
    finish_reading(&x);
    assert_false(json_bool(at(f, "result/isError"), true));
    assert_int_equal(json_type(at(f, "result/structuredContent/definition")), JSON_NULL);
    assert_true(text_has(f, "result/structuredContent/note", "Insufficient privileges"));
    assert_true(text_has(f, "result/content/0/text", "A\n1 row; the definition cannot be read"));

    describe(&x, f, NULL); /* anything else is */
    result_fail(x.w, RC_UPSTREAM_FAILED, NULL, STR_NONE, 3);
    assert_int_equal(f->r.rc, RC_UPSTREAM_FAILED);
    finish_reading(&x);
    assert_true(json_bool(at(f, "result/isError"), false));
}

static void
a_failure_before_bytes_left_is_a_clean_error(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    struct sf_outcome o = { .rc = RC_SQL_FAILED,
        .code = STR("002003"),
        .sqlstate = STR("42S02"),
        .message = STR("SQL compilation error:\nObject 'X' does not exist or not authorized."),
        .handle = STR("h1"),
        .retry_after_s = -1 };
    for (int rows = 0; rows < 3; rows++) {
        start(&x, f, NULL, "execute_query", SELECT);
        if (rows) {
            result_columns(x.w, id_name, 2);
            row(&x, "1", "a");
        }
        result_fail(x.w, RC_SQL_FAILED, &o, STR_NONE, -1);
        finish_reading(&x);
        assert_int_equal(f->r.rc, RC_SQL_FAILED);
        assert_true(json_bool(at(f, "result/isError"), false));
        /* What the schema requires is there, because some clients check errors too. */
        assert_int_equal(json_count(at(f, "result/structuredContent/rows")), 0);
        assert_int_equal(json_count(at(f, "result/structuredContent/columns")), 0);
        assert_int_equal(number_at(f, "result/structuredContent/row_count"), 0);
        assert_int_equal(number_at(f, "result/structuredContent/elapsed_ms"), 0);
        assert_true(text_is(f, "result/structuredContent/query_id", "h1"));
        assert_true(text_is(f, "result/structuredContent/truncated_by", "failure"));
        assert_true(text_is(f, "result/structuredContent/error/class", "sql_error"));
        assert_true(text_is(f, "result/structuredContent/error/code", "002003"));
        assert_true(text_is(f, "result/structuredContent/error/sqlstate", "42S02"));
        assert_true(text_is(f, "result/structuredContent/error/query_id", "h1"));
        assert_true(json_string(at(f, "result/structuredContent/error/hint")).n > 0);
        assert_true(
            text_has(f, "result/content/0/text", "sql_error: SQL compilation error:\nObject 'X'"));
        assert_true(text_has(f, "result/content/0/text", "Snowflake error 002003, SQLSTATE 42S02"));
    }
}

static void
a_failure_after_bytes_left_ends_the_same_json(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    static const char *const revisions[] = { NULL, "2025-06-18", "2024-11-05" };
    for (int i = 0; i < 3; i++) {
        start(&x, f, revisions[i], "execute_query", SELECT);
        result_columns(x.w, id_name, 2);
        row(&x, "1", "a");
        drain(&x);
        row(&x, "2", "b");
        struct sf_outcome o = {
            .rc = RC_UPSTREAM_FAILED, .message = STR("partition 3: HTTP 503"), .retry_after_s = 4
        };
        result_fail(x.w, RC_UPSTREAM_FAILED, &o, STR_NONE, -1);
        result_fail(x.w, RC_CANCELLED, NULL, STR_NONE, -1); /* a second one changes nothing */
        finish_reading(&x);
        assert_int_equal(f->r.rc, RC_UPSTREAM_FAILED);
        assert_true(json_bool(at(f, "result/isError"), false));
        assert_true(text_has(f, "result/content/0/text",
            "1 | a\n2 | b\n2 rows\nThe rows are incomplete. upstream_failed: partition 3: HTTP "
            "503"));
        assert_true(text_has(f, "result/content/0/text", "Try again in 4 s."));
        if (i == 2)
            continue;
        assert_int_equal(json_count(at(f, "result/structuredContent/rows")), 2);
        assert_true(text_is(f, "result/structuredContent/truncated_by", "failure"));
        assert_true(text_is(f, "result/structuredContent/error/class", "upstream_failed"));
        assert_int_equal(number_at(f, "result/structuredContent/error/retry_after"), 4);
    }
}

static void
failures_of_admission_are_results_with_a_pause(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    start(&x, f, NULL, "execute_query", SELECT);
    result_fail(x.w, RC_POOL_EXHAUSTED, NULL, STR_NONE, 12);
    finish_reading(&x);
    assert_true(text_is(f, "result/content/0/text",
        "pool_exhausted: Connection pool exhausted\nTry again in 12 s."));
    assert_int_equal(number_at(f, "result/structuredContent/error/retry_after"), 12);
    start(&x, f, NULL, "execute_query", SELECT);
    result_fail(x.w, RC_STATEMENT_TIMEOUT, NULL, STR("ran 9 s"), -1);
    finish_reading(&x);
    assert_true(text_has(f, "result/content/0/text", "timeout: ran 9 s\nHint: Narrow"));
    assert_true(text_has(f, "result/content/0/text", "The longest timeout is 300 s."));
}

static void
rows_that_do_not_fit_their_columns_are_a_failure(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    start(&x, f, NULL, "execute_query", SELECT);
    result_columns(x.w, id_name, 2);
    struct sf_cell three[] = { cell("1"), cell("2"), cell("3") };
    assert_int_equal(result_row(x.w, three, 3), SF_ENOUGH);
    finish(&x);
    assert_true(json_bool(at(f, "result/isError"), false));
    assert_int_equal(f->r.rc, RC_UPSTREAM_FAILED);
}

static void
a_full_output_fails_the_call_and_not_the_json(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    for (int drained = 0; drained < 2; drained++) {
        start(&x, f, NULL, "execute_query", "{\"sql\":\"select 1\",\"limit\":10000}");
        result_columns(x.w, id_name, 2);
        row(&x, "1", "a");
        if (drained)
            drain(&x);
        f->out.max = 4096;
        while (row(&x, "1", "aaaaaaaaaaaaaaaa") == SF_GO)
            continue;
        f->out.max = 64 << 20;
        finish(&x);
        assert_true(json_bool(at(f, "result/isError"), false));
        assert_int_equal(f->r.rc, RC_NO_MEMORY);
        assert_int_equal(json_count(at(f, "result/structuredContent/rows")) > 0, drained);
    }
}

static void
strange_names_and_types_stay_valid_json(void **state)
{
    struct fixture *f = *state;
    struct writing x;
    static const struct sf_column odd[] = {
        { .name = { "a\"b|\n\\\x01", 7 }, .type = SF_UNKNOWN, .type_text = { "?\"", 2 } },
        { .name = { "", 0 }, .type = SF_VARIANT, .type_text = { "VARIANT", 7 } },
    };
    static const char *const revisions[] = { NULL, "2024-11-05" };
    for (int i = 0; i < 2; i++) {
        start(&x, f, revisions[i], "execute_query", SELECT);
        result_columns(x.w, odd, 2);
        row(&x, "\xff\\u0001\\\\", "{\\\"a\\\":[1,\\\"|\\\"]}");
        finish(&x);
        assert_true(text_has(f, "result/content/0/text", "a\"b\\|\\n\\\\x01 | \n"));
    }
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(rows_come_as_structure_and_as_text),
        TEST(an_empty_result_is_a_header_and_no_rows),
        TEST(each_revision_gets_what_it_knows),
        TEST(the_row_limit_cuts_only_when_there_are_more),
        TEST(lists_advise_the_pattern_and_know_the_ceiling_of_show),
        TEST(the_byte_limit_stops_before_the_row_that_would_exceed_it),
        TEST(a_first_row_that_is_too_long_is_told),
        TEST(long_values_are_cut_between_characters_and_marked),
        TEST(the_text_stops_at_its_bound_and_says_so),
        TEST(shown_columns_are_chosen_by_name),
        TEST(a_view_has_its_definition),
        TEST(a_withheld_definition_is_no_failure),
        TEST(a_failure_before_bytes_left_is_a_clean_error),
        TEST(a_failure_after_bytes_left_ends_the_same_json),
        TEST(failures_of_admission_are_results_with_a_pause),
        TEST(rows_that_do_not_fit_their_columns_are_a_failure),
        TEST(a_full_output_fails_the_call_and_not_the_json),
        TEST(strange_names_and_types_stay_valid_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
