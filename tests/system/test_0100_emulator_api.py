"""The emulator's HTTP side: routes, statuses, headers and bodies of snowflake-api.md §3."""

import json
import re

import pytest

from sqlapi import SqlApi, new_id

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def api(emulator):
    return SqlApi(emulator.port, emulator.pat)


def test_a_result_has_all_its_parts(api):
    request_id = new_id()
    answer = api.submit("select 1 as id, 'Ada' as name union all select 2, null order by 1",
                        f"?requestId={request_id}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.body
    assert body["code"] == "090001"
    assert body["sqlState"] == "00000"
    assert body["message"] == "Statement executed successfully."
    assert re.fullmatch(UUID, body["statementHandle"])
    assert body["createdOn"] > 1_600_000_000_000
    assert body["statementStatusUrl"] == (
        f"/api/v2/statements/{body['statementHandle']}?requestId={request_id}")
    meta = body["resultSetMetaData"]
    assert meta["numRows"] == 2
    assert meta["format"] == "jsonv2"
    assert [p["rowCount"] for p in meta["partitionInfo"]] == [2]
    assert meta["partitionInfo"][0]["uncompressedSize"] > 0
    first, second = meta["rowType"]
    assert set(first) == {"name", "database", "schema", "table", "type", "nullable", "precision",
                          "scale", "length", "byteLength", "collation"}
    assert (first["name"], first["type"], first["precision"], first["scale"]) == ("ID", "fixed", 38, 0)
    assert (second["name"], second["type"], second["length"]) == ("NAME", "text", 16777216)
    assert body["data"] == [["1", "Ada"], ["2", None]]


def test_the_link_header_names_the_partitions(api):
    answer = api.submit("select 1")
    links = answer.headers["Link"]
    assert re.search(r'</api/v2/statements/[^>]+partition=0>; rel="first"', links)
    assert 'rel="last"' in links and 'rel="next"' not in links


@pytest.mark.parametrize("body", ["", "{", "[]", "1", '{"statement":1}', "{}",
                                  '{"statement":"  "}', '{"statement":"select 1"} x'])
def test_a_body_that_is_no_request_is_390142(api, body):
    answer = api.request("POST", "/api/v2/statements", body)
    assert (answer.status, answer["code"]) == (400, "390142")


def test_an_unknown_parameter_is_391917(api):
    answer = api.submit("select 1", parameters={"AUTOCOMMIT": "true"})
    assert (answer.status, answer["code"]) == (400, "391917")
    assert "AUTOCOMMIT" in answer["message"]
    assert "not allowed or invalid for SQL API" in answer["message"]


def test_parameter_names_may_have_any_case(api):
    assert api.sql("select 1", parameters={"Query_Tag": "x", "ROWS_PER_RESULTSET": "10",
                                           "use_cached_result": "false"}).rows == [["1"]]


def test_output_formats_are_refused_rather_than_ignored(api):
    answer = api.submit("select 1", parameters={"DATE_OUTPUT_FORMAT": "YYYY"})
    assert answer.error[:2] == (422, "000002")


@pytest.mark.parametrize("timeout", [-1, 604801, "x", 1.5])
def test_a_timeout_out_of_range_is_refused(api, timeout):
    assert api.submit("select 1", timeout=timeout).status == 400


def test_nullable_is_refused_on_get(api):
    handle = api.sql("select 1")["statementHandle"]
    assert api.get(handle, "?nullable=false").status == 400


def test_a_wrong_media_type_is_415(api):
    answer = api.submit("select 1", headers={"Content-Type": "text/plain"})
    assert answer.status == 415


def test_a_charset_behind_the_media_type_is_fine(api):
    answer = api.submit("select 1", headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status == 200


@pytest.mark.parametrize("header, value", [("Accept", "text/html"), ("Accept", None),
                                           ("User-Agent", None)])
def test_required_headers_are_required(api, header, value):
    if header == "Accept" and value is None:
        pass  # http.client sends none by itself
    assert api.submit("select 1", headers={header: value}).status == 400


def test_any_accept_is_fine(api):
    assert api.submit("select 1", headers={"Accept": "*/*"}).status == 200


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/api/v2/statements", 405),
    ("PUT", "/api/v2/statements", 405),
    ("POST", f"/api/v2/statements/{new_id()}", 405),
    ("GET", f"/api/v2/statements/{new_id()}/cancel", 405),
    ("GET", f"/api/v2/statements/{new_id()}/nope", 404),
    ("GET", "/api/v2/nope", 404),
    ("GET", "/", 404),
])
def test_wrong_paths_and_methods(api, method, path, status):
    assert api.request(method, path).status == status


