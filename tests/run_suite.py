#!/usr/bin/python3
"""Runs groups of tests and ends with one line: `N passed, N failed, N skipped`.

usage: run_suite.py [--build DIR] [--result NAME] GROUP...

Groups: lint (tests/lint), unit (cmocka programs), fuzz (corpus replay), system (pytest on
tests/system), slow (pytest on tests/slow: sanitizers, storms, valgrind).  Exits 1 when anything
failed or nothing ran.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def fail(self, name, why=""):
        self.failed += 1
        self.failures.append(f"{name}: {why}" if why else name)


def run(command, env=None, limit=600):
    """Output and exit code of a command; a time-out counts as failure."""
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, timeout=limit, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout, done.returncode
    except subprocess.TimeoutExpired as e:
        text = e.stdout or ""
        if isinstance(text, bytes):
            text = text.decode(errors="replace")
        return text + f"\n(no end after {limit} s)\n", -1


def run_unit(build, tally):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", SRCDIR=str(ROOT), BUILD=str(build))
    programs = sorted(p for p in (build / "unit").glob("*/test_*") if p.suffix == "")
    for program in programs:
        out, code = run([str(program)], env)
        # cmocka writes a skipped test as "not ok N # SKIP name".
        skipped = len(re.findall(r"^(?:not )?ok \d+ # SKIP", out, re.M))
        good = len(re.findall(r"^ok \d+ (?!# SKIP)", out, re.M))
        bad = len(re.findall(r"^not ok \d+ (?!# SKIP)", out, re.M))
        tally.add(good, bad, skipped)
        name = f"{program.parent.name}/{program.name}"
        print(f"{'ok  ' if code == 0 and not bad else 'FAIL'} unit {name} ({good})", flush=True)
        if bad or code != 0 or good == 0:
            print(out)
            if not bad:
                tally.fail(name, f"exit {code}")
            else:
                tally.failures.append(name)
    if not programs:
        tally.fail("unit", "no test program was built")


def run_fuzz(build, tally):
    for program in sorted(p for p in (build / "fuzz").glob("*/fuzz_*") if p.suffix == ""):
        corpus = ROOT / "tests/fuzz/corpus" / program.name
        out, code = run([str(program), str(corpus)])
        print(f"{'ok  ' if code == 0 else 'FAIL'} fuzz {program.name}: {out.strip()[-200:]}", flush=True)
        if code == 0:
            tally.add(1, 0)
        else:
            print(out)
            tally.fail(f"fuzz {program.name}", f"exit {code}")


def run_lint(build, tally):
    checks = sorted((ROOT / "tests/lint").glob("lint_*"))
    for check in checks:
        out, code = run([str(check)], dict(os.environ, BUILD=str(build)))
        print(f"{'ok  ' if code == 0 else 'FAIL'} lint {check.name}", flush=True)
        if code == 0:
            tally.add(1, 0)
        else:
            print(out)
            tally.fail(f"lint {check.name}")


def run_pytest(build, folder, tally, limit):
    report = build / f"{folder.name}.xml"
    report.unlink(missing_ok=True)
    env = dict(os.environ, BUILD=str(build), PYTHONDONTWRITEBYTECODE="1")
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider",
               "--durations=10", "--junitxml", str(report), str(folder)]
    try:
        code = subprocess.run(command, cwd=ROOT, env=env, timeout=limit).returncode
    except subprocess.TimeoutExpired:
        code = -1
    if not report.exists():
        tally.fail(folder.name, f"pytest gave no report (exit {code})")
        return
    for suite in ET.parse(report).getroot().iter("testsuite"):
        n = {k: int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped")}
        bad = n["failures"] + n["errors"]
        tally.add(n["tests"] - bad - n["skipped"], bad, n["skipped"])
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                tally.failures.append(f"{case.get('classname')}.{case.get('name')}")
    if code not in (0, 1):
        tally.fail(folder.name, f"pytest exit {code}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--result", default="check")
    parser.add_argument("groups", nargs="+", choices=["lint", "unit", "fuzz", "system", "slow"])
    args = parser.parse_args()
    build = Path(args.build).resolve()
    tally = Tally()
    for group in args.groups:
        start = time.monotonic()
        if group == "lint":
            run_lint(build, tally)
        elif group == "unit":
            run_unit(build, tally)
        elif group == "fuzz":
            run_fuzz(build, tally)
        else:
            run_pytest(build, ROOT / "tests" / group, tally, 3000)
        print(f"---- {group}: {time.monotonic() - start:.0f} s", flush=True)
    for failure in tally.failures:
        print(f"failed: {failure}")
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    line = f"{tally.passed} passed, {tally.failed} failed{skipped}"
    (build / f"{args.result}.result").write_text(line + "\n")
    print(line)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
