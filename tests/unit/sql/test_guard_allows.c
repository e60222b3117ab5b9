/* test_guard_allows.c - what only reads is let through by the strictest policy. */
#include "must.h"
#include "sql/guard.h"
#include "sql/sql_lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const plain[] = {
    "select 1",
    "SELECT 1;",
    "select 1 ;  -- done",
    "select 1;;",
    "/* a */ select /* b */ 1 // c",
    "/**/ select 1 /***/ /* * / ** */",
    "select 1 -- c\r\n, 2",
    "-- only this\nselect 1",
    "select\t1\f\v\r, 2",
    "select .5, 1., 1e-3, 1.5E+10, -2, 1e",
    "select 'it''s', 'a\\'b', '\\\\', 'line\nbreak', ''",
    "select '\\'', 1",
    "select 'a -- b', 'a // b', 'a /* b'",
    "select $$a ' \" ; -- /* $ b$$",
    "select $$;drop table t$$",
    "select ';drop table t', \";drop table t\" from t",
    "select '->> insert', '--', '/*', '//' from t",
    "select * from t limit $$$$",
    "select * from t limit null offset 5",
    "select * from t order by a fetch first 5 rows only",
    "select a, b, c, from t",
    "select 2 ** 3",
    "select -1 - -1, a-b, a - b, a- -b",
    "select a||b, a<>b, a!=b, a<=b, a>=b from t",
    "select a/b, a / b, a % b",
    "select count(*)/*c*/, */*c*/ from t",
    "select top 5 * from t",
    "select distinct a from t",
    "select all a from t",
    "select t.* from db.schema.\"My \"\"Table\"\"\" t",
    "select \"SELECT\", \"drop\" from \"INSERT\"",
    "select \"a\\b\" from t",
    "select * from db..t",
    "select $1, t.$2, $1:a.b from t",
    "select $v, $v + 1",
    "select * from t where a = ? and b = :x and c = :1",
    "select x'41', X'4142'",
    "select date '2026-01-01', timestamp '2026-01-01 00:00:00', interval '1 day'",
    "select 'na\xC3\xAFve \xE2\x80\xA8 \xF0\x9F\x98\x80' as \"caf\xC3\xA9\" -- \xC3\xA9",
    "select * from t as t (a, b)",
    "select * from t where a is not distinct from b and c is distinct from f(d)",
    "select case when a then b else c end from t",
    "select cast(a as decimal(10, 2)), a::number(38, 0), try_cast(a as varchar(20)) from t",
    "select a::timestamp_ntz(9)::date from t",
    "select a from t where b in (1, 2, 3) and c not in (select d from u) and (a, b) in ((1, 2))",
    "select exists (select 1 from t), (select max(a) from t), 1 = any (select b from t)",
    "select * from a, b where a.id = b.id (+) and f(b.x)(+) = 1",
    "select * from a, b where a.id = b.id(+)",
    "select * from t where x like any ('a%', 'b%') escape '^'",
    "select position('a' in b), trim(both 'x' from y), extract(year from d), substring(a from 2)",
    "select extract(year from to_date(x)) from t where extract(day from f(y)) = 1",
    "select insert('abc', 1, 2, 'Z'), replace('a', 'b'), truncate(1.5, 0), left(a, 1), right(a, 2)",
    "select a as begin, b as copy, c as call, d as merge, e as comment from t",
    "select begin, copy, call, merge, set, comment, use, get, put, remove from t",
    "select begin copy, call merge from t",
    "select (begin), (comment is null), (merge + 1), (copy between 1 and 2), (call in (1)) from t",
    "select max(comment), count(distinct call), first_value(set ignore nulls) over (order by a)",
    "select t.delete, t.update, t.into, t.from, t.select from t",
    "select 1 as \"INTO\", \"UPDATE\" from t",
    "select 'for update', \"FOR\" from t",
    "select * from t where action = 'INSERT' or metadata$action = 'DELETE'",
    "select f(into => 1, from => 2, select => 3)",
    "select my_udf(a), \"My Udf\"(b) from t",
    "select nextval, t.a from t",
    "select identifier from t",
    "select identifier('a'), identifier('\"b c\"') from identifier('db.s.t')",
    "select identifier('upper')(a) from t",
    "select * from identifier($$db.s.t$$) t",
    "select current_user(), current_timestamp, current_role(), last_query_id()",
    "select system$typeof(a), SYSTEM$CLUSTERING_INFORMATION('t'), system$stream_has_data('s')",
    "select system$clustering_depth('t'), system$explain_plan_json('select 1')",
    "select system$explain_json_to_text(x), system$estimate_query_acceleration('id')",
    "select system$last_change_commit_time('t'), system$pipe_status('p'), system$get_tag('a', 'b')",
    "select \"SYSTEM$TYPEOF\"(1)",
    "select get_ddl('table', 't'), hash(*), seq4(), uniform(1, 2, random())",
    "select translate('a', 'b', 'c'), sentiment, complete, summarize from t",
    "select to_varchar(a, '$99') from t",
};

static const char *const queries[] = {
    "select 1 union select 2 union all select 3",
    "select 1 union all by name select 2",
    "select 1 union distinct select 2",
    "select 1 intersect select 2 except select 3 minus select 4",
    "select 1 union values (2)",
    "(select 1)",
    "((select 1))",
    "(select 1) union (select 2) order by 1 limit 3",
    "(select 1 union select 2) except (select 3);",
    "((select 1) union (select 2) limit 1) offset 2",
    "(with a as (select 1) select * from a)",
    "((with a as (select 1) select * from a) union all select 2)",
    "with a as (select 1) select * from a",
    "with a (x, y) as (select 1, 2), b as (select * from a) select * from a, b",
    "with recursive a (n) as (select 1 union all select n + 1 from a where n < 5) select * from a",
    "with recursive as (select 1) select * from recursive",
    "with recursive (n) as (select 1) select * from recursive",
    "with a as ((select 1) union (select 2)) select * from a",
    "with a as (with b as (select 1) select * from b) select * from a",
    "with a as (values (1), (2)) select * from a",
    "with a as (select 1) (select * from a)",
    "with \"a b\" as (select 1) select * from \"a b\"",
    "with call (comment, begin) as (select 1, 2) select * from call",
    "with procedure as (select 1) select * from procedure",
    "with m as model db.s.m version v1 select 1",
    "with m as model db.s.m, a as (select 1) select * from a",
    "select * from (select 1) a, (with b as (select 2) select * from b) c",
    "select * from ((select 1) union (select 2)) a",
    "select * from ((select 1) a join (select 2) b on true)",
    "select * from (a join b on a.x = f(b.y)), c",
    "select * from a join b using (x) left outer join c on c.x = upper(a.y) natural join d",
    "select * from a cross join b full outer join c on true right join d on 1 = 1",
    "select * from a asof join b match_condition (a.t >= b.t) on a.id = b.id",
    "select * from a inner join lateral (select * from b where b.x = a.x) c",
    "select * from t, lateral flatten(input => t.v:items, outer => true) f",
    "select * from t, lateral flatten(input => parse_json(t.v)) f, lateral flatten(f.value:x) g",
    "select * from table(flatten(input => parse_json('[1]')))",
    "select * from table(generator(rowcount => 10)) g, table(split_to_table('a.b', '.')) s",
    "select * from t, table(strtok_split_to_table(t.a, ' ')) where f(x)",
    "select * from table(information_schema.query_history(result_limit => 10)) order by start_time",
    "select * from table(db.information_schema.query_history_by_user())",
    "select * from "
    "table(snowflake.information_schema.warehouse_metering_history(dateadd('d',-1,current_date()))"
    ")",
    "select * from table(information_schema.tag_references('t', 'table'))",
    "select * from table(information_schema.task_dependents(task_name => 't'))",
    "select * from table(information_schema.copy_history(table_name => 't', start_time => f(x)))",
    "select * from information_schema.tables where table_schema = 'PUBLIC'",
    "select * from table(information_schema.network_rule_references(network_rule_name => 'n'))",
    "select {fn now()}, {d '2026-01-01'}, a::vector(float, 3), [1, 2]::vector(int, 2)",
    "select a::object(b int, c varchar), a::map(varchar, int), a::array(number(3, 1))",
    "select get(v, 'a'), get_path(v, 'a.b'), search((a, b), 'x'), search(*, 'y') from t",
    "select * from t unpivot (a for b in (c as 'x')) where a is not null order by 1 nulls last",
    "select connect_by_root a, sys_connect_by_path(a, '/') from t start with a = 1 connect by b = "
    "prior a",
    "select * from (((t)))",
    "select nth_value(a, 2) from first over (order by b), f(c) from t",
    "select nth_value(a, 2) from last ignore nulls over (order by b) x from t union select 1, 2",
    "select max(a) from first",
    "select max(a) from last over_ where f(b)",
    "select * from table(flatten(input => select parse_json(a) from t)) f",
    "select * from (table(flatten(input => x))) f",
    "select * from comment, model m, list as ls, text desc_",
    "select * from t as v sample system (3) repeatable (99)",
    "select f(a => (select max(b) from t), c => [1, 2])",
    "select count(*) over (), max(a) keep from t group by 1, 2 order by 3 desc nulls first limit "
    "10",
    "select * from table(get_object_references(database_name => 'd'))",
    "select * from table(validate(t, job_id => '_last'))",
    "select * from table('db.s.t')",
    "select * from table($$db.s.t$$)",
    "select * from table('\"My Table\"')",
    "select * from table(db.s.t)",
    "select * from table(identifier('t'))",
    "select * from values (1, 'a'), (2, 'b') as v (x, y)",
    "select * from (values (1, f(2)), (g(3), 4)) v",
    "select * from values (1), (f(2)), (3) v, t",
    "select * from t at (timestamp => '2026-01-01'::timestamp)",
    "select * from t at (offset => -60*5) as x, u before (statement => 'id')",
    "select * from t changes (information => default) at (timestamp => to_timestamp('2026')) end "
    "(offset => -1)",
    "select * from t sample (10), u tablesample bernoulli (5) seed (3), v sample row (10 rows)",
    "select * from t pivot (sum(a) for m in ('x', 'y')) as p (b, c)",
    "select * from t pivot (sum(a) for m in (any order by m)) p",
    "select * from t pivot (max(a) for m in (select distinct m from t))",
    "select * from t unpivot (a for b in (c, d)) order by f(x), g(y)",
    "select * from t unpivot include nulls (a for update_type in (c as 'x', d))",
    "select a, row_number() over (partition by b order by c) rn from t qualify rn = 1",
    "select sum(a) over (order by b rows between unbounded preceding and current row) from t",
    "select listagg(a, ',') within group (order by a), count(*) filter (where a > 1) from t",
    "select a, count(*) from t where b group by a, f(c) having count(*) > 1 order by 2, g(a)",
    "select a from t group by grouping sets ((a), (b), ()), cube (a), rollup (a, b)",
    "select a from t group by all order by all",
    "select a from t start with b = 1 connect by prior c = d and f(e) = 1 order siblings by a",
    "select * exclude (a, b) replace (f(c) as c) rename (d as e) from t",
    "select * ilike '%id%' exclude comment rename (x as copy) from t",
    "select t.* exclude a, u.* from t, u",
    "select filter(a, x -> x > 1), transform(a, (x, y) -> x + y), reduce(a, 0, (acc, v) -> acc + "
    "v)",
    "select transform(a, x int -> x + 1), filter(a, x -> x:v >= 10)",
    "select v:a.b[0].\"c d\"::string, v['a']['b'], v:a[0].b.c.d.e.f.g.h, v:into, v:from.select "
    "from t",
    "select v:nextval, v:a.nextval, v:a[0].nextval from t",
    "select src:a : b from t",
    "select {'a': 1, 'b': f(x), 'c': v:d.e}, [1, 2, f(3)], {}, [], {*}, {* ilike 'a%'}",
    "select a[0], a[1:2], f(x)[0], f(x):a.b from t",
    "select * from semantic_view(db.s.v metrics a.b dimensions c.d where c.d > 1) x",
    "select * from t match_recognize (partition by a order by b measures final last(c) as d, "
    "match_number() as m one row per match after match skip past last row "
    "pattern (^ a b+ (c | d)* {- e -} f{2,3}? permute(g, h) $) define a as a.x > lag(b.x)) m",
    "select * from t match_recognize (order by b pattern (a? (b c)+ (d)) subset s = (a, b) "
    "define update as f(x), b as true)",
    "select * from t limit 5",
    "select a, (select b from u limit 1) from t where c > (select avg(d) from e) limit 10 offset 5",
    "select $1 from t where to_date(a) = current_date()",
    "select ai, cortex, model, version from t",
    "select date_trunc('month', a), dateadd(day, -7, b), datediff('s', begin, end) from t",
    "select xmlget(a, 'b'):\"$\"::string, a:\"$1\" from t",
    "select array_construct(1, 2)[0], object_construct('a', 1):a, to_json(parse_json('{}'))",
    "select regexp_like(a, '^x$'), a regexp 'b\\\\d', a rlike 'c' from t",
    "select a from t where contains(b, 'delete from t; drop table u')",
    "select * from result_scan, set_of_things, system",
    "select a.b.c.d from a.b.c",
    "select count(*) from t -- ; drop table t",
    "select count(*) from t /* ; drop table t */",
};

