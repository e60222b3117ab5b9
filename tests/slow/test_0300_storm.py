"""Workers are killed at random under load: no lease leaks, the bound holds, totals never go
backwards, nothing keeps running at Snowflake, and the next request succeeds."""

import random
import signal
import threading
import time
import os

import pytest

from net import wait_until
from server import Server

SECONDS = 40
CLIENTS = 8
POOL = 4


@pytest.fixture
def server():
    with Server(workers=4, env={"CONNECTION_POOL_MAX_SIZE": str(POOL)}) as s:
        yield s
        s.stop()


def client(server, stop, seen):
    while not stop.is_set():
        sql = random.choice(["select count(*) from SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.LINEITEM",
                             "select * from table(generator(timelimit => 1))",
                             "select 1"])
        try:
            result = server.call_tool("execute_query", {"sql": sql, "limit": 5}, timeout=20)
            seen.append("error" if result.get("isError") else "ok")
        except (OSError, ValueError, AssertionError):
            seen.append("cut")  # its worker was killed


@pytest.mark.parametrize("signo", [signal.SIGKILL, signal.SIGSEGV])
def test_killing_workers_leaks_nothing(server, signo):
    random.seed(7)
    stop, seen = threading.Event(), []
    threads = [threading.Thread(target=client, args=(server, stop, seen)) for _ in range(CLIENTS)]
    for t in threads:
        t.start()
    end, kills, last = time.monotonic() + SECONDS, 0, 0.0
    while time.monotonic() < end:
        pids = list(server.workers.values())
        if pids:
            os.kill(random.choice(pids), signo)
            kills += 1
        now = server.metric("mcp_requests_total")
        assert now >= last, "a total went backwards"
        last = now
        assert server.metric("pool_connections_active") <= POOL
        stop.wait(0.7)
    stop.set()
    for t in threads:
        t.join(60)
        assert not t.is_alive(), "a client still waits"
    assert kills > 20 and seen.count("ok") > 50, (kills, len(seen), seen.count("ok"))
    wait_until(lambda: len(server.workers) == 4, "four workers live again")
    wait_until(lambda: server.metric("pool_connections_active") == 0, "no lease is held")
    wait_until(lambda: server.emulator.stats()["running"] == 0, "no statement runs at Snowflake")
    assert server.emulator.stats()["peak_running"] <= POOL
    assert server.call_tool("execute_query", {"sql": "select 1"})["structuredContent"]["rows"] == [[1]]
