"""The same suite on other builds: address and undefined-behaviour sanitizers, clang, valgrind."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", "build")).resolve()


def suite(build, *groups, env=None, limit=2400):
    done = subprocess.run(["/usr/bin/python3", "tests/run_suite.py", "--build", str(build), *groups],
                          cwd=ROOT, env=dict(os.environ, **(env or {})), text=True, timeout=limit,
                          errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-6000:]
    assert re.search(r"^[1-9]\d* passed, 0 failed", done.stdout, re.M), done.stdout[-2000:]


ASAN = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


def test_units_and_corpora_under_address_and_undefined_sanitizers():
    suite(BUILD / "asan", "unit", "fuzz", env=ASAN)


def test_system_under_address_and_undefined_sanitizers():
    clients = BUILD / "asan/clients"
    if not clients.exists():
        clients.symlink_to(BUILD / "clients")
    suite(BUILD / "asan", "system", env=ASAN)


def test_units_with_clang():
    suite(BUILD / "clang", "unit", "fuzz")


UNITS = sorted(p for p in (BUILD / "unit").glob("*/test_*") if p.suffix == "")


@pytest.mark.parametrize("program", UNITS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_unit_under_valgrind(program):
    if program.parent.name == "emulator":
        pytest.skip("DuckDB's own allocations; the emulator is a test tool")
    done = subprocess.run(
        ["valgrind", "-q", "--error-exitcode=77", "--leak-check=full", "--errors-for-leak-kinds=definite",
         "--child-silent-after-fork=yes", str(program)],
        cwd=ROOT, env=dict(os.environ, SRCDIR=str(ROOT), UNDER_VALGRIND="1"), text=True, timeout=600,
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
