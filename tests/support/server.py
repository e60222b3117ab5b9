"""The real snowflake-mcp for a test: own folder, own ports, own emulator unless one is lent.

    with Server(workers=2, env={"CONNECTION_POOL_MAX_SIZE": "4"}) as s:
        s.call_tool("execute_query", {"sql": "select 1"})

Whatever happens, nothing that was started is left running.
"""

import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from emulator import Emulator
from net import wait_until

MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {}}
HOST = "127.0.0.1"


def build_dir():
    return Path(os.environ.get("BUILD", "build")).resolve()


def binary():
    return build_dir() / "snowflake-mcp"


def die_with_parent():
    """In the child, before exec: a killed test run takes the server along."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def title(pid):
    """What ps shows for a process; "" when it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def children(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(entry.name))
    return sorted(found)


class Answer:
    """One HTTP answer, read whole."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


def http_request(port, method, path, body=None, headers=None, host=HOST, timeout=60):
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def modern_headers(message):
    """The headers that a request of the stateless revision repeats from its body."""
    params = message.get("params") or {}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": message["method"]}
    name = params.get("name") if isinstance(params, dict) else None
    if message["method"] in ("tools/call", "prompts/get") and isinstance(name, str):
        headers["Mcp-Name"] = name
    return headers


class Processes:
    """A running supervisor (in self.process) and what hangs on it."""

    process = None
    output = None

    def start_process(self, command, env, folder, input_=subprocess.DEVNULL):
        self.output = Path(folder) / "server.log"
        with open(self.output, "ab") as out:
            self.process = subprocess.Popen([str(c) for c in command], env=env, cwd=folder,
                                            stdin=input_, stdout=out, stderr=subprocess.STDOUT,
                                            start_new_session=True, preexec_fn=die_with_parent)
        self.seen = set()

    def log(self):
        return self.output.read_text(errors="replace") if self.output else ""

    def wait_log(self, pattern, what=None, limit=20.0):
        """The match, once a line has it; at once an error when the server ends before."""
        def look():
            ended = self.process.poll() is not None
            match = re.search(pattern, self.log(), re.M)
            if not match and ended:
                raise AssertionError(f"exit {self.process.returncode} before {pattern!r}:\n{self.log()}")
            return match
        return wait_until(look, what or f"log line {pattern!r}\n{self.log()}", limit)

    @property
    def supervisor(self):
        return self.process.pid

    def all_pids(self):
        """The supervisor and all its children that live now."""
        now = [p for p in [self.supervisor, *children(self.supervisor)] if alive(p)]
        self.seen.update(now)
        return now

    @property
    def workers(self):
        """{number: pid} by process title."""
        found = {}
        for pid in self.all_pids():
            match = re.fullmatch(r"snowflake-mcp: worker (\d+)", title(pid))
            if match:
                found[int(match.group(1))] = pid
        return found

    @property
    def metrics_pid(self):
        return next(p for p in self.all_pids() if title(p) == "snowflake-mcp: metrics")

    def wait_end(self, limit=40.0):
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {limit} s:\n{self.log()[-4000:]}") from None

    def nothing_left(self, limit=5.0):
        wait_until(lambda: not [p for p in self.seen if alive(p)],
                   f"processes left: {[(p, title(p)) for p in self.seen if alive(p)]}", limit)

    def stop(self, code=0, limit=40.0, signo=signal.SIGTERM):
        """Asks the server to stop; its exit code and that no process of it is left."""
        if self.process.poll() is None:
            self.all_pids()
            self.process.send_signal(signo)
        ended = self.wait_end(limit)
        assert ended == code, f"exit {ended}, not {code}:\n{self.log()[-4000:]}"
        self.nothing_left()

    def destroy(self):
        """Whatever state it is in."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.all_pids()
            self.process.kill()
            self.process.wait()
        for pid in self.seen:
            if alive(pid) and title(pid).startswith("snowflake-"):
                os.kill(pid, signal.SIGKILL)


