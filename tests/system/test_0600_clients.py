"""The official clients list and call every tool of the real server; what they report is compared
with what the emulator answers when it is asked directly."""

import json
import os
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(os.environ.get("BUILD", "build")).resolve() / "clients"
NODE = CLIENTS / "node_modules/.bin/node"
PYTHON = CLIENTS / "venv/bin/python"

CALLS = [
    {"name": "list_databases", "arguments": {}},
    {"name": "list_schemas", "arguments": {"database": "DEMO_DB"}},
    {"name": "list_tables", "arguments": {"database": "SNOWFLAKE_SAMPLE_DATA", "schema": "TPCH_SF1"}},
    {"name": "list_views", "arguments": {"database": "DEMO_DB", "schema": "ANALYTICS"}},
    {"name": "describe_table", "arguments": {"table": "SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.ORDERS"}},
    {"name": "execute_query", "arguments": {
        "sql": "select n_name, n_regionkey from SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.NATION order by n_nationkey limit 3"}},
    {"name": "execute_query", "arguments": {"sql": "drop table SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.NATION"}},
]
TOOLS = ["list_databases", "list_schemas", "list_tables", "list_views", "describe_table",
         "describe_view", "query_view", "execute_query"]


def run_client(*command):
    done = subprocess.run([str(c) for c in command], text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def calls(server):
    """All of CALLS, with the first view there is described and queried as well."""
    views = server.call_tool("list_views", {"database": "DEMO_DB", "schema": "ANALYTICS"})
    name = views["structuredContent"]["rows"][0][0]
    view = {"database": "DEMO_DB", "schema": "ANALYTICS", "view": name}
    return CALLS + [{"name": "describe_view", "arguments": view},
                    {"name": "query_view", "arguments": dict(view, limit=2)}]


def check(answer, calls):
    assert sorted(t["name"] for t in answer["tools"]) == sorted(TOOLS)
    for tool in answer["tools"]:
        assert tool["description"] and tool["inputSchema"]["type"] == "object"
        assert tool["annotations"]["readOnlyHint"] is True
    results = answer["results"]
    assert len(results) == len(calls)
    for call, result in zip(calls, results):
        refused = call["arguments"].get("sql", "").startswith("drop")
        assert bool(result.get("isError")) == refused, (call, result)
        assert result["content"][0]["text"]
    rows = results[5]["structuredContent"]["rows"]
    assert rows == [["ALGERIA", 0], ["ARGENTINA", 1], ["BRAZIL", 1]]
    assert "only statements that read are allowed" in results[6]["content"][0]["text"]


def test_typescript_1(server, calls):
    check(run_client(NODE, CLIENTS / "ts_v1.mjs", server.url, json.dumps(calls)), calls)


@pytest.mark.parametrize("mode,era", [("auto", "modern"), ("legacy", "legacy")])
def test_typescript_2(server, calls, mode, era):
    answer = run_client(NODE, CLIENTS / "ts_v2.mjs", server.url, json.dumps(calls), mode)
    assert answer["era"] == era
    check(answer, calls)


@pytest.mark.parametrize("mode,version", [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_python(server, calls, mode, version):
    answer = run_client(PYTHON, CLIENTS / "py_client.py", server.url, json.dumps(calls), mode)
    assert answer["version"] == version
    check(answer, calls)


def inspector(server, *args):
    return run_client(NODE, CLIENTS / "node_modules/.bin/mcp-inspector", "--cli", server.url,
                      "--transport", "http", *args)


def test_inspector_lists_tools(server):
    tools = inspector(server, "--method", "tools/list")["tools"]
    assert sorted(t["name"] for t in tools) == sorted(TOOLS)


def test_inspector_calls_a_tool(server):
    result = inspector(server, "--method", "tools/call", "--tool-name", "execute_query",
                       "--tool-arg", "sql=select 1 as one")
    assert result["structuredContent"]["rows"] == [[1]]
