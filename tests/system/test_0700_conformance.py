"""The official conformance suite: the scenarios that need no fixtures of their own."""

import os
import re
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(os.environ.get("BUILD", "build")).resolve() / "clients"

# What the suite can check of a server that carries no test tools, per revision.
SCENARIOS = [
    ("2025-11-25", "server-initialize"),
    ("2025-11-25", "ping"),
    ("2025-11-25", "tools-list"),
    ("2025-11-25", "server-sse-multiple-streams"),
    ("2025-11-25", "dns-rebinding-protection"),
    ("2025-11-25", "server-session-lifecycle"),
    ("2026-07-28", "tools-list"),
    ("2026-07-28", "server-sse-multiple-streams"),
    ("2026-07-28", "http-header-validation"),
    ("2026-07-28", "dns-rebinding-protection"),
    ("2026-07-28", "input-required-result-unsupported-methods"),
]


@pytest.mark.parametrize("revision,scenario", SCENARIOS)
def test_scenario(server, tmp_path, revision, scenario):
    url = server.url.replace("127.0.0.1", "localhost")
    done = subprocess.run(
        [str(CLIENTS / "node_modules/.bin/node"), str(CLIENTS / "node_modules/.bin/conformance"),
         "server", "--url", url, "--scenario", scenario, "--spec-version", revision,
         "-o", str(tmp_path)],
        text=True, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"Passed: ([1-9]\d*)/\1, 0 failed, 0 warnings", done.stdout), done.stdout[-2000:]
