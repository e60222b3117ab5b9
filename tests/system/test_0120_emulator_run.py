"""How statements run: asynchronously, in line, until cancelled or too late, and what is kept."""

import gzip
import json
import threading
import time

import pytest

from emulator import Emulator
from net import wait_until
from sqlapi import SqlApi, new_id

SLOW = "select count(*) from table(generator(timelimit => 60))"
BUSY = ("select sum(a.n * b.n) from (select seq8() n from table(generator(rowcount => 1000000))) a,"
        " (select seq8() n from table(generator(rowcount => 1000000))) b")


@pytest.fixture(scope="module")
def api(emulator):
    return SqlApi(emulator.port, emulator.pat)


def state_of(e, handle):
    return next(s["state"] for s in e.statements() if s["handle"] == handle)


# ---- asynchronous ----------------------------------------------------------------------------------

def test_an_asynchronous_statement_is_polled_to_its_rows(api):
    answer = api.submit("select 7 as x", "?async=true")
    assert answer.status == 202
    assert answer["code"] in ("333334", "333333")
    assert answer["statementStatusUrl"].startswith("/api/v2/statements/")
    done = api.wait(answer["statementHandle"])
    assert (done.status, done["code"]) == (200, "090001")
    assert done.rows == [["7"]]


def test_polls_of_a_running_statement_are_202(emulator, api):
    handle = api.start(SLOW)
    answer = api.get(handle)
    assert (answer.status, answer["code"]) == (202, "333334")
    assert "Asynchronous execution in progress." in answer["message"]
    assert answer["statementHandle"] == handle
    assert api.get(handle, "?partition=1").status == 202
    api.cancel(handle)


def test_a_synchronous_statement_turns_202_after_the_limit():
    with Emulator(args=["--sync-limit-ms", "150"]) as e:
        api = SqlApi(e.port, e.pat)
        begin = time.monotonic()
        answer = api.submit(SLOW)
        assert answer.status == 202
        assert 0.1 < time.monotonic() - begin < 10
        assert api.cancel(answer["statementHandle"]).status == 200


# ---- cancel ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("sql", [SLOW, BUSY, "call system$wait(60)", "select system$wait(60)"])
def test_cancel_really_stops_a_statement(emulator, api, sql):
    handle = api.start(sql)
    wait_until(lambda: state_of(emulator, handle) == "running", "it runs")
    answer = api.cancel(handle)
    assert answer.error == (200, "000604", "57014")
    assert answer["message"] == "SQL execution canceled"
    wait_until(lambda: state_of(emulator, handle) == "cancelled", "it is gone", 5)
    assert api.get(handle).error == (422, "000604", "57014")


def test_a_waiting_synchronous_call_hears_of_the_cancel(emulator, api):
    tag = new_id()
    answers = []
    call = threading.Thread(target=lambda: answers.append(
        api.submit(SLOW, parameters={"QUERY_TAG": tag})))
    call.start()
    running = wait_until(lambda: [s for s in emulator.running() if s["query_tag"] == tag], "it runs")
    api.cancel(running[0]["handle"])
    call.join(10)
    assert answers[0].error == (422, "000604", "57014")


def test_a_finished_statement_cannot_be_cancelled(api):
    handle = api.sql("select 1")["statementHandle"]
    assert api.cancel(handle).status == 422
    assert api.get(handle).status == 200


def test_a_statement_is_found_by_its_tag_and_cancelled_by_sql(emulator, api):
    tag = new_id()
    handle = api.start(SLOW, parameters={"QUERY_TAG": tag})
    found = api.sql("select query_id, execution_status from table(demo_db.information_schema."
                    f"query_history_by_user(result_limit => 1000)) where query_tag = '{tag}'").rows
    assert [row[0] for row in found] == [handle]
    assert found[0][1] in ("RUNNING", "QUEUED")
    api.sql(f"select system$cancel_query('{handle}')")
    wait_until(lambda: state_of(emulator, handle) == "cancelled", "it is gone", 5)


