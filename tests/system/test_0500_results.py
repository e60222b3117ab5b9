"""Results through the whole server: exact values, caps, streaming with flat memory, slow readers."""

import json
import os
import re
import socket
from decimal import Decimal
from pathlib import Path

import pytest

from net import wait_until
from server import MODERN, META, Server

# What a sanitizer keeps of freed memory counts as well.
ROOM_KIB = 24 * 1024 * (12 if "ASAN_OPTIONS" in os.environ else 1)
MANY = ("select seq8() as n, 'row ' || seq8() as t, seq8() * 3 as m from "
        "table(generator(rowcount => {}))")


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


@pytest.fixture(scope="module")
def wide(emulator):
    """A server that lets a call ask for very much."""
    with Server(emulator=emulator, workers=1, env={
            "MAX_QUERY_RESULT_ROWS": "3000000", "MAX_QUERY_RESULT_BYTES": "1G"}) as s:
        yield s
        s.stop()


@pytest.mark.parametrize("sql,value", [
    ("select 99999999999999999999999999999999999999::number(38,0)", "9" * 38),
    ("select -0.12345678901234567890::number(38,20)", "-0.12345678901234567890"),
    ("select 9007199254740993", "9007199254740993"),
    ("select 123456789012345", 123456789012345),
    ("select 1.50::number(5,2)", 1.5),
    ("select null", None),
    ("select true", True),
    ("select '2024-02-29'::date", "2024-02-29"),
    ("select 'a\"b\\\\c\\n' || chr(9) || 'é😀'", 'a"b\\c\n\té😀'),
])
def test_values_arrive_exactly(server, sql, value):
    result = server.query(sql)
    assert result["structuredContent"]["rows"] == [[value]], result


def test_numbers_in_the_text_keep_their_scale(server):
    assert "1.50" in server.query("select 1.50::number(5,2) as x")["content"][0]["text"]


def test_sums_are_those_of_the_data(server):
    rows = server.query("select sum(l_quantity), count(*), count(distinct l_orderkey) from lineitem")
    quantity, lines, orders = rows["structuredContent"]["rows"][0]
    assert Decimal(str(quantity)) > lines > orders > 0


def test_the_row_limit_is_exact_and_said(server):
    result = server.query(MANY.format(11), limit=10)["structuredContent"]
    assert (result["row_count"], result["truncated"], result["truncated_by"]) == (10, True, "limit")
    result = server.query(MANY.format(10), limit=10)["structuredContent"]
    assert (result["row_count"], result["truncated"]) == (10, False)


def test_the_byte_cap_cuts_between_rows_and_is_said(emulator):
    with Server(emulator=emulator, env={"MAX_QUERY_RESULT_BYTES": "4096"}) as s:
        result = s.query(MANY.format(5000), limit=5000)["structuredContent"]
        assert result["truncated"] and result["truncated_by"] == "bytes"
        assert len(json.dumps(result["rows"], separators=(",", ":"))) <= 4200
        assert [r[0] for r in result["rows"]] == list(range(result["row_count"]))
        s.stop()


def test_partitions_beyond_the_limit_are_not_fetched(emulator):
    with Server(emulator=emulator) as s:
        before = emulator.stats()["requests"]["partition"]
        s.query(MANY.format(100000), limit=5)
        assert emulator.stats()["requests"]["partition"] == before
        s.stop()


def test_a_million_rows_stream_in_order_with_flat_memory(wide):
    pid = wide.workers[0]
    wide.query(MANY.format(20000), limit=20000)
    before = rss_kib(pid)
    result = wide.query(MANY.format(1000000), limit=1000000, timeout=120)["structuredContent"]
    assert result["row_count"] == 1000000 and not result["truncated"]
    assert all(row[0] == i and row[2] == 3 * i for i, row in enumerate(result["rows"]))
    assert rss_kib(pid) - before < ROOM_KIB, "the worker held the result"


def test_a_reader_that_stops_does_not_fill_the_worker(wide):
    """It takes nothing for a while; memory stays flat and the rest arrives when it reads again."""
    pid = wide.workers[0]
    before = rss_kib(pid)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "_meta": META, "name": "execute_query",
        "arguments": {"sql": MANY.format(600000), "limit": 600000}}}).encode()
    with socket.create_connection(("127.0.0.1", wide.port), 60) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        s.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"MCP-Protocol-Version: " + MODERN.encode() + b"\r\nMcp-Method: tools/call\r\n"
                  b"Mcp-Name: execute_query\r\nConnection: close\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
        seen = s.recv(1024)
        # The worker has stopped fetching once its memory no longer grows.
        sizes = []
        wait_until(lambda: sizes.append(rss_kib(pid)) or (len(sizes) > 25 and
                   sizes[-1] == sizes[-25]), "memory stands still", 30)
        assert max(sizes) - before < ROOM_KIB
        assert wide.get("/health").status == 200
        while piece := s.recv(1 << 20):
            seen += piece
    assert seen.endswith(b"0\r\n\r\n")
    assert b'"row_count":600000' in seen[-300000:]


def test_all_types_of_the_demo_table(server):
    result = server.query("select * from DEMO_DB.PUBLIC.ALL_TYPES")
    types = {c["type"].split("(")[0] for c in result["structuredContent"]["columns"]}
    assert {"NUMBER", "FLOAT", "VARCHAR", "BINARY", "BOOLEAN", "DATE", "TIME", "TIMESTAMP_NTZ",
            "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "VARIANT", "OBJECT", "ARRAY"} <= types
