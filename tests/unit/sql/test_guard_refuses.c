/* test_guard_refuses.c - what could write, act or leak is refused, and by which rule.  The near
 * misses that must pass stand in test_guard_allows.c. */
#include "must.h"
#include "sql/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct refusal {
    enum guard_rule rule;
    const char *sql;
};

static const struct refusal refusals[] = {
    { GUARD_EMPTY, "" },
    { GUARD_EMPTY, " \n\t" },
    { GUARD_EMPTY, "-- select 1" },
    { GUARD_EMPTY, "/* select 1 */" },
    { GUARD_NOT_A_READ, ";" },
    { GUARD_NOT_A_READ, "; select 1" },

    /* 8.1: the text itself */
    { GUARD_LEXICAL, "select 'a" },
    { GUARD_LEXICAL, "select '\\'" },
    { GUARD_LEXICAL, "select 'a\\" },
    { GUARD_LEXICAL, "select \"a" },
    { GUARD_LEXICAL, "select \"\"" },
    { GUARD_LEXICAL, "select \"a\\\" from t" },
    { GUARD_LEXICAL, "select $$a" },
    { GUARD_LEXICAL, "select $$a$" },
    { GUARD_ONE_STATEMENT, "select $tag$; drop table t; $tag$" },
    { GUARD_LEXICAL, "select 1 /* a" },
    { GUARD_LEXICAL, "select 1 /*/ a" },
    { GUARD_LEXICAL, "select 1 /*/ drop table t /*/" },
    { GUARD_LEXICAL, "select 1 /* a /* b */ c */" },
    { GUARD_LEXICAL, "select 1 -- a\rdrop table t" },
    { GUARD_LEXICAL, "select 1 // a\rdrop table t" },
    { GUARD_LEXICAL, "select 1 -- a\x0B; drop table t" },
    { GUARD_LEXICAL, "select 1 -- a\x0C; drop table t" },
    { GUARD_LEXICAL, "select 1 -- a\xC2\x85; drop table t" },
    { GUARD_LEXICAL, "select 1 -- a\xE2\x80\xA8; drop table t" },
    { GUARD_LEXICAL, "select 1 -- a\xE2\x80\xA9; drop table t" },
    { GUARD_LEXICAL, "select\xC2\xA0"
                     "1" },
    { GUARD_LEXICAL, "\xEF\xBB\xBFselect 1" },
    { GUARD_LEXICAL, "select \xE2\x80\x98"
                     "a\xE2\x80\x99" },
    { GUARD_LEXICAL, "select caf\xC3\xA9 from t" },
    { GUARD_LEXICAL, "select '\xC0\xA7'" },
    { GUARD_LEXICAL, "select 1 # a" },
    { GUARD_LEXICAL, "select `a`" },
    { GUARD_LEXICAL, "select 1 \\ 2" },
    { GUARD_LEXICAL, "select &a" },
    { GUARD_LEXICAL, "select a$$b from t" },
    { GUARD_LEXICAL, "select $1$$a$$" },
    { GUARD_LEXICAL, "select $v$$a$$" },
    { GUARD_LEXICAL, "select 1$$a$$" },
    { GUARD_LEXICAL, "select 'ok' union select \x01" },

    /* 8.2: the first word */
    { GUARD_NOT_A_READ, "insert into t values (1)" },
    { GUARD_NOT_A_READ, "update t set a = 1" },
    { GUARD_NOT_A_READ, "delete from t" },
    { GUARD_NOT_A_READ, "merge into t using u on 1 = 1 when matched then delete" },
    { GUARD_NOT_A_READ, "truncate table t" },
    { GUARD_NOT_A_READ, "create table t (a int)" },
    { GUARD_NOT_A_READ, "create or replace view v as select 1" },
    { GUARD_NOT_A_READ, "alter session set query_tag = 'a'" },
    { GUARD_NOT_A_READ, "drop table t" },
    { GUARD_NOT_A_READ, "undrop table t" },
    { GUARD_NOT_A_READ, "grant role a to user b" },
    { GUARD_NOT_A_READ, "revoke role a from user b" },
    { GUARD_NOT_A_READ, "call p()" },
    { GUARD_NOT_A_READ, "execute immediate 'select 1'" },
    { GUARD_NOT_A_READ, "execute task t" },
    { GUARD_NOT_A_READ, "execute using policy_context(a => b) as select 1" },
    { GUARD_NOT_A_READ, "begin select 1; end" },
    { GUARD_NOT_A_READ, "begin" },
    { GUARD_NOT_A_READ, "commit" },
    { GUARD_NOT_A_READ, "rollback" },
    { GUARD_NOT_A_READ, "declare a int; begin return 1; end" },
    { GUARD_NOT_A_READ, "let a := 1" },
    { GUARD_NOT_A_READ, "set a = 1" },
    { GUARD_NOT_A_READ, "unset a" },
    { GUARD_NOT_A_READ, "use role accountadmin" },
    { GUARD_NOT_A_READ, "copy into @s from t" },
    { GUARD_NOT_A_READ, "copy into t from @s" },
    { GUARD_NOT_A_READ, "put file:///etc/passwd @s" },
    { GUARD_NOT_A_READ, "get @s file:///tmp" },
    { GUARD_NOT_A_READ, "remove @s" },
    { GUARD_NOT_A_READ, "rm @s" },
    { GUARD_NOT_A_READ, "comment on table t is 'a'" },
    { GUARD_NOT_A_READ, "values (1)" },
    { GUARD_NOT_A_READ, "from t select 1" },
    { GUARD_NOT_A_READ, "table t" },
    { GUARD_NOT_A_READ, "\"select\" 1" },
    { GUARD_NOT_A_READ, "'select 1'" },
    { GUARD_NOT_A_READ, "$$select 1$$" },
    { GUARD_NOT_A_READ, "identifier('select') 1" },
    { GUARD_NOT_A_READ, "selects 1" },
    { GUARD_NOT_A_READ, "sel/**/ect 1" },
    { GUARD_NOT_A_READ, "explain insert into t select 1" },
    { GUARD_NOT_A_READ, "explain using text drop table t" },
    { GUARD_NOT_A_READ, "explain show tables" },
    { GUARD_NOT_A_READ, "explain explain select 1" },
    { GUARD_NOT_A_READ, "explain" },
    { GUARD_NOT_A_READ, "explain using xml select 1" },
    { GUARD_LIST_FILES, "list @s" },
    { GUARD_LIST_FILES, "ls @~" },
    { GUARD_LIST_FILES, "desc stage @s" },

    /* 8.3: writes that begin like a read */
    { GUARD_ONE_STATEMENT, "select 1; drop table t" },
    { GUARD_ONE_STATEMENT, "select 1;/* */ -- a\ndrop table t" },
    { GUARD_ONE_STATEMENT, "select '\\''; drop table t" },
    { GUARD_ONE_STATEMENT, "select '\\\\'; drop table t --'" },
    { GUARD_ONE_STATEMENT, "select $$'$$; drop table t --$$" },
    { GUARD_ONE_STATEMENT, "select $$\\$$; drop table t --$$" },
    { GUARD_ONE_STATEMENT, "select \"\"\"\"; drop table t --\"" },
    { GUARD_ONE_STATEMENT, "select 1 -- a\n; drop table t" },
    { GUARD_ONE_STATEMENT, "select 1 -- a\r\n; drop table t" },
    { GUARD_ONE_STATEMENT, "select 1 // '\n; drop table t --'" },
    { GUARD_ONE_STATEMENT, "select 1 /* /* */; drop table t" },
    { GUARD_ONE_STATEMENT, "select 1 /* \\*/; drop table t --*/" },
    { GUARD_ONE_STATEMENT, "show tables; drop table t" },
    { GUARD_ONE_STATEMENT, "desc table t; drop table t" },
    { GUARD_ONE_STATEMENT, "explain select 1; drop table t" },
    { GUARD_ONE_STATEMENT, "select 1; select 2" },
    { GUARD_ONE_STATEMENT, "(select 1); select 2" },
    { GUARD_FLOW, "select 1 ->> insert into t select * from $1" },
    { GUARD_FLOW, "show tables ->> select * from $1" },
    { GUARD_FLOW, "desc table t->>drop table t" },
    { GUARD_FLOW, "(select 1)->>drop table t" },
    { GUARD_FLOW, "with a as (select 1) select 1 ->> call p()" },
    { GUARD_FLOW, "select 1 ->/**/> call p()" },
    { GUARD_FLOW, "select 1 - >> call p()" },
    { GUARD_FLOW, "explain select 1 ->> drop table t" },
    { GUARD_INTO, "select a into :v from t" },
    { GUARD_INTO, "select a INTO b from t" },
    { GUARD_INTO, "select * from (select a into :v from t)" },
    { GUARD_INTO, "with a as (select 1 into :v) select * from a" },
    { GUARD_INTO, "(select 1) into :v" },
    { GUARD_INTO, "select 1 union select 2 into :v" },
    { GUARD_FOR_UPDATE, "select * from t for update" },
    { GUARD_FOR_UPDATE, "select * from t for/**/UPDATE nowait" },
    { GUARD_FOR_UPDATE, "(select * from t for update)" },
    { GUARD_FOR_UPDATE, "(select * from t) for update" },
    { GUARD_FOR_UPDATE, "with a as (select 1) select * from t for update of t" },
    { GUARD_WITH_PROCEDURE, "with p as procedure () returns int as 'x' call p()" },
    { GUARD_WITH_PROCEDURE,
        "with p as procedure (a int) returns int language sql as $$x$$ call p(1)" },
    { GUARD_WITH_PROCEDURE, "with p() as procedure returns int as 'x' call p()" },
    { GUARD_WITH_PROCEDURE, "with a as (select 1), p as procedure () returns int as 'x' call p()" },
    { GUARD_WITH_PROCEDURE,
        "with p as/**/PROCEDURE () returns int as 'x', a as (select 1) call p()" },
    { GUARD_WITH_PROCEDURE, "(with p as procedure () returns int as 'x' call p())" },
    { GUARD_WITH_PROCEDURE, "select * from (with p as procedure () returns int as 'x' call p())" },
    { GUARD_WITH_SELECT, "with a as (select 1) call p()" },
    { GUARD_WITH_SELECT, "with a as (select 1) insert into t select * from a" },
    { GUARD_WITH_SELECT, "with a as (select 1) delete from t" },
    { GUARD_WITH_SELECT, "with a as (select 1)" },
    { GUARD_WITH_SELECT, "with a as (select 1);" },
    { GUARD_WITH_SELECT, "with a as (select 1) show tables" },
    { GUARD_WITH_SELECT, "with a as select 1 select 2" },
    { GUARD_WITH_SELECT, "with a (f(x)) as (select 1) select 2" },
    { GUARD_WITH_SELECT, "with a (b int) as procedure () call a()" },
    { GUARD_WITH_SELECT, "with f as function (select 1) select 2" },
    { GUARD_WITH_SELECT, "with 'a' as (select 1) select 2" },
    { GUARD_WITH_SELECT, "(with a as (select 1))" },
    { GUARD_WITH_SELECT, "with" },
    { GUARD_SUBQUERY, "with a as (insert into t values (1)) select * from a" },
    { GUARD_SUBQUERY, "with a as (show tables) select * from a" },
    { GUARD_SUBQUERY, "with a as (call p()) select * from a" },
    { GUARD_SUBQUERY, "with a as () select 1" },
    { GUARD_SUBQUERY, "(drop table t)" },
    { GUARD_SUBQUERY, "((insert into t select 1))" },
    { GUARD_SUBQUERY, "()" },
    { GUARD_SUBQUERY, "select 1 union" },
    { GUARD_SUBQUERY, "select 1 union delete from t" },
    { GUARD_SUBQUERY, "(select 1) union all (drop table t)" },
    { GUARD_SUBQUERY, "select 1 from t minus call p()" },
    { GUARD_SUBQUERY, "(select 1 union)" },
    { GUARD_WRITE_WORD, "select * from (insert into t values (1))" },
    { GUARD_WRITE_WORD, "select * from (delete from t)" },
    { GUARD_WRITE_WORD, "select * from (call p())" },
    { GUARD_WRITE_WORD, "select (update t set a = 1)" },
    { GUARD_WRITE_WORD, "select a in (drop table t)" },
    { GUARD_WRITE_WORD, "select 1 drop table t" },
    { GUARD_WRITE_WORD, "select 1 from t delete from t" },
    { GUARD_WRITE_WORD, "select * from t create table u" },
    { GUARD_WRITE_WORD, "select f(merge a)" },
    { GUARD_UNCLASSIFIED,
        "select * from t match_recognize (pattern ((select f(a))) define a as b)" },
    { GUARD_UNCLASSIFIED, "select * from t match_recognize (pattern (table(p())) define a as b)" },
    { GUARD_UNCLASSIFIED, "select * from values p()" },
    { GUARD_UNCLASSIFIED, "select * from t match_recognize (pattern (a into b) define a as b)" },
    { GUARD_SEQUENCE, "select seq.nextval.a" },
    { GUARD_UNCLASSIFIED, "select f(a) from first over (b), p()" },
    { GUARD_UNCLASSIFIED, "select f(a) from first over (b), p() union select 1 from t" },
    { GUARD_UNCLASSIFIED, "select * from (select f(a) from last ignore nulls, p())" },
    { GUARD_TABLE_FUNCTION, "select * from table(flatten(input => select a from t, p()))" },
    { GUARD_UNCLASSIFIED, "select a, f(b => select c, select d)" },
    { GUARD_WITH_SELECT, "with a (b union delete) as (select 1) select 2" },
    { GUARD_SEQUENCE, "select a[1:seq.nextval]" },
    { GUARD_SEQUENCE, "select {'a': {'b': seq.nextval}}" },
    { GUARD_METHOD, "select {'a': m!f(1)}" },
    { GUARD_UNCLASSIFIED, "(select 1) drop table t" },
    { GUARD_UNCLASSIFIED, "(select 1) (select 2)" },
    { GUARD_UNCLASSIFIED, "(select 1) call p()" },
    { GUARD_UNCLASSIFIED, "select 1 select 2" },
    { GUARD_UNCLASSIFIED, "select 1 from a from b" },
    { GUARD_UNCLASSIFIED, "select a := 1" },
    { GUARD_UNCLASSIFIED, "select 'f'(1)" },
    { GUARD_UNCLASSIFIED, "select $f(1)" },
    { GUARD_UNCLASSIFIED, "select ?(1), :f(1)" },
    { GUARD_UNCLASSIFIED, "select :f(1)" },
    { GUARD_UNCLASSIFIED, "select (f)(1)" },
    { GUARD_UNCLASSIFIED, "select f(1)(2)" },
    { GUARD_UNCLASSIFIED, "select a['f'](1)" },
    { GUARD_UNCLASSIFIED, "select v:f(1)" },
    { GUARD_UNCLASSIFIED, "select (a).f(1)" },
    { GUARD_UNCLASSIFIED, "select a $ b" },
    { GUARD_UNCLASSIFIED, "select $\"v\"" },
    { GUARD_UNCLASSIFIED, "select a.b.c.d.e.f(1)" },
    { GUARD_UNCLASSIFIED, "select \"SYSTEM\\$WAIT\"(1)" },
    { GUARD_METHOD, "select m!predict(a) from t" },
    { GUARD_METHOD, "with m as model db.s.m select m!predict(1)" },
    { GUARD_METHOD, "select * from table(m!forecast(forecasting_periods => 3))" },
    { GUARD_TABLE_FUNCTION, "select * from table(p())" },
    { GUARD_TABLE_FUNCTION, "select * from table(\"P\"(1))" },
    { GUARD_TABLE_FUNCTION, "select * from/**/TABLE/**/(/**/p/**/())" },
    { GUARD_TABLE_FUNCTION, "select * from a, table(p()) b" },
    { GUARD_TABLE_FUNCTION, "select * from a join table(p()) b on true" },
    { GUARD_TABLE_FUNCTION, "select * from p()" },
    { GUARD_TABLE_FUNCTION, "select * from a, p(1)" },
    { GUARD_TABLE_FUNCTION, "select * from a join b using (x), p(1)" },
    { GUARD_TABLE_FUNCTION, "select * from a join b on f(a.x, b.y), p(1)" },
    { GUARD_TABLE_FUNCTION, "select * from values (1), (2) v, p(1)" },
    { GUARD_TABLE_FUNCTION, "select * from (p())" },
    { GUARD_TABLE_FUNCTION, "select * from lateral p()" },
    { GUARD_TABLE_FUNCTION, "select * from a, lateral (select * from p())" },
    { GUARD_TABLE_FUNCTION, "select * from table(identifier('p')())" },
    { GUARD_TABLE_FUNCTION, "select * from identifier('p')()" },
    { GUARD_TABLE_FUNCTION, "select (select max(a) from table(p()))" },
    { GUARD_TABLE_FUNCTION, "select a in (select b from p()) from t" },
    { GUARD_TABLE_FUNCTION,
        "select * from (with a as (select * from table(p())) select * from a)" },
    { GUARD_TABLE_FUNCTION, "select * from table(query_history())" },
    { GUARD_TABLE_FUNCTION, "select * from table(call())" },
    { GUARD_TABLE_FUNCTION, "select * from \"TABLE\"(p())" },
    { GUARD_TABLE_FUNCTION, "select * from table(p(table(select 1)))" },
    { GUARD_TABLE_FUNCTION, "select f(table(p()))" },
    { GUARD_TABLE_FUNCTION, "explain select * from table(p())" },
    { GUARD_FUNCTION_SCHEMA, "select * from table(s.p())" },
    { GUARD_FUNCTION_SCHEMA, "select * from table(db.s.p(1))" },
    { GUARD_FUNCTION_SCHEMA, "select s.f(1)" },
    { GUARD_FUNCTION_SCHEMA, "select db.s.f(1) from t" },
    { GUARD_FUNCTION_SCHEMA, "select db..f(1) from t" },
    { GUARD_FUNCTION_SCHEMA, "select s . /* */ f (1)" },
    { GUARD_FUNCTION_SCHEMA, "select \"s\".\"f\"(1)" },
    { GUARD_FUNCTION_SCHEMA, "select identifier('s.f')(1)" },
    { GUARD_FUNCTION_SCHEMA, "select identifier('s').f(1)" },
    { GUARD_FUNCTION_SCHEMA, "select s.identifier('f')(1)" },
    { GUARD_FUNCTION_SCHEMA, "select identifier('db..f')(1)" },
    { GUARD_FUNCTION_SCHEMA, "select identifier($$s.f$$)(1)" },
    { GUARD_FUNCTION_SCHEMA, "select {'a': s.f(1)}" },
    { GUARD_FUNCTION_SCHEMA, "select [s.f(1)]" },
    { GUARD_FUNCTION_SCHEMA, "select a from t order by s.f(1)" },
    { GUARD_FUNCTION_SCHEMA, "select case when s.f(1) then 1 end" },
    { GUARD_FUNCTION_SCHEMA, "select transform(a, x -> s.f(x))" },
    { GUARD_FUNCTION_SCHEMA, "select * from \"information_schema\".f()" },
    { GUARD_FUNCTION_SCHEMA, "select * from table(information_schema.unheard_of())" },
    { GUARD_FUNCTION_SCHEMA, "select * from table(a.b.information_schema.query_history())" },
    { GUARD_FUNCTION_SCHEMA, "select snowflake.notification.text_html('a')" },
    { GUARD_DYNAMIC_NAME, "select * from identifier($v)" },
    { GUARD_DYNAMIC_NAME, "select * from identifier(?)" },
    { GUARD_DYNAMIC_NAME, "select * from identifier(:x)" },
    { GUARD_DYNAMIC_NAME, "select * from identifier('a' || 'b')" },
    { GUARD_DYNAMIC_NAME, "select * from identifier('a' 'b')" },
    { GUARD_DYNAMIC_NAME, "select * from identifier(upper('a'))" },
    { GUARD_DYNAMIC_NAME, "select identifier($f)(1)" },
    { GUARD_DYNAMIC_NAME, "select \"IDENTIFIER\"($f)(1)" },
    { GUARD_DYNAMIC_NAME, "select identifier('p()')" },
    { GUARD_DYNAMIC_NAME, "select identifier('')" },
    { GUARD_DYNAMIC_NAME, "select identifier('a; drop table t')" },
    { GUARD_DYNAMIC_NAME, "select identifier('\\x4')" },
    { GUARD_DYNAMIC_NAME, "select * from table($v)" },
    { GUARD_DYNAMIC_NAME, "select * from table(?)" },
    { GUARD_DYNAMIC_NAME, "select * from table(:x)" },
    { GUARD_DYNAMIC_NAME, "select * from table('p()')" },
    { GUARD_DYNAMIC_NAME, "select * from table('a' || 'b')" },
    { GUARD_DYNAMIC_NAME, "select * from table()" },
    { GUARD_DYNAMIC_NAME, "select * from table(-1)" },
    { GUARD_DYNAMIC_NAME, "select * from 'a'" },
    { GUARD_DYNAMIC_NAME, "select * from $v" },
    { GUARD_DYNAMIC_NAME, "select * from $1" },
    { GUARD_DYNAMIC_NAME, "show tables in identifier($v)" },
    { GUARD_DYNAMIC_SQL, "select * from table(to_query('drop table t'))" },
    { GUARD_DYNAMIC_SQL, "select * from table(\"TO_QUERY\"(sql => $v))" },
    { GUARD_SEQUENCE, "select seq.nextval" },
    { GUARD_SEQUENCE, "select db.s.seq.NextVal from t" },
    { GUARD_SEQUENCE, "select seq.\"NEXTVAL\"" },
    { GUARD_SEQUENCE, "select seq.\"nextval\"" },
    { GUARD_SEQUENCE, "select seq /* */ . /* */ nextval" },
    { GUARD_SEQUENCE, "select identifier('seq').nextval" },
    { GUARD_SEQUENCE, "select identifier('seq.nextval')" },
    { GUARD_SEQUENCE, "select seq.identifier('nextval')" },
    { GUARD_SEQUENCE, "select (seq).nextval" },
    { GUARD_SEQUENCE, "select {'a': seq.nextval}" },
    { GUARD_SEQUENCE, "select n.nextval from t, table(getnextval(seq)) n" },
    { GUARD_SEQUENCE, "select 1 from table(getnextval(seq)) n" },
    { GUARD_STAGE, "select $1 from @s" },
    { GUARD_STAGE, "select $1 from @~/a.csv" },
    { GUARD_STAGE, "select $1 from @%t (file_format => 'f')" },
    { GUARD_STAGE, "select $1 from @\"q\".\"s\"/a t" },
    { GUARD_STAGE, "select $1 from '@s/a b'" },
    { GUARD_STAGE, "select $1 from '\\x40s/a b'" },
    { GUARD_STAGE, "select $1 from table('@s')" },
    { GUARD_STAGE, "select $1 from identifier('@s')" },
    { GUARD_STAGE, "select * from a join @s b on true" },
    { GUARD_STAGE, "select * from directory(@s)" },
    { GUARD_STAGE, "select get_presigned_url(@s, 'a')" },
    { GUARD_STAGE, "select GET_PRESIGNED_URL('@s', 'a')" },
    { GUARD_STAGE, "select build_scoped_file_url(@s, 'a')" },
    { GUARD_STAGE, "select build_stage_file_url(@s, 'a')" },
    { GUARD_STAGE, "select get_stage_location(@s)" },
    { GUARD_STAGE, "select f(@s)" },
    { GUARD_STAGE, "select to_file('@s', 'a')" },
    { GUARD_STAGE, "select * from table(infer_schema(location => '@s', file_format => 'f'))" },
    { GUARD_RESULT_SCAN, "select * from table(result_scan('id'))" },
    { GUARD_RESULT_SCAN, "select * from table(\"RESULT_SCAN\"(last_query_id()))" },
    { GUARD_RESULT_SCAN, "select * from table(information_schema.result_scan('id'))" },
    { GUARD_RESULT_SCAN, "select * from table(identifier('result_scan')('id'))" },
    { GUARD_AI_FUNCTION, "select ai_complete('m', 'p')" },
    { GUARD_AI_FUNCTION, "select \"AI_CLASSIFY\"(a, b)" },
    { GUARD_AI_FUNCTION, "select AI_UNHEARD_OF(1)" },
    { GUARD_AI_FUNCTION, "select snowflake.cortex.complete('m', 'p')" },
    { GUARD_AI_FUNCTION, "select snowflake.cortex.unheard_of('m', 'p')" },
    { GUARD_AI_FUNCTION, "select SNOWFLAKE . CORTEX . SEARCH_PREVIEW('s', '{}')" },
    { GUARD_AI_FUNCTION, "select identifier('snowflake.cortex.complete')('m', 'p')" },
    { GUARD_AI_FUNCTION, "select complete('m', 'p')" },
    { GUARD_AI_FUNCTION, "select data_agent_run('a')" },
    { GUARD_AI_FUNCTION, "select snowflake.cortex.data_agent_run('a')" },
    { GUARD_ACTING_FUNCTION, "select snowflake.cortex.finetune('create', 'a')" },
    { GUARD_ACTING_FUNCTION, "select finetune('create', 'a')" },
    { GUARD_ACTING_FUNCTION, "select setvariable('a', 'b')" },
    { GUARD_ACTING_FUNCTION, "select set_sys_context('a', 'b')" },
    { GUARD_ACTING_FUNCTION, "select \"SET_SESSION_CONTEXT\"('a', 'b')" },
    { GUARD_ACTING_FUNCTION, "select execute_ai_evaluation('a')" },

    /* 8.4 */
    { GUARD_SYSTEM_FUNCTION, "select system$wait(1)" },
    { GUARD_SYSTEM_FUNCTION, "select SYSTEM$CANCEL_QUERY('id')" },
    { GUARD_SYSTEM_FUNCTION, "select system$cancel_all_queries()" },
    { GUARD_SYSTEM_FUNCTION, "select system$abort_session(1)" },
    { GUARD_SYSTEM_FUNCTION, "select system$pipe_force_resume('p')" },
    { GUARD_SYSTEM_FUNCTION, "select system$show_oauth_client_secrets('i')" },
    { GUARD_SYSTEM_FUNCTION, "select system$generate_scim_access_token('i')" },
    { GUARD_SYSTEM_FUNCTION, "select system$set_return_value('a')" },
    { GUARD_SYSTEM_FUNCTION, "select system$send_email('i', 'a', 'b', 'c')" },
    { GUARD_SYSTEM_FUNCTION, "select system$unheard_of()" },
    { GUARD_SYSTEM_FUNCTION, "select system$typeof2(1)" },
    { GUARD_SYSTEM_FUNCTION, "select \"SYSTEM$WAIT\"(1)" },
    { GUARD_SYSTEM_FUNCTION, "select \"system$wait\"(1)" },
    { GUARD_SYSTEM_FUNCTION, "select /**/System$Wait/**/ -- a\n (1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('system$wait')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('\\x73ystem$wait')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('\\163YSTEM$WAIT')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('\\u0053YSTEM$WAIT')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('\\SYSTEM$WAIT')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('\"system$wait\"')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select identifier('a.system$wait')(1)" },
    { GUARD_SYSTEM_FUNCTION, "select * from t where system$wait(1) = 'a'" },
    { GUARD_SYSTEM_FUNCTION, "select f(g(system$wait(1)))" },
    { GUARD_SYSTEM_FUNCTION, "select {'a': system$wait(1)}" },
    { GUARD_SYSTEM_FUNCTION, "select * from table(system$unheard_of())" },
    { GUARD_SYSTEM_FUNCTION, "with a as (select system$wait(1)) select * from a" },
    { GUARD_SYSTEM_FUNCTION,
        "select * from t match_recognize (pattern (system$wait(a)) define a as b)" },
    { GUARD_SYSTEM_FUNCTION, "select * from t limit system$wait(1)" },
    { GUARD_SYSTEM_FUNCTION, "explain select system$wait(1)" },
    { GUARD_SYSTEM_FUNCTION, "select snowflake$internal(1)" },

    /* brackets */
    { GUARD_PARENTHESES, "select (1" },
    { GUARD_PARENTHESES, "select 1)" },
    { GUARD_PARENTHESES, "select [1)" },
    { GUARD_PARENTHESES, "select {'a': 1]" },
    { GUARD_PARENTHESES, "(select 1" },
    { GUARD_PARENTHESES, "with a as (select 1) select (select 2; drop table t)" },
};

