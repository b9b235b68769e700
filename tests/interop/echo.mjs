// node echo.mjs ADDRESS PLAN: what Node's `ws` sees of echo-server, as a line of JSON.

import { connect, echo, exchange, next } from "./exchange.mjs";

const { WebSocket } = await import("ws").catch((error) => {
  console.error(`${error.message}; run: cargo xtask setup`);
  process.exit(1);
});
const url = process.argv[2];
const plan = JSON.parse(process.argv[3]);

const seen = await exchange(WebSocket, url, plan);

// A message in fragments, with a ping before each.
const ws = await connect(WebSocket, url);
const message = next(ws, "message");
seen.pongs = [];
for (const [index, fragment] of plan.fragments.entries()) {
  const pong = new Promise((resolve, reject) => {
    ws.once("pong", resolve);
    ws.once("close", () => reject(new Error("closed before the pong")));
  });
  ws.ping(plan.pings[index]);
  seen.pongs.push(String(await pong));
  ws.send(fragment, { fin: index === plan.fragments.length - 1 });
}
seen.fragmented = (await message).data;

// Gone in the middle of a message, without a close frame, and back.
ws.send(plan.fragments[0], { fin: false });
ws.terminate();
await next(ws, "close");
const again = await connect(WebSocket, url);
seen.again = await echo(again, plan.again);
again.close();
await next(again, "close");

console.log(JSON.stringify(seen));
