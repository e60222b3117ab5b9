"""The dialect: what Snowflake's documentation says a statement answers.

Expected values are written by hand from the documentation and snowflake-api.md; none was copied
from an answer of the emulator."""

import json

import pytest

from sqlapi import SqlApi


@pytest.fixture(scope="module")
def api(emulator):
    return SqlApi(emulator.port, emulator.pat)


def one(api, sql, **body):
    """The only cell."""
    rows = api.sql(sql, **body).rows
    assert len(rows) == 1 and len(rows[0]) == 1, rows
    return rows[0][0]


# expression, cell
VALUES = [
    # numbers: fixed keeps its scale, a quotient has six more digits (at most 12)
    ("1 + 1", "2"),
    ("2147483647 + 1", "2147483648"),
    ("1.50 + 1", "2.50"),
    ("7 / 2", "3.500000"),
    ("1 / 3", "0.333333"),
    ("2 / 3", "0.666667"),
    ("-1 / 3", "-0.333333"),
    ("1.00 / 3", "0.33333333"),
    ("7 / 2 / 2", "1.750000000000"),
    ("10 - 7 / 7", "9.000000"),
    ("1e0 / 4", "0.25"),
    ("7 % 3", "1"),
    ("mod(7, 3)", "1"),
    ("-7 % 3", "-1"),
    ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ("1e100", "1e+100"),
    ("round(2.5)", "3"),
    ("round(-2.5)", "-3"),
    ("round(1.235, 2)", "1.24"),
    ("abs(-3)", "3"),
    ("ceil(1.2)", "2"),
    ("floor(-1.2)", "-2"),
    ("sqrt(4)", "2"),
    ("'NaN'::float", "NaN"),
    # text
    (r"'it''s'", "it's"),
    (r"'\'' || '\\' || '\n' || '\t' || 'A'", "'\\\n\tA"),
    (r"$$it's \n$$", "it's \\n"),
    ("'a' || 1", "a1"),
    ("'a' || 1.50", "a1.50"),
    ("'a' || null", None),
    ("concat('a', null)", None),
    ("concat('a', 1, true)", "a1true"),
    ("length('Grüße')", "5"),
    ("substr('abcdef', 2, 3)", "bcd"),
    ("substr('abcdef', -2)", "ef"),
    ("left('abc', 2)", "ab"),
    ("lpad('7', 3, '0')", "007"),
    ("split_part('a,b,c', ',', -1)", "c"),
    ("charindex('b', 'abc')", "2"),
    ("replace('aXbX', 'X')", "ab"),
    ("initcap('hello wORLD')", "Hello World"),
    ("'abc' like 'a%'", "true"),
    ("'ABC' ilike 'a_c'", "true"),
    ("'a' like any ('b%', 'a%')", "true"),
    ("'ab' like all ('a%', '%b')", "true"),
    ("'a%b' like 'a^%b' escape '^'", "true"),
    ("'abc' rlike 'a.c'", "true"),
    ("'abcd' rlike 'a.c'", "false"),   # the whole text must match
    ("regexp_replace('a1b2', '[0-9]', '#')", "a#b#"),
    # NULL
    ("nvl(null, 2)", "2"),
    ("nvl2('x', 1, 2)", "1"),
    ("iff(1 = 2, 'a', 'b')", "b"),
    ("zeroifnull(null)", "0"),
    ("equal_null(null, null)", "true"),
    ("greatest(1, null)", None),
    ("decode(null, null, 'same', 'other')", "same"),
    ("null is not distinct from null", "true"),
    # conversion
    ("'1.5'::number(10, 2)", "1.50"),
    ("'1.5'::int", "2"),
    ("2.5::int", "3"),
    ("2.5::float::int", "3"),
    ("1.5::varchar", "1.5"),
    ("1::float::varchar", "1"),
    ("'abcdef'::varchar(3)", "abc"),
    ("true::varchar", "true"),
    ("'yes'::boolean", "true"),
    ("0::boolean", "false"),
    ("to_number('12.345', 10, 2)", "12.35"),
    ("try_to_number('x')", None),
    ("try_cast('x' as int)", None),
    ("to_varchar('2024-02-29'::date, 'DD.MM.YYYY')", "29.02.2024"),
    ("'2024-02-29 01:02:03'::timestamp_ntz::varchar", "2024-02-29 01:02:03.000"),
    ("to_binary('00ff')", "00FF"),
    ("x'00FF'", "00FF"),
    # dates and times: days since 1970, seconds with nine decimals
    ("'1969-12-31'::date", "-1"),
    ("date '1970-01-02'", "1"),
    ("'00:00:01.5'::time", "1.500000000"),
    ("'1969-12-31 23:59:59.999'::timestamp_ntz", "-0.001000000"),
    ("'2024-01-01T00:00:00+02:00'::timestamp_ntz", "1704067200.000000000"),  # wall clock
    ("'1970-01-01 02:00:00 +02:00'::timestamp_tz", "0.000000000 1560"),
    ("'1970-01-01 00:00:00 -08:00'::timestamp_tz", "28800.000000000 960"),
    ("to_timestamp(1700000000)", "1700000000.000000000"),
    ("to_date('31/12/1970', 'DD/MM/YYYY')", "364"),
    ("dateadd(month, 1, '1970-01-31'::date)", "58"),
    ("dateadd('hour', 1, '1970-01-01'::date)", "3600.000000000"),
    ("'1970-01-01'::date + 3", "3"),
    ("'1970-01-01'::date + interval '2 days'", "2"),
    ("datediff(day, '1970-01-01', '1970-02-01')", "31"),
    ("datediff(week, '2024-01-07', '2024-01-08')", "1"),   # Sunday to Monday
    ("datediff(year, '2023-12-31', '2024-01-01')", "1"),
    ("date_trunc('month', '1970-02-03'::date)", "31"),
    ("year('2024-02-29'::date)", "2024"),
    ("date_part(quarter, '2024-05-01'::date)", "2"),
    ("extract(month from '2024-05-01'::date)", "5"),
    ("dayofweek('2024-01-07'::date)", "0"),
    ("last_day('1970-02-10'::date)", "58"),
    ("dayname('2024-01-01'::date)", "Mon"),
    ("monthname('2024-01-01'::date)", "Jan"),
    # semi-structured
    ("parse_json('{\"a\":{\"b\":[10,20]}}'):a.b[1]", "20"),
    ("parse_json('{\"a\":\"x\"}'):a", '"x"'),
    ("parse_json('{\"a\":\"x\"}'):a::string", "x"),
    ("parse_json('{\"a\":1}'):nope", None),
    ("parse_json('{\"a\":1}')['a']::int + 1", "2"),
    ("parse_json('{\"a\":\"x\"}'):a = 'x'", "true"),
    ("object_construct('k', 1, 'n', null)", '{"k":1}'),
    ("array_construct(1, 'two', null)", '[1,"two",null]'),
    ("array_size(parse_json('[1,2,3]'))", "3"),
    ("object_construct('o', object_construct('x', true))", '{"o":{"x":true}}'),
    ("typeof(parse_json('\"x\"'))", "VARCHAR"),
    # logic
    ("1 between 0 and 2", "true"),
    ("1 in (1, 2)", "true"),
    ("(1, 2) in ((1, 2), (3, 4))", "true"),
    ("not true or true", "true"),
    ("case when null then 1 else 2 end", "2"),
    ("exists (select 1)", "true"),
    ("1 = any (select 1)", "true"),
    ("booland(1, 0)", "false"),
]


