"""`snowflake-mcp --demo`: what a newcomer sees, and that nothing of it stays."""

import json
import os
import signal
import socket
import subprocess

import pytest

from net import wait_until
from server import Demo, alive, binary, http_request, title


def test_the_line_to_try_works_as_printed():
    with Demo() as d:
        d.wait_ready()
        done = subprocess.run(["sh", "-c", d.try_line], capture_output=True, text=True, timeout=60)
        result = json.loads(done.stdout)["result"]
        assert not result.get("isError"), result
        assert ["AFRICA", 5] in result["structuredContent"]["rows"]
        assert d.leftovers() == []
        d.stop()
        assert d.leftovers() == []


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_end_it_leaves_nothing(signo):
    with Demo() as d:
        d.wait_ready()
        emulator = d.emulator_pid
        os.killpg(d.supervisor, signo)
        assert d.wait_end() == 0
        d.nothing_left()
        assert not alive(emulator)
        assert d.leftovers() == []
        assert "error" not in d.log().lower()


def test_a_killed_supervisor_takes_the_emulator_along():
    with Demo() as d:
        d.wait_ready()
        d.process.kill()
        d.process.wait()
        d.nothing_left()
        assert d.leftovers() == []


def test_a_stop_while_it_starts_leaves_nothing():
    with Demo() as d:
        wait_until(lambda: any("snowflake-emulator" in title(p) for p in d.all_pids()), "the emulator")
        d.process.terminate()
        d.wait_end()
        d.nothing_left()
        assert d.leftovers() == []


def test_when_the_emulator_dies_so_does_the_demo():
    with Demo() as d:
        d.wait_ready()
        os.kill(d.emulator_pid, signal.SIGKILL)
        assert d.wait_end() == 1
        assert "error: the emulator has ended" in d.log()
        d.nothing_left()


def test_ports_workers_and_addresses_of_the_environment_are_obeyed():
    with socket.socket() as s, socket.socket() as t:
        s.bind(("127.0.0.1", 0))
        t.bind(("127.0.0.1", 0))
        port, metrics = s.getsockname()[1], t.getsockname()[1]
    env = {"MCP_SERVER_PORT": str(port), "METRICS_PORT": str(metrics), "MCP_SERVER_WORKERS": "3",
           "MCP_SERVER_HOST": "127.0.0.1", "SNOWFLAKE_ACCOUNT": "of-the-caller",
           "SNOWFLAKE_PASSWORD": "not-for-a-demo"}
    with Demo(env) as d:
        d.wait_ready()
        assert len(d.workers) == 3
        assert http_request(port, "GET", "/health").status == 200
        assert http_request(metrics, "GET", "/metrics").status == 200
        d.stop()


def test_without_the_emulator_it_says_what_to_do(tmp_path):
    lonely = tmp_path / "snowflake-mcp"
    lonely.write_bytes(binary().read_bytes())
    lonely.chmod(0o755)
    done = subprocess.run([str(lonely), "--demo"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "snowflake-emulator" in done.stderr and "make" in done.stderr