@pytest.mark.parametrize("call", [SqlApi.get, SqlApi.cancel])
def test_an_unknown_handle_is_000709(api, call):
    handle = new_id()
    answer = call(api, handle)
    assert answer.error == (422, "000709", "02000")
    assert answer["message"] == f"Statement {handle} not found"


def test_a_failing_statement_is_422_with_code_state_and_handle(api):
    answer = api.error("select nope from snowflake_sample_data.tpch_sf1.region")
    assert answer.error == (422, "000904", "42000")
    assert answer["message"] == ("SQL compilation error: error line 1 at position 7\n"
                                 "invalid identifier 'NOPE'")
    assert api.get(answer["statementHandle"]).error == (422, "000904", "42000")


def test_two_statements_are_000008(api):
    answer = api.error("select 1; select 2")
    assert answer["code"] == "000008"
    assert answer["message"] == ("Actual statement count 2 did not match the desired statement "
                                 "count 1.")


def test_semicolons_and_comments_behind_a_statement_are_fine(api):
    assert api.sql("select 1; -- done\n ;; /* bye */").rows == [["1"]]


def test_rows_per_resultset_bounds_the_rows(api):
    answer = api.sql("select seq8() from table(generator(rowcount => 5000))",
                     parameters={"ROWS_PER_RESULTSET": "1234"})
    assert answer["resultSetMetaData"]["numRows"] == 1234


# ---- context ---------------------------------------------------------------------------------------

def test_context_names_are_case_sensitive(api):
    assert api.sql("select count(*) from region", database="SNOWFLAKE_SAMPLE_DATA",
                   schema="TPCH_SF1").rows == [["5"]]
    assert api.error("select 1", database="snowflake_sample_data")["code"] == "002043"
    assert api.error("select 1", database="SNOWFLAKE_SAMPLE_DATA",
                     schema="tpch_sf1")["code"] == "002043"


def test_an_unknown_role_is_refused(api):
    assert api.submit("select 1", role="nope")["code"] == "390189"


def test_without_a_warehouse_tables_cannot_be_read_but_metadata_can(api):
    table = "snowflake_sample_data.tpch_sf1.region"
    assert api.error(f"select * from {table}", warehouse="NOPE").error == (422, "000606", "57P03")
    assert api.sql("show databases", warehouse="NOPE").rows
    assert api.sql("select 1", warehouse="NOPE").rows == [["1"]]


def test_context_functions_show_the_request(api):
    answer = api.sql("select current_database(), current_schema(), current_warehouse(), "
                     "current_role(), current_user(), current_account()",
                     database="SNOWFLAKE_SAMPLE_DATA", schema="TPCH_SF1", warehouse="MCP_WH",
                     role="MCP_READER")
    assert answer.rows == [["SNOWFLAKE_SAMPLE_DATA", "TPCH_SF1", "MCP_WH", "MCP_READER", "DEMO",
                            "DEMO"]]


# ---- bindings --------------------------------------------------------------------------------------

BINDS = [
    ("FIXED", "12345678901234567890123456789012345678", "fixed",
     "12345678901234567890123456789012345678"),
    ("FIXED", "-1.50", "fixed", "-1.50"),
    ("REAL", "1.5", "real", "1.5"),
    ("TEXT", "it's \\ \"quoted\" 世界", "text", "it's \\ \"quoted\" 世界"),
    ("BINARY", "00ff10", "binary", "00FF10"),
    ("BOOLEAN", "true", "boolean", "true"),
    ("DATE", "-86400000", "date", "-1"),
    ("TIME", "82919000000000", "time", "82919.000000000"),
    ("TIMESTAMP_NTZ", "-1000", "timestamp_ntz", "-0.000001000"),
    ("TIMESTAMP_LTZ", "1700000000000000000", "timestamp_ltz", "1700000000.000000000"),
    ("TIMESTAMP_TZ", "1700000000123000000 1560", "timestamp_tz", "1700000000.123000000 1560"),
    ("TEXT", None, "text", None),
]