class Server(Processes):
    """emulator: one to share, else an own one is started with emulator_args.  env, yaml, dotenv:
    settings; workers, port 0 and where Snowflake is are filled in.  started=False: only prepared;
    ready=False: launched, not waited for."""

    def __init__(self, emulator=None, env=None, yaml=None, dotenv=None, args=(), workers=2,
                 emulator_args=(), started=True, ready=True):
        self.folder = Path(tempfile.mkdtemp(prefix="mcp-test-"))
        self.own_emulator = emulator is None
        self.emulator = emulator
        self.args = list(args)
        self.port = self.metrics_port = None
        try:
            if self.own_emulator:
                self.emulator = Emulator(args=list(emulator_args))
            self.env = self.settings(workers)
            self.env.update(env or {})
            self.env = {k: v for k, v in self.env.items() if v is not None}
            self.config = self.folder / "config.yaml"
            self.config.write_text(yaml if yaml is not None else "{}\n")
            if dotenv is not None:
                file = self.folder / ".env"
                file.write_text(dotenv)
                file.chmod(0o600)
            if started:
                self.launch()
                if ready:
                    self.wait_ready()
        except BaseException:
            self.close()
            raise

    def settings(self, workers):
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
            "MCP_SERVER_PORT": "0",
            "METRICS_PORT": "0",
            "MCP_SERVER_WORKERS": str(workers),
            "SNOWFLAKE_ACCOUNT": "demo",
            "SNOWFLAKE_USER": "demo",
            "SNOWFLAKE_HOST": HOST,
            "SNOWFLAKE_PORT": str(self.emulator.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_PASSWORD": self.emulator.pat,
            "SNOWFLAKE_WAREHOUSE": "COMPUTE_WH",
            "SNOWFLAKE_DATABASE": "SNOWFLAKE_SAMPLE_DATA",
            "SNOWFLAKE_SCHEMA": "TPCH_SF1",
        }

    def launch(self):
        self.start_process([binary(), "--config", self.config, *self.args], self.env, self.folder)

    def wait_ready(self, limit=30.0):
        match = self.wait_log(r"^(?:\S+ )?info: ready endpoint=http://\S+:(\d+)/mcp "
                              r"metrics=(?:http://\S+:(\d+)/metrics|-)", limit=limit)
        self.port = int(match.group(1))
        self.metrics_port = int(match.group(2)) if match.group(2) else None
        self.all_pids()
        wait_until(lambda: self.health()[0] == 200, "/health answers 200", limit)

    @property
    def url(self):
        return f"http://{HOST}:{self.port}/mcp"

    # ---- requests ------------------------------------------------------------------------------

    def get(self, path, headers=None, host=HOST, port=None, timeout=60):
        return http_request(port or self.port, "GET", path, None, headers, host, timeout)

    def post(self, message, headers=None, timeout=60):
        """One JSON-RPC message (or raw bytes) to /mcp."""
        body = message if isinstance(message, (bytes, str)) else json.dumps(message)
        if isinstance(body, str):
            body = body.encode()
        all_headers = {"Content-Type": "application/json",
                       "Accept": "application/json, text/event-stream", **(headers or {})}
        return http_request(self.port, "POST", "/mcp", body, all_headers, timeout=timeout)

    def request(self, method, params=None, id_=1, timeout=60):
        """A stateless (modern) request; the whole JSON-RPC reply."""
        message = {"jsonrpc": "2.0", "id": id_, "method": method,
                   "params": {**(params or {}), "_meta": {**META, **((params or {}).get("_meta") or {})}}}
        return self.post(message, modern_headers(message), timeout).json()

    def call_tool(self, name, arguments=None, timeout=60):
        """The result of a tools/call; an error reply fails the test."""
        reply = self.request("tools/call", {"name": name, "arguments": arguments or {}}, timeout=timeout)
        assert "result" in reply, reply
        return reply["result"]

    def query(self, sql, timeout=60, **arguments):
        return self.call_tool("execute_query", {"sql": sql, **arguments}, timeout)

    def health(self):
        """(status, document)."""
        try:
            answer = self.get("/health", timeout=5)
        except OSError:
            return 0, {}
        return answer.status, answer.json()

    def metrics_text(self, accept=None):
        return self.get("/metrics", {"Accept": accept} if accept else None, port=self.metrics_port).text

    def metrics(self):
        """{name or name{labels}: value}"""
        lines = [x for x in self.metrics_text().splitlines() if x and not x.startswith("#")]
        return {x.rsplit(" ", 1)[0]: float(x.rsplit(" ", 1)[1]) for x in lines}

    def metric(self, name):
        """Sum over all label sets."""
        return sum(v for k, v in self.metrics().items() if k.split("{")[0] == name)

    # ---- the end -------------------------------------------------------------------------------

    def close(self):
        self.destroy()
        if self.own_emulator and self.emulator is not None:
            self.emulator.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Demo(Processes):
    """`snowflake-mcp --demo` as a newcomer starts it."""

    def __init__(self, env=None):
        self.folder = Path(tempfile.mkdtemp(prefix="mcp-demo-"))
        base = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder),
                "TMPDIR": str(self.folder), "MCP_SERVER_PORT": "0", "METRICS_PORT": "0",
                **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
        try:
            self.start_process([binary(), "--demo"], {**base, **(env or {})}, self.folder)
        except BaseException:
            self.close()
            raise

    def wait_ready(self, limit=90.0):
        self.wait_log(r"^Try it.*\n\n(curl .*)\n", limit=limit)
        self.all_pids()
        return self

    @property
    def try_line(self):
        return re.search(r"^curl .*$", self.log(), re.M).group(0)

    @property
    def emulator_pid(self):
        return next(p for p in self.all_pids() if "snowflake-emulator" in title(p))

    def leftovers(self):
        """Files in the folder given for temporary ones, the log aside."""
        return [p.name for p in self.folder.iterdir() if p != self.output]

    def close(self):
        self.destroy()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def run_once(*args, env=None, folder=None, timeout=30):
    """Runs the binary to its end: (exit code, stdout, stderr)."""
    base = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    done = subprocess.run([str(binary()), *map(str, args)], env={**base, **(env or {})}, cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr
