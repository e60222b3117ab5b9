"""Process life: start, titles, ports, death of every process, stop, reload, crash loop."""

import os
import re
import signal
import socket
import threading
import time

import pytest

from emulator import Emulator
from net import wait_until
from server import Server, alive, http_request, run_once, title

READ = "select count(*) from NATION"


@pytest.fixture
def make_server(emulator):
    """Servers on the module's emulator, closed at the end of the test."""
    made = []

    def make(**kwargs):
        kwargs.setdefault("emulator", emulator)
        made.append(Server(**kwargs))
        return made[-1]
    yield make
    for s in made:
        s.close()


def in_background(work):
    """Runs work() in a thread; .result() joins and gives what it returned."""
    box = {}

    def run():
        try:
            box["value"] = work()
        except Exception as e:
            box["error"] = e
    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result(limit=60):
        thread.join(limit)
        assert not thread.is_alive(), "still waiting for an answer"
        if "error" in box:
            raise box["error"]
        return box["value"]
    thread.result = result
    return thread


def rows_of(result):
    assert not result.get("isError"), result
    return result["structuredContent"]["rows"]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


# ---- start and stop ------------------------------------------------------------------------------

def test_every_process_has_its_title_and_stop_leaves_none(make_server):
    s = make_server(workers=3)
    assert title(s.supervisor) == "snowflake-mcp: supervisor"
    assert sorted(s.workers) == [0, 1, 2]
    assert title(s.metrics_pid) == "snowflake-mcp: metrics"
    assert len(s.all_pids()) == 5
    assert rows_of(s.query(READ)) == [[25]]
    s.stop()


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_both_stop_signals_end_with_0(make_server, signo):
    s = make_server()
    s.stop(code=0, signo=signo)
    assert "error" not in s.log().lower()


def test_ctrl_c_to_the_whole_group_is_an_orderly_stop(make_server):
    s = make_server()
    s.all_pids()
    os.killpg(s.supervisor, signal.SIGINT)
    assert s.wait_end() == 0
    s.nothing_left()
    assert "killed" not in s.log()


def test_both_loopbacks_answer_on_the_same_port(make_server):
    s = make_server()
    hosts = ["127.0.0.1"] + (["::1"] if has_ipv6() else [])
    for host in hosts:
        assert s.get("/health", host=host).status == 200
        assert http_request(s.metrics_port, "GET", "/metrics", host=host).status == 200


def test_connections_reach_every_worker(make_server):
    s = make_server(workers=2)
    held = []
    for _ in range(60):
        held.append(socket.create_connection(("127.0.0.1", s.port)))
    own = [len([f for f in os.listdir(f"/proc/{p}/fd")
                if os.readlink(f"/proc/{p}/fd/{f}").startswith("socket:")])
           for p in s.workers.values()]
    for c in held:
        c.close()
    assert min(own) > 10, own


def test_a_port_in_use_is_named_with_the_setting(make_server):
    s = make_server()
    for setting, port in (("MCP_SERVER_PORT", s.port), ("METRICS_PORT", s.metrics_port)):
        other = make_server(env={setting: str(port)}, ready=False)
        assert other.wait_end() == 2
        assert re.search(rf"^error: port {port} on \S+ is in use.*{setting}", other.log(), re.M), other.log()


def test_metrics_process_can_be_switched_off(make_server):
    s = make_server(env={"ENABLE_METRICS": "false"})
    assert s.metrics_port is None
    assert len(s.all_pids()) == 3
    s.stop()


def test_start_does_not_wait_for_snowflake(make_server):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        s = make_server(env={"SNOWFLAKE_PORT": str(nobody.getsockname()[1])})
        status, document = s.health()
        assert status == 200
        assert document["snowflake_connection"] in ("unknown", "degraded", "unhealthy")
        s.stop()


# ---- wrong configuration -------------------------------------------------------------------------

def test_every_problem_is_printed_and_the_exit_code_is_2(make_server):
    s = make_server(env={"CONNECTION_POOL_MAX_SIZE": "many"}, ready=False,
                    yaml="server:\n  prot: 8000\nquery:\n  timeout: 5 parsecs\n")
    assert s.wait_end() == 2
    log = s.log()
    assert "CONNECTION_POOL_MAX_SIZE" in log
    assert re.search(r"^error: .*config\.yaml:4.*query\.timeout", log, re.M), log
    assert re.search(r"config\.yaml:2.*prot.*port", log), log
    code, out, err = run_once("--config", s.config, "--check-config", env=s.env)
    assert code == 2
    assert [x for x in log.splitlines() if x.startswith("error")] == \
        [x for x in err.splitlines() if x.startswith("error")]