static const char *const metadata[] = {
    "show databases",
    "SHOW TERSE DATABASES HISTORY LIKE 'a%' STARTS WITH 'A' LIMIT 10 FROM 'AB';",
    "show schemas in database \"My Db\"",
    "show terse tables like 'x' in account",
    "show tables history in schema a.b starts with 'x' limit 5 from 'y'",
    "show views in a.b",
    "show materialized views",
    "show columns in table a.b.c",
    "show columns like '%id' in view v",
    "show columns in account",
    "show primary keys in table t",
    "show imported keys in schema s",
    "show exported keys",
    "show unique keys in database d",
    "show grants",
    "show grants to role x",
    "show grants to user u",
    "show grants of role x",
    "show grants on table t",
    "show grants on account",
    "show future grants in schema a.b",
    "show future grants to role x",
    "show grants to share s",
    "show grants to database role d.r",
    "show grants to application a",
    "show grants on function f(number, varchar)",
    "show grants of service role svc!role",
    "show grants to service role a.svc!role",
    "show roles",
    "show database roles in database d",
    "show users like 'a' limit 3",
    "show terse users",
    "show warehouses like 'mcp%'",
    "show parameters like 'TIME%' in account",
    "show parameters in session",
    "show parameters in warehouse w",
    "show parameters for table t",
    "show functions like 'a' in schema b",
    "show user functions",
    "show builtin functions",
    "show external functions",
    "show aggregate functions",
    "show data metric functions",
    "show procedures in account",
    "show builtin procedures",
    "show stages",
    "show file formats",
    "show sequences",
    "show streams",
    "show tasks",
    "show pipes",
    "show alerts",
    "show dynamic tables",
    "show external tables",
    "show hybrid tables",
    "show iceberg tables",
    "show event tables",
    "show indexes in table t",
    "show integrations",
    "show api integrations",
    "show network policies",
    "show network rules",
    "show masking policies",
    "show row access policies",
    "show session policies",
    "show password policies",
    "show tags in account",
    "show shares",
    "show locks in account",
    "show transactions",
    "show variables like 'a'",
    "show objects in database d",
    "show regions",
    "show organization accounts",
    "show managed accounts",
    "show replication databases",
    "show failover groups",
    "show resource monitors",
    "show secrets",
    "show models in schema s",
    "show versions in model m",
    "show cortex search services",
    "show agents",
    "show mcp servers",
    "show semantic views",
    "show semantic dimensions in v for metric m",
    "show semantic metrics",
    "show services in compute pool p",
    "show compute pools",
    "show image repositories",
    "show notebooks",
    "show streamlits",
    "show git repositories",
    "show git branches in git repository r",
    "show delegated authorizations by user u",
    "show user programmatic access tokens for user u",
    "show contacts",
    "show data metric functions in account",
    "show tables in identifier('db.s')",
    "show tables like 'a;b' -- c",
    "desc table t",
    "describe table a.b.\"C\" type = columns",
    "desc table t type = stage",
    "describe view v",
    "desc user u",
    "desc warehouse w",
    "desc function f(int, varchar)",
    "describe procedure db.s.p(number)",
    "desc stage s",
    "desc file format f",
    "describe result '01be0a44-0102-3c1d-0000-0a11000b2f06'",
    "desc result last_query_id()",
    "describe integration i",
    "desc semantic view v",
    "describe mcp server m",
    "describe cortex search service s",
    "desc database d",
    "desc schema s",
    "describe masking policy m",
    "desc transaction 123",
    "describe task t",
    "desc stream \"S\"",
    "explain select * from t",
    "explain using tabular select 1",
    "EXPLAIN USING JSON with a as (select 1) select * from a",
    "explain using text (select 1) union (select 2);",
};

static void
check_all(const char *const *sql, size_t n)
{
    static const struct guard_policy strictest;
    struct guard_verdict v;
    size_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        guard_check(&strictest, str_of(sql[i]), &v);
        if (!v.allowed || v.rule != GUARD_OK || v.message[0] != '\0' || v.fingerprint == 0) {
            print_error("%s\n    %s\n", sql[i], v.message);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

static void
plain_selects_are_allowed(void **state)
{
    check_all(plain, NELEM(plain));
}

static void
queries_of_every_shape_are_allowed(void **state)
{
    check_all(queries, NELEM(queries));
}

static void
show_describe_and_explain_are_allowed(void **state)
{
    check_all(metadata, NELEM(metadata));
}

/* The same statements with something that acts put between any two of their words. */
static void
what_acts_is_refused_wherever_it_stands(void **state)
{
    static const char *const acts[] = {
        "system$wait(1)",
        "\"system$wait\"(1)",
        "table(p())",
        "identifier($v)",
        "ai_complete(1)",
        "s.f(1)",
        "m!f(1)",
        "@s",
        "->> call p()",
        "; drop table t",
    };
    static const struct guard_policy strictest;
    size_t bad = 0;

    for (size_t i = 0; i < NELEM(plain) + NELEM(queries); i++) {
        const char *sql = i < NELEM(plain) ? plain[i] : queries[i - NELEM(plain)];
        struct sql_lexer l;
        struct sql_token t = { .kind = SQL_NAME };

        sql_lex_init(&l, str_of(sql));
        while (t.kind != SQL_END) {
            sql_lex_next(&l, &t);
            for (size_t k = 0; k < NELEM(acts); k++) {
                struct guard_verdict v;
                char text[2000];
                int n = snprintf(
                    text, sizeof text, "%.*s\n%s %s", (int)t.offset, sql, acts[k], sql + t.offset);
                assert_true(n > 0 && (size_t)n < sizeof text);
                guard_check(&strictest, str_of(text), &v);
                if (v.allowed)
                    print_error("%s\n", text);
                bad += v.allowed;
            }
        }
    }
    assert_int_equal(bad, 0);
}

static void
the_kind_follows_the_first_word(void **state)
{
    static const struct guard_policy p = { .allow_list_files = true };
    static const struct {
        const char *sql;
        enum guard_statement kind;
    } cases[] = {
        { "select 1", GUARD_SELECT },
        { "(select 1)", GUARD_SELECT },
        { "with a as (select 1) select 1", GUARD_SELECT },
        { "show tables", GUARD_SHOW },
        { "desc table t", GUARD_DESCRIBE },
        { "describe table t", GUARD_DESCRIBE },
        { "explain select 1", GUARD_EXPLAIN },
        { "list @s", GUARD_LIST },
        { "ls @~/a pattern = '.*'", GUARD_LIST },
    };
    struct guard_verdict v;

    for (size_t i = 0; i < NELEM(cases); i++) {
        guard_check(&p, str_of(cases[i].sql), &v);
        assert_true(v.allowed);
        assert_int_equal(v.kind, cases[i].kind);
    }
}

static void
options_open_what_they_name(void **state)
{
    static const char *const schemas[] = { "UTIL", "mydb.tools", "\"lower\"", NULL };
    static const char *const procedures[] = { "REPORT", "db.s.proc", NULL };
    static const char *const functions[] = { "PRICES.NET", "SYSTEM$WHITELIST", NULL };
    static const struct guard_policy p = {
        .allow_stage_reads = true,
        .allow_list_files = true,
        .allow_sequences = true,
        .allow_ai = true,
        .allow_result_scan = true,
        .function_schemas = schemas,
        .procedures = procedures,
        .allowed_functions = functions,
    };
    static const char *const sql[] = {
        "select $1 from @stage/a.csv (file_format => 'f') t",
        "select $1 from @~/a, @%t, @db.s.st/x=1/y-2.csv",
        "select $1 from @\"q\".\"s\"/a",
        "select $1 from '@stage/a b'",
        "select get_presigned_url(@s, 'a'), build_scoped_file_url(@s, 'b'), to_file('@s', 'c')",
        "select * from directory(@s)",
        "select * from table(infer_schema(location => '@s', file_format => 'f'))",
        "list @s",
        "ls '@s/a b'",
        "select seq.nextval, db.s.seq.nextval, s.\"NEXTVAL\"",
        "select n from t, table(getnextval(seq)) s",
        "select ai_complete('m', 'p'), snowflake.cortex.sentiment(a), complete('m', 'p')",
        "select * from table(result_scan('id')), table(result_scan(last_query_id()))",
        "select util.f(1), mydb.tools.g(2), \"lower\".h(3), \"UTIL\".f(1), util.set_x()",
        "select * from table(util.f(1)), lateral mydb.tools.t(2)",
        "select * from table(report(1)), table(db.s.proc())",
        "select prices.net(1), system$whitelist()",
        "select identifier('util.f')(1), identifier('UTIL').f(2)",
    };

    for (size_t i = 0; i < NELEM(sql); i++) {
        struct guard_verdict v;
        guard_check(&p, str_of(sql[i]), &v);
        if (!v.allowed)
            print_error("%s\n    %s\n", sql[i], v.message);
        assert_true(v.allowed);
    }
}

static void
the_statement_ends_before_its_semicolon(void **state)
{
    static const struct guard_policy p;
    static const struct {
        const char *sql;
        size_t bytes;
    } cases[] = {
        { "select 1", 8 },
        { "select 1;", 8 },
        { "select 1  ; -- x", 8 },
        { "select ';' ", 10 },
        { "-- a\nselect 1 /* ; */ ;;", 13 },
    };
    struct guard_verdict v;

    for (size_t i = 0; i < NELEM(cases); i++) {
        guard_check(&p, str_of(cases[i].sql), &v);
        assert_true(v.allowed);
        assert_int_equal(v.statement_bytes, cases[i].bytes);
    }
}

static uint64_t
fingerprint(const char *sql)
{
    static const struct guard_policy p;
    struct guard_verdict v;

    guard_check(&p, str_of(sql), &v);
    return v.fingerprint;
}

static void
a_fingerprint_ignores_literals_case_and_blanks(void **state)
{
    uint64_t one = fingerprint("select a from t where b = 1 and c in (1, 2, 3)");

    assert_true(one == fingerprint("SELECT a\nFROM T /* x */ WHERE B=22 AND c IN ('x');"));
    assert_true(one == fingerprint("select a from t where b = ? and c in (?, ?)"));
    assert_true(one != fingerprint("select a from t where b = 1 and d in (1, 2, 3)"));
    assert_true(one != fingerprint("select a from t where b > 1 and c in (1, 2, 3)"));
    assert_true(fingerprint("select a b") != fingerprint("select ab"));
    assert_true(fingerprint("select 1, a") != fingerprint("select 1 a"));
    assert_true(fingerprint("select \"a\"") != fingerprint("select \"A\""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_selects_are_allowed),
        cmocka_unit_test(queries_of_every_shape_are_allowed),
        cmocka_unit_test(show_describe_and_explain_are_allowed),
        cmocka_unit_test(what_acts_is_refused_wherever_it_stands),
        cmocka_unit_test(the_kind_follows_the_first_word),
        cmocka_unit_test(options_open_what_they_name),
        cmocka_unit_test(the_statement_ends_before_its_semicolon),
        cmocka_unit_test(a_fingerprint_ignores_literals_case_and_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