# ---- time ------------------------------------------------------------------------------------------

def test_a_statement_past_its_timeout_is_408(api):
    answer = api.submit(SLOW, timeout=1)
    assert answer.error == (408, "000630", "57014")
    assert answer["message"] == ("Statement reached its statement or warehouse timeout of 1 "
                                 "second(s) and was canceled.")
    assert api.get(answer["statementHandle"]).status == 408


def test_results_are_forgotten_after_their_time():
    with Emulator(args=["--result-ttl-s", "1"]) as e:
        api = SqlApi(e.port, e.pat)
        handle = api.sql("select 1")["statementHandle"]
        gone = wait_until(lambda: (a := api.get(handle)).status == 422 and a, "it is forgotten")
        assert gone["code"] == "000709"


def test_latency_is_added_to_each_statement_and_can_be_cancelled():
    with Emulator(args=["--latency-ms", "60000"]) as e:
        api = SqlApi(e.port, e.pat)
        handle = api.start("select 1")
        assert api.get(handle).status == 202
        assert api.cancel(handle).status == 200
        wait_until(lambda: api.get(handle).status == 422, "it is gone", 5)


# ---- warehouse -------------------------------------------------------------------------------------

def test_more_statements_than_the_warehouse_runs_wait_in_line():
    with Emulator(args=["--max-concurrency", "2"]) as e:
        api = SqlApi(e.port, e.pat)
        handles = [api.start(SLOW) for _ in range(5)]
        wait_until(lambda: e.stats()["running"] == 2, "two run")
        assert e.stats()["queued"] == 3
        assert api.sql("show databases").status == 200      # metadata needs no warehouse
        assert api.get(handles[4]).status == 202
        api.cancel(handles[4])                              # one that waits
        wait_until(lambda: e.stats()["queued"] == 2, "one line shorter")
        assert api.get(handles[4])["code"] == "000604"
        for h in handles[:4]:
            api.cancel(h)
        wait_until(lambda: e.stats()["running"] == 0, "all gone")
        assert e.stats()["peak_running"] <= 3
        assert e.stats()["cancelled"] == 5


def test_many_clients_at_once_get_their_own_answers(emulator, api):
    wrong = []

    def client(n):
        mine = SqlApi(emulator.port, emulator.pat)
        for i in range(10):
            if i % 3 == 0:
                handle = mine.start(SLOW)
                if mine.cancel(handle).status != 200:
                    wrong.append(f"cancel {handle}")
            rows = mine.sql(f"select {n} * 1000 + {i}, count(*) from "
                            "snowflake_sample_data.tpch_sf1.orders").rows
            if rows != [[str(n * 1000 + i), "15000"]]:
                wrong.append(rows)

    clients = [threading.Thread(target=client, args=(n,)) for n in range(12)]
    for c in clients:
        c.start()
    for c in clients:
        c.join(60)
    assert wrong == []
    wait_until(lambda: emulator.stats()["running"] == 0, "all gone", 10)


# ---- the same request again --------------------------------------------------------------------------

def test_a_retry_gets_the_stored_outcome_and_runs_nothing(emulator, api):
    api.sql("create or replace table once(a number)")
    request_id = new_id()
    sql = "insert into once values (1)"
    first = api.submit(sql, f"?requestId={request_id}")
    again = api.submit(sql, f"?requestId={request_id}&retry=true")
    assert again.body == first.body
    assert api.sql("select count(*) from once").rows == [["1"]]
    api.sql("drop table once")


def test_a_retry_of_a_failure_gets_the_same_failure(api):
    request_id = new_id()
    first = api.submit("select nope", f"?requestId={request_id}")
    again = api.submit("select nope", f"?requestId={request_id}&retry=true")
    assert first.status == again.status == 422
    assert again["statementHandle"] == first["statementHandle"]


def test_a_retry_of_a_request_that_never_arrived_runs_it(api):
    answer = api.submit("select 5", f"?requestId={new_id()}&retry=true")
    assert answer.rows == [["5"]]


