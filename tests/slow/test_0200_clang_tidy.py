"""clang-tidy over every source: bugs and what usually becomes one."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", "build")).resolve()
# Off: style, and three path checkers that cannot follow intrusive lists and our own strings; the
# sanitizers and valgrind look for the same faults while the code runs.
CHECKS = ("-*,bugprone-*,clang-analyzer-*,performance-*,"
          "-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,"
          "-bugprone-reserved-identifier,-bugprone-narrowing-conversions,"
          "-bugprone-branch-clone,-bugprone-macro-parentheses,"
          "-bugprone-not-null-terminated-result,-bugprone-sizeof-expression,"
          "-bugprone-implicit-widening-of-multiplication-result,"
          "-clang-analyzer-unix.Malloc,-clang-analyzer-core.NonNullParamChecker,"
          "-clang-analyzer-core.CallAndMessage,"
          "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,"
          "-performance-no-int-to-ptr")


def tidy(path):
    done = subprocess.run(
        ["clang-tidy-14", "--quiet", f"--checks={CHECKS}", "--warnings-as-errors=*", str(path), "--",
         "-std=c11", "-D_GNU_SOURCE", f"-I{BUILD}", "-Ilib", "-Isrc", "-I/usr/include/cjson",
         f"-I{BUILD}/duckdb"],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return "" if done.returncode == 0 else done.stdout


def test_no_findings():
    sources = sorted([*ROOT.glob("lib/*.c"), *ROOT.glob("src/*/*.c")])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [f for f in pool.map(tidy, sources) if f]
    assert sources
    assert not findings, "\n".join(findings)[:60000]
