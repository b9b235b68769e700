// Runs in Deno and in Bun: connects to the server in the first argument, uses each part once, closes, and ends.
import { connect } from "switchboard-client";
import { conformance } from "../support/api.js";

const url = process.argv[2] ?? "";
const client = connect(url, conformance, { onContractMismatch: () => {} });
const steps: number[] = [];
const sum = await client.request("ADD", { a: 1, b: 2 });
await client.request("COUNT", { to: 3 }, { onProgress: ({ n }) => steps.push(n) });
const topic = client.subscribe("open:runtimes");
await topic.ready();
const said = new Promise<string>((resolve) => topic.on("SAID", ({ text }) => resolve(text)));
await fetch(url.replace("ws:", "http:").replace("/ws", "/publish/open:runtimes"), {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"text":"hello"}',
});
const text = await said;
client.close();
console.log(JSON.stringify({ sum, steps, text, status: client.state.status }));