@pytest.mark.parametrize("expression, cell", VALUES)
def test_value(api, expression, cell):
    assert one(api, "select " + expression) == cell


TYPES = [
    ("1", "fixed"), ("1.5", "fixed"), ("1e0", "real"), ("7/2", "fixed"), ("'x'", "text"),
    ("true", "boolean"), ("current_date", "date"), ("current_timestamp", "timestamp_ltz"),
    ("'00:00'::time", "time"), ("'2024-01-01'::timestamp", "timestamp_ntz"),
    ("'2024-01-01'::timestamp_tz", "timestamp_tz"), ("to_binary('00')", "binary"),
    ("parse_json('1')", "variant"), ("object_construct()", "object"),
    ("array_construct()", "array"), ("count(*)", "fixed"), ("avg(1)", "fixed"),
    ("sum(1e0)", "real"),
]


@pytest.mark.parametrize("expression, kind", TYPES)
def test_type(api, expression, kind):
    assert api.sql("select " + expression).types == [kind]


NAMES = [
    ("1 as a", "A"), ('1 as "a"', "a"), ("1 b", "B"), ("count(*)", "COUNT(*)"), ("1+1", "1+1"),
    ("1 + 1", "1 + 1"), ("upper('x')", "UPPER('X')"), ("t.x", "X"), ('t."y"', "y"),
    ('x as "a ""b"""', 'a "b"'),
]


