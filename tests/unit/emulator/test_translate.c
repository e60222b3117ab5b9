/* The reader without a database: what it lets through, what it refuses, and how. */
#include "emulator/translate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena *arena;
static struct sites sites;
static struct plan plan;
static struct failure failure;

static int
make_arena(void **state)
{
    (void)state;
    arena = arena_new(16u << 20);
    return arena ? 0 : -1;
}

static int
free_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int
read_with(const char *sql, const char *warehouse)
{
    struct engine_job job = { .sql = sql,
        .database = "DB",
        .schema = "S",
        .warehouse = warehouse,
        .role = "ANALYST",
        .user = "U",
        .account = "A",
        .handle = "h",
        .statement_count = 1 };

    arena_reset(arena);
    plan = (struct plan){ 0 };
    failure = (struct failure){ 0 };
    return translate(arena, &job, &sites, &plan, &failure);
}

static const char *
translated(const char *sql)
{
    if (read_with(sql, "COMPUTE_WH") != 0)
        fail_msg("%s: %s", sql, failure.message);
    return plan.sql;
}

static const char *
refused(const char *sql)
{
    if (read_with(sql, "COMPUTE_WH") == 0)
        fail_msg("%s was let through as %s", sql, plan.sql);
    return failure.code;
}

static void
names_are_qualified_and_upper_case(void **state)
{
    (void)state;
    assert_string_equal(translated("select a from t"), "SELECT \"A\" FROM \"DB\".\"S\".\"T\"");
    assert_string_equal(translated("select x.a from other.t x"),
        "SELECT \"X\".\"A\" FROM \"DB\".\"OTHER\".\"T\" AS \"X\"");
    assert_non_null(strstr(translated("select \"a\" from t"), "\"a\x1f"));
}

static void
a_name_of_with_is_not_a_table(void **state)
{
    (void)state;
    assert_string_equal(translated("with c as (select 1 as n) select n from c"),
        "WITH \"C\" AS (SELECT 1 AS \"N\") SELECT \"N\" FROM \"C\"");
    /* but not outside of its query */
    assert_non_null(strstr(translated("select * from (with c as (select 1 n) select n from c), c"),
        "\"DB\".\"S\".\"C\""));
    assert_int_equal(plan.table_count, 1);
}

static void
texts_are_quoted_and_nothing_else(void **state)
{
    (void)state;
    assert_string_equal(translated("select 'it''s' as a"), "SELECT 'it''s' AS \"A\"");
    assert_string_equal(translated("select 'a\\'; drop table t; --' as a"),
        "SELECT 'a''; drop table t; --' AS \"A\"");
    assert_string_equal(translated("select $$it's$$ as a"), "SELECT 'it''s' AS \"A\"");
}

static void
unnamed_columns_are_called_by_their_text(void **state)
{
    (void)state;
    assert_string_equal(translated("select count(*), 1+1"),
        "SELECT count(*) AS \"COUNT(*)\", (1::BIGINT + 1) AS \"1+1\"");
}

static void
division_asks_for_the_types_first(void **state)
{
    (void)state;
    memset(&sites, 0, sizeof sites);
    translated("select a/b as q from t");
    assert_true(plan.unresolved);
    sites.site[0].known = true;
    sites.site[0].arg[0].type = SITE_DECIMAL;
    sites.site[0].arg[0].scale = 2;
    sites.site[0].arg[1].type = SITE_INTEGER;
    assert_non_null(strstr(translated("select a/b as q from t"), "_div_8(\"A\", \"B\")"));
    assert_false(plan.unresolved);
    sites.site[0].arg[1].type = SITE_REAL;
    assert_non_null(strstr(translated("select a/b as q from t"), "_fdiv(\"A\", \"B\")"));
    sites.site[0].arg[1].type = SITE_TEXT;
    assert_string_equal(refused("select a/b as q from t"), "000002");
    memset(&sites, 0, sizeof sites);
}

static void
equal_expressions_share_their_probe(void **state)
{
    (void)state;
    memset(&sites, 0, sizeof sites);
    const char *sql = translated("select a/b from t group by a/b");
    assert_non_null(strstr(sql, "_site_real(0, "));
    assert_null(strstr(sql, "_site_real(1, "));
}