static void
each_is_refused_by_its_rule(void **state)
{
    static const struct guard_policy strictest;
    struct guard_verdict v;
    size_t bad = 0;

    for (size_t i = 0; i < NELEM(refusals); i++) {
        guard_check(&strictest, str_of(refusals[i].sql), &v);
        if (!v.allowed && v.rule == refusals[i].rule)
            continue;
        print_error("%s\n    wanted %s, got %s %s\n", refusals[i].sql,
            guard_rule_name(refusals[i].rule), guard_rule_name(v.rule), v.message);
        bad++;
    }
    assert_int_equal(bad, 0);
}

static void
every_rule_has_a_case(void **state)
{
    bool seen[GUARD__COUNT] = { [GUARD_OK] = true };

    seen[GUARD_TOO_DEEP] = seen[GUARD_DENIED_FUNCTION] = true; /* below */
    for (size_t i = 0; i < NELEM(refusals); i++)
        seen[refusals[i].rule] = true;
    for (size_t r = 0; r < GUARD__COUNT; r++) {
        if (!seen[r])
            print_error("no case for %s\n", guard_rule_name((enum guard_rule)r));
        assert_true(seen[r]);
    }
}

static void
nul_is_refused_outside_quotes(void **state)
{
    static const struct guard_policy p;
    struct guard_verdict v;

    guard_check(&p, STR("select 1\0; drop table t"), &v);
    assert_int_equal(v.rule, GUARD_LEXICAL);
    guard_check(&p, STR("select 1 -- \0\n"), &v);
    assert_int_equal(v.rule, GUARD_LEXICAL);
    guard_check(&p, STR("select 'a\0b'"), &v);
    assert_true(v.allowed);
    guard_check(&p, STR_NONE, &v);
    assert_int_equal(v.rule, GUARD_EMPTY);
}

static void
depth_is_bounded(void **state)
{
    static const struct guard_policy p;
    struct guard_verdict v;
    char sql[1400] = "select ";

    for (int i = 0; i < 600; i++)
        strcat(sql, "(");
    strcat(sql, "1");
    for (int i = 0; i < 600; i++)
        strcat(sql, ")");
    guard_check(&p, str_of(sql), &v);
    assert_int_equal(v.rule, GUARD_TOO_DEEP);
}

static void
the_operator_may_deny_more(void **state)
{
    static const char *const denied[] = { "my_udf", "UTIL.SLOW", NULL };
    static const char *const allowed[] = { "MY_UDF", NULL };
    static const char *const schemas[] = { "UTIL", NULL };
    static const struct guard_policy p = {
        .denied_functions = denied, .allowed_functions = allowed, .function_schemas = schemas
    };
    static const char *const sql[] = {
        "select my_udf(1)",
        "select \"My_Udf\"(1)",
        "select util.my_udf(1)",
        "select util.slow(1)",
        "select identifier('util.slow')(1)",
    };
    struct guard_verdict v;

    for (size_t i = 0; i < NELEM(sql); i++) {
        guard_check(&p, str_of(sql[i]), &v);
        assert_int_equal(v.rule, GUARD_DENIED_FUNCTION);
    }
    guard_check(&p, STR("select util.fast(1), slow(2)"), &v);
    assert_true(v.allowed);
}

static void
a_listed_schema_is_meant_exactly(void **state)
{
    static const char *const schemas[] = { "UTIL", "MYDB.TOOLS", NULL };
    static const struct guard_policy p = { .function_schemas = schemas };
    static const char *const sql[] = {
        "select other.f(1)",
        "select mydb.util.f(1)",
        "select tools.f(1)",
        "select \"util\".f(1)",
        "select util.x.f(1)",
        "select a.mydb.tools.f(1)",
    };
    struct guard_verdict v;

    for (size_t i = 0; i < NELEM(sql); i++) {
        guard_check(&p, str_of(sql[i]), &v);
        assert_int_equal(v.rule, GUARD_FUNCTION_SCHEMA);
    }
    guard_check(&p, STR("select util.system$wait(1)"), &v);
    assert_int_equal(v.rule, GUARD_SYSTEM_FUNCTION);
}

static void
one_option_opens_nothing_else(void **state)
{
    static const struct guard_policy stages = { .allow_stage_reads = true };
    static const struct guard_policy ai = { .allow_ai = true };
    static const struct guard_policy files = { .allow_list_files = true };
    struct guard_verdict v;

    guard_check(&stages, STR("list @s"), &v);
    assert_int_equal(v.rule, GUARD_LIST_FILES);
    guard_check(&stages, STR("select $1 from @s//x; drop table t"), &v);
    assert_int_equal(v.rule, GUARD_LEXICAL);
    guard_check(&stages, STR("select $1 from @s/a--b"), &v);
    assert_int_equal(v.rule, GUARD_LEXICAL);
    guard_check(&ai, STR("select snowflake.cortex.finetune('create')"), &v);
    assert_int_equal(v.rule, GUARD_ACTING_FUNCTION);
    guard_check(&ai, STR("select cortex.complete('a')"), &v);
    assert_int_equal(v.rule, GUARD_FUNCTION_SCHEMA);
    guard_check(&files, STR("select $1 from @s"), &v);
    assert_int_equal(v.rule, GUARD_STAGE);
    guard_check(&files, STR("list @s; rm @s"), &v);
    assert_int_equal(v.rule, GUARD_ONE_STATEMENT);
    guard_check(&files, STR("ls"), &v);
    assert_int_equal(v.rule, GUARD_LIST_FILES);
}

static void
the_message_names_rule_place_word_and_cure(void **state)
{
    static const struct guard_policy p;
    struct guard_verdict v;

    guard_check(&p, STR("select '\xC3\xA9\xC3\xA9',\n  '\xC3\xA9', SYSTEM$WAIT(1)"), &v);
    assert_int_equal(v.line, 2);
    assert_int_equal(v.column, 8);
    assert_non_null(strstr(v.message, "(system-function) at line 2, column 8, at `SYSTEM$WAIT`"));
    assert_non_null(strstr(v.message, "SHOW"));
    assert_true(v.fingerprint == 0);

    guard_check(&p, STR("select 'a\nb\x07"), &v);
    assert_non_null(strstr(v.message, "not closed"));
    assert_null(strchr(v.message, '\n'));
    assert_null(strchr(v.message, '\x07'));

    guard_check(&p, STR("with a as (select 1)"), &v);
    assert_non_null(strstr(v.message, "at the end"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_refused_by_its_rule),
        cmocka_unit_test(every_rule_has_a_case),
        cmocka_unit_test(nul_is_refused_outside_quotes),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_operator_may_deny_more),
        cmocka_unit_test(a_listed_schema_is_meant_exactly),
        cmocka_unit_test(one_option_opens_nothing_else),
        cmocka_unit_test(the_message_names_rule_place_word_and_cure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