@pytest.mark.parametrize("item, name", NAMES)
def test_column_name(api, item, name):
    assert api.sql(f'select {item} from (select 1 as x, 2 as "y") t group by all'
                   if "count" not in item else f"select {item}").columns == [name]


# statement, (code, sqlState)
ERRORS = [
    ("selec 1", "001003", "42000"),
    ("select 1 from", "001003", "42000"),
    ("select (1", "001003", "42000"),
    ("select 'open", "001003", "42000"),
    ("select 1 /* open", "001003", "42000"),
    ("select nope from snowflake_sample_data.tpch_sf1.region", "000904", "42000"),
    ('select "r_name" from snowflake_sample_data.tpch_sf1.region', "000904", "42000"),
    ("select rowid from snowflake_sample_data.tpch_sf1.region", "000904", "42000"),
    ("select current_role", "000904", "42000"),
    ("select * from nope", "002003", "42S02"),
    ('select * from snowflake_sample_data.tpch_sf1."region"', "002003", "42S02"),
    ("select * from demo_db.nope.x", "002003", "02000"),
    ("select * from nope.public.x", "002003", "02000"),
    # what the emulator keeps for itself is out of reach
    ("select * from memory.main._objects", "002003", "02000"),
    ("select * from demo_db.main._objects", "002003", "02000"),
    ("select * from demo_db.pg_catalog.pg_tables", "002003", "02000"),
    ("select * from system.information_schema.tables", "002003", "02000"),
    ("insert into memory.main._start values (null)", "002003", "02000"),
    ("drop table memory.main._start", "002003", "02000"),
    ("create table memory.main.x(a int)", "002043", "02000"),
    ("drop schema demo_db.main", "002043", "02000"),
    ("drop database memory", "002043", "02000"),
    ("select nope(1)", "002140", "42601"),
    ("select list_value(1)", "002140", "42601"),     # DuckDB's own functions are none
    ("select read_text('/etc/passwd')", "002140", "42601"),
    ("select * from table(read_csv('/etc/passwd'))", "002141", "42601"),
    ("select * from '/etc/passwd'", "001003", "42000"),
    ("select a.b.f(1)", "002140", "42601"),
    ("select 'x'::number", "100038", "22018"),
    ("select 'maybe'::boolean", "100037", "22018"),
    ("select 1/0", "100051", "22012"),
    ("select 1e0/0", "100051", "22012"),
    ("select mod(1, 0)", "100051", "22012"),
    ("create table demo_db.public.employees(a int)", "002002", "42710"),
    ("show tables in schema demo_db.nope", "002043", "02000"),
    ("describe table nope", "002003", "42S02"),
    ("drop table nope", "002003", "42S02"),
    ("", "390142", None),
]


@pytest.mark.parametrize("sql, code, state", ERRORS)
def test_error(api, sql, code, state):
    answer = api.submit(sql)
    assert (answer["code"], answer.body.get("sqlState")) == (code, state), answer["message"]


