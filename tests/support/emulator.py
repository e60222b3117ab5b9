"""snowflake-emulator for a test: own port, a token, and what it tells about itself."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from net import wait_until

PAT = "test-token-of-the-emulator"


class Emulator:
    """args: further options.  The process ends with the test run, whatever happens to that."""

    def __init__(self, args=(), pat=PAT):
        self.pat = pat
        self.folder = Path(tempfile.mkdtemp(prefix="emulator-test-"))
        binary = Path(os.environ.get("BUILD", "build")).resolve() / "snowflake-emulator"
        port_file = self.folder / "port"
        command = [str(binary), "--listen", "127.0.0.1:0", "--port-file", str(port_file),
                   "--pat", pat, "--exit-on-eof", *map(str, args)]
        with open(self.folder / "emulator.log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            wait_until(lambda: port_file.exists() or self.process.poll() is not None,
                       "the emulator's port", 60)
            assert self.process.poll() is None, (self.folder / "emulator.log").read_text()
            self.port = int(port_file.read_text())
        except BaseException:
            self.close()
            raise

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def statements(self):
        return self.ask("/__emulator/statements")

    def running(self):
        """The statements that run now."""
        return [s for s in self.statements() if s["state"] == "running"]

    def stats(self):
        return self.ask("/__emulator/stats")

    def faults(self, *rules):
        return self.ask("/__emulator/faults", list(rules))

    def close(self):
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
