"""The official Python client against our endpoint.

usage: py_client.py URL CALLS [auto|legacy]; CALLS is a JSON list of {name, arguments}; prints one
JSON document."""

import asyncio
import json
import sys

from mcp import Client


async def main(url, calls, mode):
    async with Client(url, mode=mode) as client:
        tools = (await client.list_tools()).tools
        results = [await client.call_tool(c["name"], c.get("arguments", {})) for c in calls]
        dump = {"by_alias": True, "exclude_none": True, "mode": "json"}
        print(json.dumps({
            "version": str(client.protocol_version),
            "tools": [t.model_dump(**dump) for t in tools],
            "results": [r.model_dump(**dump) for r in results],
        }))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "auto"))
