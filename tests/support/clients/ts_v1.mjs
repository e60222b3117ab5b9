// The official TypeScript SDK 1.x against our endpoint.
// usage: ts_v1.mjs URL CALLS, CALLS a JSON list of {name, arguments}; prints one JSON document.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, calls] = [process.argv[2], JSON.parse(process.argv[3])];
const client = new Client({ name: "ts-v1", version: "1.0.0" });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
await client.ping();
const { tools } = await client.listTools(); // also compiles the output schemas that callTool checks
const results = [];
for (const call of calls) results.push(await client.callTool(call));
console.log(JSON.stringify({ server: client.getServerVersion(), tools, results }));
await client.close();
