"""Fixtures of the system tests: one emulator and one server per file, unless a test makes its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from emulator import Emulator  # noqa: E402
from server import Server  # noqa: E402


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as e:
        yield e


@pytest.fixture(scope="module")
def server(emulator):
    with Server(emulator=emulator) as s:
        yield s
        s.stop()