static void
only_functions_of_the_list_are_called(void **state)
{
    static const char *const ours[] = { "select _ticks(1)", "select read_text('x')",
        "select list_value(1)", "select \"upper\"('x')", "select getenv('PATH')",
        "select pg_typeof(1)", "select error('x')", "select a.b.upper('x')" };

    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        assert_string_equal(refused(ours[i]), "002140");
    assert_string_equal(refused("select * from table(_ticks(1))"), "002141");
    assert_string_equal(refused("select * from table(duckdb_tables())"), "002141");
    assert_string_equal(refused("select upper()"), "000939");
}

static void
statements_of_duckdb_are_no_statements(void **state)
{
    static const char *const theirs[] = { "pragma database_list", "attach ':memory:' as x",
        "install json", "load json", "checkpoint", "vacuum", "export database 'x'", "from t",
        "summarize t", "analyze" };

    (void)state;
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        assert_string_equal(refused(theirs[i]), "001003");
}

static void
a_second_statement_is_counted_not_run(void **state)
{
    (void)state;
    assert_string_equal(refused("select 1; drop table t"), "000008");
    assert_string_equal(refused(";;select 1;;select 2"), "000008");
    translated(";;select 1;;");
}

static void
syntax_errors_say_where(void **state)
{
    (void)state;
    assert_string_equal(refused("select 1 from"), "001003");
    assert_string_equal(failure.message,
        "SQL compilation error:\nsyntax error line 1 at position 13 unexpected '<EOF>'.");
    assert_string_equal(refused("select\n  a b c"), "001003");
    assert_string_equal(failure.message,
        "SQL compilation error:\nsyntax error line 2 at position 6 unexpected 'c'.");
    assert_string_equal(failure.sqlstate, "42000");
}

static void
tables_need_a_warehouse_and_metadata_does_not(void **state)
{
    (void)state;
    assert_int_equal(read_with("select * from t", NULL), -1);
    assert_string_equal(failure.code, "000606");
    assert_int_equal(read_with("select * from t", "NOPE"), -1);
    assert_int_equal(read_with("select 1", NULL), 0);
    assert_int_equal(read_with("show tables", NULL), 0);
    assert_int_equal(read_with("select * from information_schema.tables", NULL), 0);
}

/* Whatever is cut off or put in, the reader answers and does not crash. */
static void
broken_statements_are_survived(void **state)
{
    static const char *const whole[] = {
        "with c(a) as (select 1) select a, count(distinct b) over (partition by x order by y desc "
        "rows between 1 preceding and current row) from c left join lateral flatten(input => "
        "c.v:a.b[0]['k'], outer => true) f on true where x in (select 1) and y between 1 and 2 "
        "group by rollup(a, b) having max(z) > 1 qualify row_number() over (order by 1) = 1 "
        "order by a nulls first limit 1 offset 2",
        "create or replace table a.b.c(x number(3,2) not null default 1/2 comment 'c', "
        "constraint p primary key (x)) cluster by (x) comment = 'y'",
        "show terse tables like 'a%' in schema a.b starts with 'c' limit 3 from 'd'",
        "insert into t(a, b) values (1, default), (2, 'x'::date)",
        "select case a when 1 then 2 else 3 end, cast(x as number(3)), {'a': [1, b]}, dateadd(day, "
        "1, d), x:a::string from table(generator(rowcount => 5)) t(x), values (1, 2) v",
    };

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        size_t n = strlen(whole[i]);
        for (size_t cut = 0; cut < n; cut++) {
            char *head = strndup(whole[i], cut);
            read_with(head, "COMPUTE_WH");
            free(head);
            read_with(whole[i] + cut, "COMPUTE_WH");
            char *holed = strdup(whole[i]);
            holed[cut] = "(),;'\"[:"[cut % 8];
            read_with(holed, "COMPUTE_WH");
            free(holed);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_qualified_and_upper_case),
        cmocka_unit_test(a_name_of_with_is_not_a_table),
        cmocka_unit_test(texts_are_quoted_and_nothing_else),
        cmocka_unit_test(unnamed_columns_are_called_by_their_text),
        cmocka_unit_test(division_asks_for_the_types_first),
        cmocka_unit_test(equal_expressions_share_their_probe),
        cmocka_unit_test(only_functions_of_the_list_are_called),
        cmocka_unit_test(statements_of_duckdb_are_no_statements),
        cmocka_unit_test(a_second_statement_is_counted_not_run),
        cmocka_unit_test(syntax_errors_say_where),
        cmocka_unit_test(tables_need_a_warehouse_and_metadata_does_not),
        cmocka_unit_test(broken_statements_are_survived),
    };

    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
