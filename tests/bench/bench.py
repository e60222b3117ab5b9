#!/usr/bin/python3
"""Speed as ratios side by side in one run; prints a table, asserts nothing.

Each figure is the server's CPU time per request (the growth of /proc/PID/schedstat over all its
processes, divided by the requests done), the median of interleaved repetitions, over the same
figure of the yardstick beside it: bare evhttp, nginx, or the emulator asked directly.  Absolute
numbers mean little on a busy machine; the ratios do.

usage: bench.py [--build DIR] [--repeat N] [--seconds S] [CASE...]
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from net import free_port, wait_port  # noqa: E402
from server import Server             # noqa: E402


def cpu_ns(pids):
    """CPU time of processes and their threads."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:
                pass
    return total


def wrk(url, script, seconds, connections):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url],
                         check=True, text=True, stdout=subprocess.PIPE).stdout
    done = int(re.search(r"(\d+) requests in", out).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad:
        raise SystemExit(f"{url}: {bad.group(1)} answers were errors")
    return done


class Bench:
    def __init__(self, build, repeat, seconds):
        self.build, self.repeat, self.seconds = build, repeat, seconds
        self.dir = Path(tempfile.mkdtemp(prefix="bench-"))
        self.rows = []

    def script(self, name, body, headers=()):
        """A wrk script that POSTs one body."""
        path = self.dir / f"{name}.lua"
        lines = ["wrk.method = 'POST'", f"wrk.body = [==[{body}]==]",
                 "wrk.headers['Content-Type'] = 'application/json'",
                 "wrk.headers['Accept'] = 'application/json, text/event-stream'"]
        lines += [f"wrk.headers['{k}'] = '{v}'" for k, v in headers]
        path.write_text("\n".join(lines) + "\n")
        return path

    def compare(self, title, ours, theirs, target, connections=64):
        """ours/theirs: (pids, url, script).  Interleaved, paired within a repetition."""
        ratios, costs, rates = [], [], []
        for _ in range(self.repeat):
            pair = []
            for pids, url, script in (ours, theirs):
                before, start = cpu_ns(pids), time.monotonic()
                done = wrk(url, script, self.seconds, connections)
                pair.append(((cpu_ns(pids) - before) / 1000 / done,
                             done / (time.monotonic() - start)))
            ratios.append(pair[0][0] / pair[1][0])
            rates.append(pair[0][1] / pair[1][1])
            costs.append(pair[0][0])
        self.row(title, f"{statistics.median(costs):.1f} us", statistics.median(ratios), target)
        return statistics.median(rates)

    def row(self, title, value, ratio, target):
        self.rows.append((title, value, ratio, target))
        print(f"{title:<46} {value:>10} {ratio:>8.2f}   {target}", flush=True)


PING = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}'
LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'


def call(sql, limit=None):
    arguments = {"sql": sql}
    if limit:
        arguments["limit"] = limit
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                       "params": {"name": "execute_query", "arguments": arguments}})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("cases", nargs="*", help="ping tools call rows (default: all)")
    args = parser.parse_args()
    os.environ["BUILD"] = args.build
    build = Path(args.build).resolve()
    cases = args.cases or ["ping", "tools", "call", "rows"]
    b = Bench(build, args.repeat, args.seconds)
    started, server = [], None
    try:
        port = free_port()
        hello = subprocess.Popen([str(build / "bench/hello_evhttp"), str(port)])
        started.append(hello)
        wait_port(port)
        hello_url = f"http://127.0.0.1:{port}/mcp"

        server = Server(workers=1, env={"CONNECTION_POOL_MAX_SIZE": "64"})
        session = initialize(server)
        own = list(server.workers.values())
        ping = b.script("ping", PING, [("Mcp-Session-Id", session)])
        tools = b.script("list", LIST, [("Mcp-Session-Id", session)])

        print(f"{'case (c=64)':<46} {'CPU/req':>10} {'ratio':>8}   target (perf notes)")
        if "ping" in cases:
            rate = b.compare("ping over bare evhttp", (own, server.url, ping),
                             ([hello.pid], hello_url, ping), "<= 0.85")
            b.row("ping throughput over bare evhttp", "", rate, ">= 1.2")
        if "tools" in cases:
            b.compare("tools/list over bare evhttp", (own, server.url, tools),
                      ([hello.pid], hello_url, tools), "<= 0.90")
        if "call" in cases:
            one = b.script("call", call("select 1"), [("Mcp-Session-Id", session)])
            rate = b.compare("tools/call select 1 over bare evhttp", (own, server.url, one),
                             ([hello.pid], hello_url, one), "")
        if "rows" in cases:
            rows(b, server, own)
    finally:
        for p in started:
            p.kill()
            p.wait()
        if server:
            server.close()
        shutil.rmtree(b.dir, ignore_errors=True)


def initialize(server):
    """A legacy session: the shortest requests there are."""
    answer = server.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}})
    return answer.headers["Mcp-Session-Id"]


def rows(b, server, own):
    """CPU of our side per row of ten short cells, and how it grows with the number of rows."""
    sql = ("select seq8() as a, seq8() as b, seq8() as c, seq8() as d, seq8() as e, seq8() as f, "
           "seq8() as g, seq8() as h, seq8() as i, seq8() as j from table(generator(rowcount => {}))")
    cost = {}
    for n in (1000, 10000):
        samples = []
        for _ in range(b.repeat):
            before = cpu_ns(own)
            answer = server.call_tool("execute_query", {"sql": sql.format(n), "limit": n})
            assert answer["structuredContent"]["row_count"] == n, answer
            samples.append(cpu_ns(own) - before)
        cost[n] = statistics.median(samples)
    per_row = (cost[10000] - cost[1000]) / 9000
    b.row("row of 10 short cells, per row", f"{per_row:.0f} ns", per_row / 150, "<= 1 (150 ns)")


if __name__ == "__main__":
    main()