@pytest.mark.parametrize("kind, value, column, cell", BINDS)
def test_a_bound_value_comes_back(api, kind, value, column, cell):
    answer = api.sql("select ?::text" if value is None else "select ?",
                     bindings={"1": {"type": kind, "value": value}})
    assert answer.types == [column]
    assert answer.rows == [[cell]]


def test_bound_values_keep_their_order(api):
    binds = {str(i): {"type": "FIXED", "value": str(i)} for i in range(1, 13)}
    answer = api.sql("select " + ", ".join("?" * 12), bindings=binds)
    assert answer.rows == [[str(i) for i in range(1, 13)]]


@pytest.mark.parametrize("kind, value", [("FIXED", "x"), ("REAL", "one"), ("BOOLEAN", "maybe"),
                                         ("DATE", "2024-01-01"), ("BINARY", "0g"),
                                         ("TIMESTAMP_TZ", "1")])
def test_a_value_that_does_not_fit_its_type_is_100037(api, kind, value):
    answer = api.error("select ?", bindings={"1": {"type": kind, "value": value}})
    assert answer.error == (422, "100037", "22018")


def test_a_missing_bind_is_an_error(api):
    assert api.error("select ?, ?", bindings={"1": {"type": "TEXT", "value": "x"}}).status == 422


def test_a_bound_text_is_never_sql(api):
    answer = api.sql("select ?", bindings={"1": {"type": "TEXT", "value": "'; drop table x; --"}})
    assert answer.rows == [["'; drop table x; --"]]


# ---- DML and DDL ------------------------------------------------------------------------------------

def test_changes_answer_with_counts(api):
    assert api.sql("create or replace table counted(a number)").rows == [
        ["Table COUNTED successfully created."]]
    answer = api.sql("insert into counted values (1), (2), (3)")
    assert answer.columns == ["number of rows inserted"]
    assert answer.rows == [["3"]]
    assert answer["stats"] == {"numRowsInserted": 3, "numRowsUpdated": 0, "numRowsDeleted": 0,
                               "numDuplicateRowsUpdated": 0}
    answer = api.sql("update counted set a = 5 where a > 1")
    assert (answer.columns, answer.rows) == (["number of rows updated"], [["2"]])
    answer = api.sql("delete from counted where a = 5")
    assert (answer.columns, answer.rows) == (["number of rows deleted"], [["2"]])
    assert api.sql("select * from counted").rows == [["1"]]
    assert api.sql("drop table counted").columns == ["status"]
    assert api.error("select * from counted")["code"] == "002003"


def test_what_a_test_sees_of_a_statement(emulator, api):
    request_id = new_id()
    api.submit("select 1 as seen", f"?requestId={request_id}", role="ANALYST",
               parameters={"QUERY_TAG": "tagged"})
    s = next(x for x in emulator.statements() if x["request_id"] == request_id)
    assert (s["sql"], s["state"], s["query_tag"], s["role"]) == (
        "select 1 as seen", "succeeded", "tagged", "ANALYST")
    assert s["parameters"] == {"QUERY_TAG": "tagged"}
    assert s["submitted_ms"] <= s["started_ms"] <= s["ended_ms"]
    stats = emulator.stats()
    assert stats["submitted"] >= 1 and stats["logins"] >= 1
    assert stats["requests"]["submit"] >= 1


def test_a_deeply_nested_statement_is_refused_and_nothing_breaks(api):
    deep = "(" * 5000 + "1" + ")" * 5000
    assert api.error("select " + deep)["code"] == "001003"
    assert api.error("select " + "- " * 20000 + "1")["code"] == "001003"
    assert api.error("select " + "not " * 20000 + "true")["code"] == "001003"
    assert api.sql("select 1").rows == [["1"]]


def test_bytes_that_are_no_utf8_are_refused(api):
    body = json.dumps({"statement": "select 'X'"}).encode().replace(b"X", b"\xff")
    assert api.request("POST", "/api/v2/statements", body).status == 400