def test_a_key_that_is_none_is_a_configuration_error(make_server):
    s = make_server(env={"SNOWFLAKE_PRIVATE_KEY_PATH": "/etc/hostname", "SNOWFLAKE_PASSWORD": None}, ready=False)
    assert s.wait_end() == 2
    assert re.search(r"^error: .*(key|PEM)", s.log(), re.M), s.log()


def test_check_config_says_yes(make_server):
    s = make_server(started=False)
    code, out, err = run_once("--config", s.config, "--check-config", env=s.env)
    assert code == 0, err
    assert "valid" in out


def test_print_config_masks_secrets(make_server):
    s = make_server(started=False)
    code, out, err = run_once("--config", s.config, "--print-config", env=s.env)
    assert code == 0, err
    assert "server.port" in out and "SNOWFLAKE_HOST" in out
    assert s.env["SNOWFLAKE_PASSWORD"] not in out


def test_command_line():
    assert run_once("--version")[0:2] == (0, "snowflake-mcp 1.0.0\n")
    code, out, err = run_once("--help")
    assert code == 0 and "--check-config" in out
    code, out, err = run_once("--chek-config")
    assert code == 2 and "did you mean --check-config?" in err
    for what, word in (("yaml", "server:"), ("env", "MCP_SERVER_PORT"), ("man", ".TP")):
        code, out, err = run_once("--dump-docs", what)
        assert code == 0 and word in out


# ---- death ---------------------------------------------------------------------------------------

def test_a_killed_worker_is_replaced_and_totals_do_not_go_back(make_server):
    s = make_server(workers=2)
    for _ in range(6):
        rows_of(s.query(READ))
    before = s.metric("mcp_requests_total")
    assert before >= 6
    for victim in (0, 1):
        pid = s.workers[victim]
        os.kill(pid, signal.SIGKILL)
        s.wait_log(rf"error: worker {victim} \(pid {pid}\) killed by signal 9 \(possible out of memory\)")
        wait_until(lambda v=victim, p=pid: s.workers.get(v, p) != p, "a new worker", 5)
    wait_until(lambda: s.health()[1].get("workers", {}).get("alive") == 2, "both serve again", 5)
    assert s.metric("mcp_requests_total") >= before
    for _ in range(4):
        assert rows_of(s.query(READ)) == [[25]]
    assert s.metric("mcp_requests_total") >= before + 4
    s.stop()


def test_what_queued_for_a_dead_worker_is_served_by_its_successor(make_server):
    s = make_server(workers=1)
    os.kill(s.workers[0], signal.SIGKILL)
    assert s.get("/livez", timeout=10).status == 200


def test_the_metrics_process_is_replaced_too(make_server):
    s = make_server()
    pid = s.metrics_pid
    os.kill(pid, signal.SIGKILL)
    s.wait_log(rf"error: metrics process \(pid {pid}\) killed by signal 9")
    wait_until(lambda: s.metrics_text(), "metrics again", 5)
    assert s.metric("pool_connections_max") == 10


def test_a_hung_worker_is_killed_and_replaced(make_server):
    s = make_server(workers=2, env={"MCP_SERVER_HEARTBEAT_LIMIT": "700ms"})
    pid = s.workers[1]
    os.kill(pid, signal.SIGSTOP)
    s.wait_log(rf"error: worker 1 \(pid {pid}\) killed by signal 9 \(its heartbeat had stopped\)", limit=10)
    wait_until(lambda: s.health()[1].get("workers", {}).get("alive") == 2, "both serve again", 5)
    assert title(s.workers[1]) == "snowflake-mcp: worker 1"


def test_everyone_leaves_when_the_supervisor_is_killed(make_server):
    s = make_server(workers=2)
    s.all_pids()
    s.process.kill()
    s.process.wait()
    s.nothing_left(limit=5)


def test_a_crash_loop_backs_off_and_says_so_once(make_server):
    s = make_server(workers=2)
    for _ in range(6):
        pid = wait_until(lambda: s.workers.get(0), "worker 0", 10)
        os.kill(pid, signal.SIGSEGV)
        wait_until(lambda p=pid: not alive(p) and s.workers.get(0) != p, "its death", 5)
    s.wait_log(r"^error: worker 0 keeps dying soon after its start", limit=10)
    assert s.log().count("keeps dying") == 1
    assert alive(s.workers[1])
    s.stop()


