// The official TypeScript client 2.x: negotiates the newest revision there is.
// usage: ts_v2.mjs URL CALLS [auto|legacy]; prints one JSON document.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [url, calls] = [process.argv[2], JSON.parse(process.argv[3])];
const mode = process.argv[4] ?? "auto";
const client = new Client({ name: "ts-v2", version: "1.0.0" }, { versionNegotiation: { mode } });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const { tools } = await client.listTools();
const results = [];
for (const call of calls) results.push(await client.callTool(call));
console.log(JSON.stringify({ server: client.getServerVersion(), era: client.getProtocolEra?.(), tools, results }));
await client.close();