# ---- partitions ------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def cut():
    with Emulator(args=["--rows-per-partition", "1000"]) as e:
        yield SqlApi(e.port, e.pat)


def test_a_large_result_comes_in_partitions(cut):
    answer = cut.sql("select seq8() as n, 'row ' || seq8() from table(generator(rowcount => 3500)) "
                     "order by 1")
    info = answer["resultSetMetaData"]["partitionInfo"]
    assert [p["rowCount"] for p in info] == [1000, 1000, 1000, 500]
    assert all("compressedSize" in p for p in info[1:])
    rows = list(answer.rows)
    assert len(rows) == 1000
    for k in range(1, 4):
        part = cut.get(answer["statementHandle"], f"?partition={k}")
        assert part.headers["Content-Encoding"] == "gzip"
        assert set(part.body) == {"data"}
        assert len(part.raw) == info[k]["compressedSize"]
        assert len(json.dumps(part["data"], separators=(",", ":"))) == info[k]["uncompressedSize"]
        assert f'partition={k - 1}>; rel="prev"' in part.headers["Link"]
        assert 'partition=3>; rel="last"' in part.headers["Link"]
        assert ('rel="next"' in part.headers["Link"]) == (k < 3)
        rows += part["data"]
    assert rows == [[str(i), f"row {i}"] for i in range(3500)]


def test_partition_zero_is_the_whole_first_answer(cut):
    answer = cut.sql("select seq8() from table(generator(rowcount => 1500))")
    again = cut.get(answer["statementHandle"], "?partition=0")
    assert "resultSetMetaData" in again.body
    assert again.rows == answer.rows


@pytest.mark.parametrize("partition", ["4", "-1", "x", "99999999999999999999"])
def test_a_partition_that_is_not_there(cut, partition):
    handle = cut.sql("select seq8() from table(generator(rowcount => 1500))")["statementHandle"]
    assert cut.get(handle, f"?partition={partition}").status in (400, 422)


def test_an_empty_result_has_one_empty_partition(cut):
    answer = cut.sql("select 1 where false")
    assert answer.rows == []
    assert answer["resultSetMetaData"]["numRows"] == 0
    assert [p["rowCount"] for p in answer["resultSetMetaData"]["partitionInfo"]] == [0]


def memory_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def test_a_million_rows_take_little_memory():
    with Emulator() as e:
        api = SqlApi(e.port, e.pat)
        before = memory_kb(e.process.pid)
        answer = api.sql("select seq8() as n, 'text of row ' || seq8() from "
                         "table(generator(rowcount => 1000000))", timeout=120)
        assert answer["resultSetMetaData"]["numRows"] == 1_000_000
        info = answer["resultSetMetaData"]["partitionInfo"]
        last = api.get(answer["statementHandle"], f"?partition={len(info) - 1}")
        assert last["data"][-1] == ["999999", "text of row 999999"]
        assert sum(p["rowCount"] for p in info) == 1_000_000
        assert memory_kb(e.process.pid) - before < 150_000


def test_gzip_is_gzip(cut):
    handle = cut.sql("select seq8() from table(generator(rowcount => 1500))")["statementHandle"]
    assert gzip.decompress(cut.get(handle, "?partition=1").raw).startswith(b'{"data":[["1000"]')


# ---- leaving ---------------------------------------------------------------------------------------

def test_it_leaves_when_its_stdin_closes_even_while_statements_run():
    e = Emulator()
    SqlApi(e.port, e.pat).start(SLOW)
    SqlApi(e.port, e.pat).start(BUSY)
    e.process.stdin.close()
    assert e.process.wait(10) == 0
    e.close()


def test_a_wrong_option_is_exit_2():
    import os
    import subprocess
    binary = os.path.join(os.environ.get("BUILD", "build"), "snowflake-emulator")
    run = subprocess.run([binary, "--scale", "0"], capture_output=True, timeout=20)
    assert run.returncode == 2
    assert b"--scale" in run.stderr