# what Snowflake can and the emulator cannot, must be refused and never answered
UNSUPPORTED = [
    "select hash(1)", "use database demo_db", "alter session set timezone = 'UTC'",
    "begin", "set x = 1", "select $x", "select $1 from values (1)", "select * from @stage",
    "copy into t from @s", "select * from t at (offset => -60)", "call my_proc()",
    "merge into t using s on t.a = s.a when matched then delete", "grant usage on database x to y",
    "select * from t pivot (sum(a) for b in (1))", "create temporary table t(a int)",
    "with p as procedure () returns int as 'x' call p()", "create stage s", "select seq.nextval",
    "execute immediate 'select 1'", "select ai_complete('m', 'x')", "show stages",
    "select 1 for update", "select 1 into :x", "create function f() returns int as '1'",
    "select snowflake.cortex.complete('m', 'x')", "select upper('x') collate 'en-ci'",
]


@pytest.mark.parametrize("sql", UNSUPPORTED)
def test_unsupported(api, sql):
    answer = api.submit(sql)
    assert answer.status == 422
    assert answer["code"] in ("000002", "001003"), answer.body
    if answer["code"] == "000002":
        assert answer["sqlState"] == "0A000"
        assert answer["message"].startswith("Unsupported feature '")


def test_the_syntax_error_says_where(api):
    assert api.error("select 1 from")["message"] == (
        "SQL compilation error:\nsyntax error line 1 at position 13 unexpected '<EOF>'.")
    assert api.error("select\n  1 ~")["message"].startswith("SQL compilation error:")
    assert "Object 'DEMO_DB.PUBLIC.NOPE' does not exist or not authorized." in api.error(
        "select * from nope")["message"]


# ---- queries ---------------------------------------------------------------------------------------

TPCH = {"database": "SNOWFLAKE_SAMPLE_DATA", "schema": "TPCH_SF1"}

QUERIES = [
    ("select x from (values (1), (null), (3)) t(x) order by x", [["1"], ["3"], [None]]),
    ("select x from (values (1), (null), (3)) t(x) order by x desc", [[None], ["3"], ["1"]]),
    ("select column1, column2 from values (1, 'a'), (2, 'b') order by 1", [["1", "a"], ["2", "b"]]),
    ("select 1 union all select 1 union select 2 minus select 2", [["1"]]),
    ("select top 1 n from (values (2), (1)) t(n) order by n", [["1"]]),
    ("select n from (values (2), (1)) t(n) order by n limit 1 offset 1", [["2"]]),
    ("select n from (values (2), (1)) t(n) order by n fetch first 1 rows only", [["1"]]),
    ("with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) "
     "select sum(n) from r", [["15"]]),
    ("select x, row_number() over (order by x desc) rn from (values (1), (2)) t(x) "
     "qualify rn = 1", [["2", "1"]]),
    ("select g, listagg(v, ',') within group (order by v desc) from "
     "(values (1, 'a'), (1, 'b'), (2, 'c')) t(g, v) group by g order by g",
     [["1", "b,a"], ["2", "c"]]),
    ("select g, avg(v), count(*) from (values (1, 1), (1, 2), (2, 5)) t(g, v) group by g "
     "having count(*) > 1", [["1", "1.500000", "2"]]),
    ("select a/b from (values (1, 2), (3, 4)) t(a, b) group by a/b order by a/b",
     [["0.500000"], ["0.750000"]]),
    ("select count(distinct a, b) from (values (1, 1), (1, 1), (1, null)) t(a, b)", [["1"]]),
    ("select last_value(x) over (order by x) from (values (1), (2)) t(x)", [["2"], ["2"]]),
    ("select f.index, f.value from table(flatten(input => parse_json('[\"a\",\"b\"]'))) f "
     "order by 1", [["0", '"a"'], ["1", '"b"']]),
    ("select f.key, f.value::int from lateral flatten(input => parse_json('{\"k\":7}')) f",
     [["k", "7"]]),
    ("select t.id, f.value from (select 1 id, parse_json('[]') v) t, "
     "lateral flatten(input => t.v, outer => true) f", [["1", None]]),
    ("select t.id, f.value from (select 1 id, parse_json('[]') v) t, "
     "lateral flatten(input => t.v) f", []),
    ("select value from table(split_to_table('a.b', '.')) order by index", [["a"], ["b"]]),
    ("select count(*), min(n), max(n) from (select seq4() n from "
     "table(generator(rowcount => 1000)))", [["1000", "0", "999"]]),
    ("select * exclude (b) from (select 1 a, 2 b, 3 c)", [["1", "3"]]),
    ("select a, a + 1 as b, b * 2 as c from (select 1 a)", [["1", "2", "4"]]),
    ("select 1 as a, 2 as b, -- comment\n 3 as c, // another\n /* and */ 4 as d",
     [["1", "2", "3", "4"]]),
    ("select case when a then 'x' end, from (select true a)", [["x"]]),   # trailing comma
    ("(select 1) union all (select 2) order by 1", [["1"], ["2"]]),
    ("select grouping(a), a, sum(b) from (values (1, 2), (1, 3)) t(a, b) group by rollup(a) "
     "order by 1", [["0", "1", "5"], ["1", None, "5"]]),
]


