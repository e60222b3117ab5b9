"""Trouble on demand: each kind of fault does what it says, as often as it says."""

import http.client
import socket
import time
import zlib

import pytest

from emulator import Emulator
from sqlapi import SqlApi


@pytest.fixture(scope="module")
def shaky():
    with Emulator(args=["--rows-per-partition", "1000"]) as e:
        yield e


@pytest.fixture
def api(shaky):
    yield SqlApi(shaky.port, shaky.pat)
    SqlApi(shaky.port, shaky.pat).request("DELETE", "/__emulator/faults")


BROKEN = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError)


def big(api):
    return api.sql("select seq8(), randstr(20, seq8()) from table(generator(rowcount => 2500))")


def test_a_status_comes_as_often_as_asked(shaky, api):
    shaky.faults({"match": "submit", "kind": "status", "status": 429, "count": 2, "retry_after": 3})
    for _ in range(2):
        answer = api.submit("select 1")
        assert (answer.status, answer["code"]) == (429, "390505")
        assert answer["message"] == "Too many requests."
        assert answer.headers["Retry-After"] == "3"
    assert api.submit("select 1").status == 200


def test_a_rule_is_bound_to_route_and_sql(shaky, api):
    shaky.faults({"match": "poll", "sql_contains": "MAGIC", "kind": "status", "status": 500},
                 {"sql": "select +2$", "status": 502})
    assert api.submit("select 1").status == 200
    assert api.submit("select  2").status == 502
    handle = api.sql("select 'magic'")["statementHandle"]
    assert api.get(handle).status == 500
    assert api.get(handle).status == 200


def test_html(shaky, api):
    shaky.faults({"kind": "html", "status": 503})
    answer = api.submit("select 1")
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.raw.startswith(b"<html>")


def test_garbage_is_200_and_no_json(shaky, api):
    shaky.faults({"kind": "garbage"})
    answer = api.submit("select 1")
    assert answer.status == 200
    with pytest.raises(ValueError):
        answer.body


@pytest.mark.parametrize("kind, ran", [("drop", 0), ("drop_after", 1)])
def test_a_dropped_request_ran_or_did_not(shaky, api, kind, ran):
    sql = f"select '{kind}'"
    shaky.faults({"kind": kind, "match": "submit"})
    with pytest.raises(BROKEN):
        api.submit(sql)
    assert len([s for s in shaky.statements() if s["sql"] == sql]) == ran


def test_a_delay_is_only_late(shaky, api):
    shaky.faults({"kind": "delay", "ms": 400})
    begin = time.monotonic()
    assert api.submit("select 1").rows == [["1"]]
    assert time.monotonic() - begin >= 0.4


def test_a_hanging_request_is_never_answered(shaky, api):
    shaky.faults({"kind": "hang"})
    with pytest.raises(socket.timeout):
        api.request("POST", "/api/v2/statements", {"statement": "select 1"}, timeout=0.5)


def test_a_truncated_gzip_is_well_formed_http(shaky, api):
    handle = big(api)["statementHandle"]
    shaky.faults({"match": "partition", "kind": "truncate_gzip"})
    answer = api.get(handle, "?partition=1")
    assert answer.status == 200
    unzip = zlib.decompressobj(31)
    unzip.decompress(answer.raw)
    assert not unzip.eof
    assert len(api.get(handle, "?partition=1")["data"]) == 1000


def test_a_truncated_json(shaky, api):
    shaky.faults({"kind": "truncate"})
    with pytest.raises(ValueError):
        api.submit("select 1").body


def test_a_reset_in_the_middle_of_the_body(shaky, api):
    handle = big(api)["statementHandle"]
    shaky.faults({"match": "partition", "kind": "reset_mid_body"})
    with pytest.raises(BROKEN):
        api.get(handle, "?partition=1")
    assert api.get(handle, "?partition=1").status == 200


def test_a_slow_body_is_whole(shaky, api):
    shaky.faults({"kind": "slow", "ms": 300})
    begin = time.monotonic()
    assert len(big(api).rows) == 1000
    assert time.monotonic() - begin >= 0.25


def test_forever_running(shaky, api):
    handle = api.sql("select 1")["statementHandle"]
    shaky.faults({"kind": "forever_202", "match": "poll", "count": 0})
    for _ in range(3):
        assert api.get(handle).status == 202


def test_a_result_that_is_too_large(shaky, api):
    shaky.faults({"kind": "code_391908"})
    answer = api.submit("select 1")
    assert (answer.status, answer["code"], answer["data"]) == (200, "391908", [])


def test_a_refused_credential(shaky, api):
    shaky.faults({"kind": "jwt_refused"})
    answer = api.submit("select 1")
    assert (answer.status, answer["code"]) == (401, "390144")
    assert api.submit("select 1").status == 200


@pytest.mark.parametrize("rule", [{"kind": "nope"}, {"match": "nope"}, {"sql": "("}, {"x": 1}, 5])
def test_a_wrong_rule_is_refused(api, rule):
    assert api.request("POST", "/__emulator/faults", [rule]).status == 400


def test_reset_forgets_everything(shaky, api):
    handle = api.start("select system$wait(60)")
    shaky.faults({"kind": "status", "status": 500, "count": 0})
    assert api.request("POST", "/emulator/reset").status == 200
    assert api.submit("select 1").status == 200
    assert api.get(handle)["code"] == "000709"
    assert [s["sql"] for s in shaky.statements()] == ["select 1"]