def test_while_no_worker_lives_health_says_503(make_server):
    s = make_server(workers=1)
    for _ in range(5):
        pid = wait_until(lambda: s.workers.get(0), "the worker", 10)
        os.kill(pid, signal.SIGSEGV)
        wait_until(lambda p=pid: not alive(p), "its death", 5)
    # The next start is more than a second away: somebody else has to answer.
    answer = wait_until(lambda: next((a for a in [s.get("/health", timeout=5)] if a.status == 503), None),
                        "503 of the metrics process", 10)
    assert answer.json()["status"] != "healthy"
    assert answer.headers["Connection"] == "close"
    wait_until(lambda: s.health()[0] == 200, "health after the pause", 10)
    assert rows_of(s.query(READ)) == [[25]]


# ---- stop with calls in flight ---------------------------------------------------------------------

@pytest.fixture(scope="module")
def slow_emulator():
    """Each statement takes two seconds longer."""
    with Emulator(args=["--latency-ms", "2000"]) as e:
        yield e


@pytest.fixture(scope="module")
def stuck_emulator():
    """No statement ends unless it is cancelled."""
    with Emulator(args=["--latency-ms", "600000"]) as e:
        yield e


def calls_running(s):
    """Statements of callers; the health probe's are SHOWs."""
    return [x for x in s.emulator.running() if "NATION" in x["sql"]]


def nothing_runs(s):
    """Snowflake confirms a cancel before the statement has quite stopped."""
    wait_until(lambda: not calls_running(s), "no statement runs without a caller", 1)


def call_in_flight(s):
    call = in_background(lambda: s.query(READ, timeout=30))
    wait_until(lambda: calls_running(s), "the statement runs", 10)
    return call


def test_a_call_in_flight_finishes_and_new_ones_are_refused(make_server, slow_emulator):
    s = make_server(workers=2, emulator=slow_emulator)
    call = call_in_flight(s)
    s.all_pids()
    s.process.terminate()
    refused = wait_until(lambda: try_ping(s, 503), "503 for a new call", 5)
    assert refused.headers["Connection"] == "close"
    assert refused.headers["Retry-After"]
    assert refused.json()["error"]["code"] == -32603
    status, document = s.health()
    assert status == 503 and document["status"] == "draining"
    assert s.get("/readyz").status == 503
    assert rows_of(call.result()) == [[25]]
    s.stop()
    assert "error" not in s.log().lower()


def try_ping(s, status):
    """The answer to a ping if it has this status."""
    try:
        answer = s.post({"jsonrpc": "2.0", "id": 9, "method": "ping"}, timeout=5)
    except OSError:
        return None
    return answer if answer.status == status else None


def test_without_a_metrics_process_new_clients_are_turned_away_in_a_drain(make_server, slow_emulator):
    s = make_server(workers=2, emulator=slow_emulator, env={"ENABLE_METRICS": "false"})
    call = call_in_flight(s)
    s.all_pids()
    s.process.terminate()

    def refused():
        try:
            socket.create_connection(("127.0.0.1", s.port), 5).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # it was in the queue when the socket was shut
        return False
    wait_until(refused, "no more connections", 2)
    assert rows_of(call.result()) == [[25]]
    s.stop()
    assert "warning" not in s.log()


def test_calls_past_the_drain_time_are_cancelled_at_snowflake(make_server, stuck_emulator):
    s = make_server(env={"MCP_SERVER_DRAIN_TIME": "300ms"}, emulator=stuck_emulator)
    call = call_in_flight(s)
    start = time.monotonic()
    s.stop(code=0, limit=10)
    assert time.monotonic() - start < 5
    nothing_runs(s)
    result = call.result(5)
    assert result["isError"] and "shutting down" in result["content"][0]["text"]


def test_a_second_signal_stops_at_once(make_server, stuck_emulator):
    s = make_server(env={"MCP_SERVER_DRAIN_TIME": "60s"}, emulator=stuck_emulator)
    call = call_in_flight(s)
    s.all_pids()
    s.process.terminate()
    s.wait_log(r"info: stopping signal=TERM")
    start = time.monotonic()
    s.stop(code=0, limit=10)
    assert time.monotonic() - start < 5
    nothing_runs(s)
    assert call.result(5)["isError"]


def test_statements_end_when_the_supervisor_is_killed(make_server, stuck_emulator):
    s = make_server(emulator=stuck_emulator)
    call_in_flight(s)
    s.process.kill()
    s.process.wait()
    s.nothing_left(limit=5)
    nothing_runs(s)


def test_statements_of_a_killed_worker_are_cancelled_by_the_others(make_server, stuck_emulator):
    s = make_server(workers=2, emulator=stuck_emulator)
    s.emulator.faults({"match": "poll", "ms": 1, "count": 1})
    call_in_flight(s)
    # A poll has used up the rule: the worker knows the statement's handle.
    wait_until(lambda: not any(r["count"] for r in s.emulator.ask("/__emulator/faults")), "a first poll", 10)
    for pid in s.workers.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not calls_running(s), "no statement without a caller", 5)
    assert re.search(r"killed by signal 9.* slots_held=1", s.log()), s.log()
    wait_until(lambda: s.metric("pool_connections_active") == 0, "nothing is held", 5)
    s.stop()