@pytest.mark.parametrize("sql, rows", QUERIES)
def test_query(api, sql, rows):
    assert api.sql(sql).rows == rows


def test_joins(api):
    answer = api.sql("""
        select r.r_name, count(*) from region r join nation n on n.n_regionkey = r.r_regionkey
        group by r.r_name order by r.r_name""", **TPCH)
    assert answer.rows == [[r, "5"] for r in ("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST")]


def test_orders_agree_with_their_lines(api):
    assert one(api, """
        select count(*) from (select o_orderkey, o_totalprice from orders) o join (
            select l_orderkey, round(sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), 2) t
            from lineitem group by l_orderkey) l on l_orderkey = o_orderkey
        where abs(o_totalprice - t) > 0.01""", **TPCH) == "0"


def test_every_key_of_the_sample_data_has_its_partner(api):
    for sql in ("select count(*) from orders where o_custkey not in (select c_custkey from customer)",
                "select count(*) from lineitem where l_orderkey not in (select o_orderkey from orders)",
                "select count(*) from lineitem where l_partkey not in (select p_partkey from part)",
                "select count(*) from lineitem where l_suppkey not in "
                "(select s_suppkey from supplier)",
                "select count(*) from customer where c_nationkey not in "
                "(select n_nationkey from nation)"):
        assert one(api, sql, **TPCH) == "0", sql


def test_the_session_time_zone_is_honoured(api):
    at = "'2024-07-01 12:00:00'::timestamp_ltz"
    assert one(api, f"select {at}") == "1719835200.000000000"
    assert one(api, f"select {at}", parameters={"TIMEZONE": "America/New_York"}) == \
        "1719849600.000000000"


def test_all_types(api):
    answer = api.sql("select * from demo_db.public.all_types order by id")
    assert dict(zip(answer.columns, answer.types)) == {
        "ID": "fixed", "C_NUMBER": "fixed", "C_DECIMAL": "fixed", "C_MONEY": "fixed",
        "C_FLOAT": "real", "C_VARCHAR": "text", "C_CHAR": "text", "C_BINARY": "binary",
        "C_BOOLEAN": "boolean", "C_DATE": "date", "C_TIME": "time",
        "C_TIMESTAMP_NTZ": "timestamp_ntz", "C_TIMESTAMP_LTZ": "timestamp_ltz",
        "C_TIMESTAMP_TZ": "timestamp_tz", "C_VARIANT": "variant", "C_OBJECT": "object",
        "C_ARRAY": "array"}
    first = dict(zip(answer.columns, answer.rows[0]))
    assert first["C_NUMBER"] == "12345678901234567890123456789012345678"
    assert first["C_DECIMAL"] == "1234567890.0123456789"
    assert first["C_TIMESTAMP_TZ"] == "1709190296.789000000 1770"     # +05:30
    assert json.loads(first["C_VARIANT"]) == {"a": [1, 2, {"b": None}]}
    assert answer.rows[3] == ["4"] + [None] * 16


# ---- names -----------------------------------------------------------------------------------------

def test_quoted_names_keep_their_case_and_unquoted_are_upper(api):
    assert api.sql('select "Id", PLAIN, plain from demo_db.public."Mixed Case" where "Id" = 1').rows \
        == [["1", "a", "a"]]
    for sql in ('select id from demo_db.public."Mixed Case"', 'select * from demo_db.public."mixed '
                'case"', 'select "plain" from demo_db.public."Mixed Case"'):
        assert api.submit(sql).status == 422


