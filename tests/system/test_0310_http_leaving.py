"""Clients that leave, stall or trickle while a statement of theirs runs: nothing may go on for them."""

import json
import re
import socket
import struct
import time

import pytest

from net import wait_until
from server import HOST, META, MODERN, Server

SLOW = "select count(*) from table(generator(timelimit => 60))"
WIDE = "select * from LINEITEM"


def request_bytes(sql, **arguments):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "execute_query", "arguments": {"sql": sql, **arguments}, "_meta": META}})
    return (f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: execute_query\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def connect(server, receive_buffer=None):
    c = socket.socket()
    if receive_buffer:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    c.settimeout(20)
    c.connect((HOST, server.port))
    return c


def leave(c, reset):
    if reset:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def in_use(server):
    return server.metrics()["pool_connections_active"]


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("ahead", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /mcp HT"],
                         ids=["alone", "pipelined", "half a request"])
def test_a_client_that_leaves_cancels_its_statement_within_a_second(server, emulator, ahead, reset):
    gone = server.log().count(" status=499 ")
    c = connect(server)
    c.sendall(request_bytes(SLOW) + ahead)
    wait_until(emulator.running, "the statement runs")
    leave(c, reset)
    begun = time.monotonic()
    wait_until(lambda: not emulator.running(), "it is cancelled", 5)
    assert time.monotonic() - begun < 1.5
    wait_until(lambda: in_use(server) == 0, "its slot is free", 5)
    assert server.log().count(" status=499 ") == gone + 1


def test_a_client_that_leaves_at_any_moment_leaves_nothing_behind(server, emulator):
    for i in range(60):
        c = connect(server)
        c.sendall(request_bytes(SLOW))
        time.sleep(i * 0.001)  # not waiting for anything: the moment is what varies
        leave(c, i % 2 == 0)
    wait_until(lambda: not emulator.running() and in_use(server) == 0, "nothing runs", 20)
    calls = re.findall(r"^info: tool_call .* tool (\S+)$", server.log(), re.M)
    assert set(calls) == {"execute_query"}
    assert server.metrics().get('mcp_requests_total{status="499",tool="execute_query"}', 0) > 0


def test_waiting_clients_that_leave_free_their_places(emulator):
    with Server(emulator=emulator, workers=2, env={"CONNECTION_POOL_MAX_SIZE": "1"}) as s:
        first = connect(s)
        first.sendall(request_bytes(SLOW))
        wait_until(emulator.running, "the first one runs")
        waiting = [connect(s) for _ in range(20)]
        for c in waiting:
            c.sendall(request_bytes("select 1"))
        wait_until(lambda: s.metrics()["pool_connections_waiting"] == 20, "20 wait")
        for c in waiting[:19]:
            leave(c, False)
        wait_until(lambda: s.metrics()["pool_connections_waiting"] == 1, "one waits")
        leave(first, False)
        assert b"200 OK" in waiting[19].recv(65536)
        waiting[19].close()
        s.stop()


def test_a_slow_reader_holds_back_the_rows_and_not_the_memory(emulator):
    env = {"MAX_QUERY_RESULT_ROWS": "100000", "MAX_QUERY_RESULT_BYTES": "64M",
           "MCP_SERVER_OUTPUT_CAP": "256k"}
    with Server(emulator=emulator, workers=1, env=env) as s:
        c = connect(s, 4096)
        c.sendall(request_bytes(WIDE, limit=60000))
        pid = s.workers[0]
        wait_until(lambda: in_use(s) == 1, "it runs")
        before = None
        for _ in range(10):
            time.sleep(0.1)  # a slow reader: it does nothing
            with open(f"/proc/{pid}/statm") as f:
                before = max(before or 0, int(f.read().split()[1]) * 4096)
        assert before < 60 << 20
        got = b""
        while not got.endswith(b"0\r\n\r\n"):
            more = c.recv(1 << 20)
            assert more
            got += more
        c.close()
        body, rest = b"", got.split(b"\r\n\r\n", 1)[1]
        while rest and not rest.startswith(b"0\r\n"):
            size, rest = rest.split(b"\r\n", 1)
            body += rest[:int(size, 16)]
            rest = rest[int(size, 16) + 2:]
        result = json.loads(body)["result"]["structuredContent"]
        assert result["row_count"] == len(result["rows"]) >= 50000
        wait_until(lambda: in_use(s) == 0, "its slot is free")
        s.stop()


def test_a_reader_that_stops_is_dropped_and_its_statement_cancelled(emulator):
    env = {"MAX_QUERY_RESULT_ROWS": "100000", "MAX_QUERY_RESULT_BYTES": "64M",
           "MCP_SERVER_OUTPUT_CAP": "64k", "MCP_SERVER_WRITE_TIME": "1s"}
    with Server(emulator=emulator, workers=1, env=env) as s:
        c = connect(s, 4096)
        c.sendall(request_bytes(WIDE, limit=60000))
        wait_until(lambda: in_use(s) == 1, "it runs")
        wait_until(lambda: in_use(s) == 0, "it was dropped", 15)
        s.wait_log(r"^info: tool_call .* status=499 ")
        c.close()
        assert s.health()[0] == 200
        s.stop()


def test_a_short_result_is_one_reply_and_a_long_one_comes_in_chunks(server):
    short = server.post(json.loads(request_bytes("select 1").split(b"\r\n\r\n", 1)[1]),
                        {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "execute_query"})
    assert short.headers["Content-Length"]
    long = server.post(json.loads(request_bytes(WIDE, limit=5000).split(b"\r\n\r\n", 1)[1]),
                       {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "execute_query"})
    assert long.headers["Transfer-Encoding"] == "chunked"
    assert long.json()["result"]["structuredContent"]["row_count"] > 1000