# ---- reload --------------------------------------------------------------------------------------

def test_reload_changes_limits_and_replaces_workers_without_a_lost_call(make_server):
    s = make_server(dotenv="CONNECTION_POOL_MAX_SIZE=7\n")
    assert s.metric("pool_connections_max") == 7
    old = s.workers
    failures, done = [], threading.Event()

    def load():
        n = 0
        while not done.is_set():
            n += 1
            try:
                rows_of(s.query(READ))
            except Exception as e:
                failures.append(repr(e))
        return n
    callers = [in_background(load) for _ in range(4)]
    (s.folder / ".env").write_text("CONNECTION_POOL_MAX_SIZE=20  # Increase from 10\nMCP_SERVER_DRAIN_TIME=5s\n")
    os.kill(s.supervisor, signal.SIGHUP)
    s.wait_log(r"info: reload finished", limit=20)
    done.set()
    assert sum(c.result() for c in callers) > 0
    assert failures == []
    assert s.metric("pool_connections_max") == 20
    assert not set(old.values()) & set(s.workers.values())
    assert sorted(s.workers) == sorted(old)
    s.stop()


def test_a_bad_configuration_is_rejected_whole(make_server):
    s = make_server(dotenv="CONNECTION_POOL_MAX_SIZE=7\n")
    old = s.workers
    (s.folder / ".env").write_text("CONNECTION_POOL_MAX_SIZE=20\nQUERY_TIMEOUT_SECONDS=soon\n")
    os.kill(s.supervisor, signal.SIGHUP)
    s.wait_log(r"^error: .*QUERY_TIMEOUT_SECONDS")
    s.wait_log(r"^error: reload failed")
    assert s.metric("pool_connections_max") == 7
    assert s.workers == old
    s.stop()


def test_what_needs_a_restart_is_said(make_server):
    s = make_server(dotenv="MCP_SERVER_ALLOW_REMOTE=false\n")
    (s.folder / ".env").write_text("MCP_SERVER_ALLOW_REMOTE=true\n")
    os.kill(s.supervisor, signal.SIGHUP)
    s.wait_log(r"warning: this setting changes only at a restart setting=server.allow_remote")
    s.wait_log(r"info: reload finished")
    s.stop()


def test_reload_opens_the_log_anew(make_server):
    s = make_server(started=False)
    file = s.folder / "mcp.log"
    s.env["LOG_FILE"] = str(file)
    s.launch()
    wait_until(lambda: file.exists() and "ready endpoint=" in file.read_text(), "ready")
    file.rename(s.folder / "mcp.log.1")
    os.kill(s.supervisor, signal.SIGHUP)
    wait_until(lambda: file.exists() and "reload finished" in file.read_text(), "a new file")
    s.stop()


# ---- the metrics endpoint ------------------------------------------------------------------------

def test_metrics_have_two_faces(make_server):
    s = make_server()
    bare = s.metrics_text()
    assert bare and not [x for x in bare.splitlines() if x.startswith("#")]
    full = s.metrics_text("text/plain;version=0.0.4;q=0.5, */*;q=0.1")
    assert "# TYPE pool_connections_active gauge" in full
    answer = s.get("/metrics?format=prometheus", port=s.metrics_port)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for name in ("pool_connections_active", "pool_connections_max", "pool_connections_peak",
                 "pool_connections_total", "mcp_requests_per_second", "mcp_active_sessions_total"):
        assert len([x for x in bare.splitlines() if name in x]) == 1, name
    assert s.get("/", port=s.metrics_port).status == 200
    assert s.get("/nothing", port=s.metrics_port).status == 404
    assert http_request(s.metrics_port, "POST", "/metrics", b"x").status == 405


def test_metrics_answer_while_every_worker_is_stopped(make_server):
    s = make_server(workers=2)
    pids = list(s.workers.values())
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    assert s.metric("mcp_workers_configured") == 2
    assert time.monotonic() - start < 1
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_an_idle_server_writes_no_word_of_trouble(make_server):
    s = make_server(env={"SNOWFLAKE_HEALTH_CHECK_INTERVAL": "200ms"})
    wait_until(lambda: s.health()[1].get("snowflake_connection") == "healthy", "a probe succeeded", 10)
    for _ in range(3):
        rows_of(s.query(READ))
    s.stop()
    words = r"error|warning|failed|timeout|connection|pool|memory|leak|authentication|authorization|security"
    assert not re.search(words, s.log(), re.I), s.log()