def test_names_that_differ_in_case_only_are_different(api):
    api.sql('create or replace table two_cases("a" int, A int, "Ab" int, "aB" int)')
    api.sql('insert into two_cases values (1, 2, 3, 4)')
    answer = api.sql('select * from two_cases')
    assert (answer.columns, answer.rows) == (["a", "A", "Ab", "aB"], [["1", "2", "3", "4"]])
    assert api.sql('select a, "a", "aB", "Ab" from two_cases').rows == [["2", "1", "4", "3"]]
    api.sql("drop table two_cases")


# ---- SHOW, DESCRIBE, GET_DDL -------------------------------------------------------------------------

def names(answer, column="name"):
    i = answer.columns.index(column)
    return [row[i] for row in answer.rows]


def test_show_databases_and_schemas(api):
    assert {"DEMO_DB", "SNOWFLAKE_SAMPLE_DATA"} <= set(names(api.sql("show databases")))
    answer = api.sql("show schemas in database demo_db")
    assert answer.columns[:5] == ["created_on", "name", "is_default", "is_current", "database_name"]
    assert {"PUBLIC", "ANALYTICS", "INFORMATION_SCHEMA"} <= set(names(answer))
    assert answer.types[0] == "timestamp_ltz"


@pytest.mark.parametrize("rest, expected", [
    ("in schema snowflake_sample_data.tpch_sf1", 8),
    ("in snowflake_sample_data.tpch_sf1", 8),
    ("like 'ord%' in schema snowflake_sample_data.tpch_sf1", 1),     # LIKE takes any case
    ("like 'PART\\\\_%' in schema snowflake_sample_data.tpch_sf1", 0),
    ("in schema snowflake_sample_data.tpch_sf1 starts with 'PART'", 2),
    ("in schema snowflake_sample_data.tpch_sf1 starts with 'part'", 0),  # STARTS WITH does not
    ("in schema snowflake_sample_data.tpch_sf1 limit 3", 3),
    ("in schema snowflake_sample_data.tpch_sf1 limit 3 from 'PARTSUPP'", 2),
])
def test_show_tables(api, rest, expected):
    answer = api.sql("show tables " + rest)
    assert len(answer.rows) == expected
    assert {"created_on", "name", "database_name", "schema_name", "kind", "comment", "rows", "bytes",
            "owner"} <= set(answer.columns)


def test_show_tables_defaults_to_the_context(api):
    assert "REGION" in names(api.sql("show tables", **TPCH))
    assert "REGION" not in names(api.sql("show tables"))
    assert {"REGION", "EMPLOYEES"} <= set(names(api.sql("show tables in account")))


def test_show_terse(api):
    for kind in ("databases", "schemas", "tables", "views"):
        assert api.sql(f"show terse {kind}").columns == [
            "created_on", "name", "kind", "database_name", "schema_name"]


def test_show_views_has_the_text(api):
    answer = api.sql("show views in schema demo_db.analytics")
    assert "REVENUE_BY_NATION" in names(answer)
    text = names(answer, "text")[names(answer).index("REVENUE_BY_NATION")]
    assert text.upper().startswith("CREATE") and "N_NAME" in text


def test_show_columns(api):
    answer = api.sql("show columns in table demo_db.public.employees")
    assert names(answer, "column_name") == ["ID", "NAME", "DEPARTMENT", "SALARY", "HIRED", "ACTIVE"]
    assert json.loads(names(answer, "data_type")[0]) == {
        "type": "FIXED", "precision": 38, "scale": 0, "nullable": False}
    assert json.loads(names(answer, "data_type")[2])["type"] == "TEXT"


def test_describe_table(api):
    answer = api.sql("describe table demo_db.public.employees")
    assert answer.columns == ["name", "type", "kind", "null?", "default", "primary key",
                              "unique key", "check", "expression", "comment", "policy name",
                              "privacy domain"]
    assert answer.rows[0][:7] == ["ID", "NUMBER(38,0)", "COLUMN", "N", None, "Y", "N"]
    assert answer.rows[0][9] == "employee number"
    assert answer.rows[2][:5] == ["DEPARTMENT", "VARCHAR(40)", "COLUMN", "Y", "'unassigned'"]
    assert api.sql("desc table demo_db.public.all_types").rows[13][1] == "TIMESTAMP_TZ(9)"


def test_describe_view(api):
    answer = api.sql("desc view demo_db.public.salary_by_department")
    assert names(answer) == ["DEPARTMENT", "HEADCOUNT", "AVERAGE_SALARY", "TOP_SALARY"]
    assert api.error("desc view demo_db.public.employees")["code"] == "002003"


def test_get_ddl(api):
    table = one(api, "select get_ddl('TABLE', 'DEMO_DB.PUBLIC.EMPLOYEES')")
    assert table.startswith("create or replace TABLE EMPLOYEES (")
    assert "ID NUMBER(38,0) NOT NULL" in table
    view = one(api, "select get_ddl('view', 'demo_db.public.active_employees')")
    assert "ACTIVE_EMPLOYEES" in view.upper() and view.endswith(";")
    assert '"Mixed Case"' in one(api, "select get_ddl('TABLE', 'demo_db.public.\"Mixed Case\"')")
    assert api.error("select get_ddl('TABLE', 'nope')")["code"] == "002003"


def test_information_schema_is_the_databases_own(api):
    tables = api.sql("select table_name, table_type, row_count from "
                     "snowflake_sample_data.information_schema.tables order by table_name").rows
    assert ["REGION", "BASE TABLE", "5"] in tables
    assert "EMPLOYEES" not in [t[0] for t in tables]
    columns = api.sql("select column_name, data_type, numeric_scale, is_nullable from "
                      "information_schema.columns where table_name = 'EMPLOYEES' "
                      "order by ordinal_position").rows
    assert columns[0] == ["ID", "NUMBER", "0", "NO"]
    assert columns[1] == ["NAME", "TEXT", None, "NO"]
    assert one(api, "select count(*) from information_schema.views where table_name = "
                    "'ACTIVE_EMPLOYEES'") == "1"
    assert {"PUBLIC", "ANALYTICS"} <= {r[0] for r in api.sql(
        "select schema_name from information_schema.schemata").rows}


def test_a_view_lives_on_other_objects(api):
    api.sql("create or replace table base(a number, b varchar)")
    api.sql("insert into base values (1, 'x'), (2, 'y')")
    api.sql("create or replace view half as select a / 2 as h, b from base")
    assert api.sql("select * from half order by h").rows == [["0.500000", "x"], ["1.000000", "y"]]
    assert api.sql("select h from demo_db.public.half where b = 'y'", database="SNOWFLAKE_SAMPLE_DATA",
                   schema="TPCH_SF1").rows == [["1.000000"]]
    api.sql("drop view half")
    api.sql("drop table base")


def test_ddl_of_containers(api):
    api.sql("create database scratch_db")
    api.sql("create schema scratch_db.s")
    api.sql("create table scratch_db.s.t(a int comment 'c') comment = 'tt'")
    api.sql("alter table scratch_db.s.t add column b varchar(7)")
    api.sql("alter table scratch_db.s.t rename to scratch_db.s.u")
    assert [r[:2] for r in api.sql("desc table scratch_db.s.u").rows] == [
        ["A", "NUMBER(38,0)"], ["B", "VARCHAR(7)"]]
    assert names(api.sql("show tables in schema scratch_db.s"), "comment") == ["tt"]
    api.sql("drop schema scratch_db.s")
    assert "S" not in names(api.sql("show schemas in database scratch_db"))
    api.sql("drop database scratch_db")
    assert "SCRATCH_DB" not in names(api.sql("show databases"))


def test_explain_compiles_and_never_runs(api):
    answer = api.sql("explain using tabular select * from snowflake_sample_data.tpch_sf1.region")
    assert answer.columns[:4] == ["step", "id", "parentOperators", "operation"]
    assert api.sql("explain using text select 1").columns == ["content"]
    assert api.error("explain select nope from snowflake_sample_data.tpch_sf1.region")["code"] == \
        "000904"
