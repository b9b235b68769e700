import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { backoff } from "../../src/connection/backoff.js";
import { verdict } from "../../src/connection/close-codes.js";
import { settle } from "../support/clock.js";
import { harness, stateOf } from "../support/harness.js";

const LIMITS = { minDelayMs: 300, maxDelayMs: 10_000 };

test("the jitter is full: from 0 to a bound that doubles from 300 ms to 10 s", () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, chance) => {
      const bound = Math.min(10_000, 300 * 2 ** attempt);
      const delay = backoff(attempt, LIMITS, { random: () => chance });
      assert.ok(delay >= 0 && delay <= bound);
      assert.ok(Math.abs(delay - chance * bound) <= 1);
    }),
  );
});

test("delays double with each failed attempt; a stable connection resets them", async () => {
  const { client, clock, network, open } = harness();
  const waits: number[] = [];
  client.onState((state) => {
    if (state.status === "waiting") waits.push(state.retryInMs);
  });
  for (let i = 0; i < 7; i++) {
    await settle();
    network.socket.end();
    await clock.advance(10_000);
  }
  assert.deepEqual(waits, [150, 300, 600, 1200, 2400, 4800, 5000]);
  // Open, but not for long: this is no success.
  (await open()).end(1011);
  assert.equal(waits.at(-1), 5000);
  await clock.advance(5000);
  const socket = await open();
  await clock.advance(5000);
  socket.end();
  assert.equal(waits.at(-1), 150);
});

test("maxAttempts limits consecutive failures", async () => {
  const { client, clock, network } = harness({ reconnect: { maxAttempts: 5 } });
  for (let i = 0; i < 10; i++) {
    await settle();
    if (network.socket.readyState === 0) network.socket.end();
    await clock.advance(10_000);
  }
  assert.equal(network.sockets.length, 6);
  assert.ok(client.state.status === "closed" && client.state.reason === "attempts");
  assert.equal(clock.timers, 0);
});

test("close codes are those of section 6", () => {
  const table: [number, string, string][] = [
    [1000, "", "terminal"],
    [1001, "", "backoff"],
    [1002, "", "terminal"],
    [1003, "", "terminal"],
    [1005, "", "backoff"],
    [1006, "", "backoff"],
    [1007, "", "terminal"],
    [1008, "Authentication required", "credentials"],
    [1008, "Invalid token", "credentials"],
    [1008, "Heartbeat timeout", "now"],
    [1009, "", "terminal"],
    [1011, "", "backoff"],
    [1012, "", "backoff"],
    [1013, "", "backoff"],
    [3000, "", "backoff"],
    [4000, "", "backoff"],
    [4001, "", "backoff"],
    [4002, "", "backoff"],
    [4003, "", "backoff"],
    [4006, "", "backoff"],
    [4401, "", "terminal"],
    [4403, "", "terminal"],
    [4499, "", "backoff"],
    [4500, "", "terminal"],
    [4503, "", "terminal"],
    [4504, "", "terminal"],
    [4505, "", "terminal"],
    [4507, "", "terminal"],
    [4999, "", "terminal"],
  ];
  for (const [code, reason, expected] of table) assert.equal(verdict(code, reason), expected, `${code} ${reason}`);
});

// COMPLAINTS 5
test("only the terminal close codes of the table are terminal", async () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 1014, 3001, 4000, 4001, 4002, 4003, 4006, 4321]) {
    const { client, clock, network, open } = harness();
    (await open()).end(code);
    assert.ok(client.state.status === "waiting" && !client.state.terminal && client.state.code === code);
    await clock.advance(10_000);
    assert.equal(network.sockets.length, 2, String(code));
  }
  for (const code of [1000, 1002, 1003, 1007, 1009, 4401, 4403, 4503, 4504, 4505, 4507, 4600]) {
    const { client, clock, network, page, open } = harness({ token: () => "t" });
    (await open()).end(code, "because");
    const expected = { status: "closed", terminal: true, reason: "closed_by_server", code, message: "because" };
    assert.deepEqual(client.state, expected);
    page.online();
    await clock.advance(60_000);
    assert.equal(network.sockets.length, 1, String(code));
    assert.equal(clock.timers, 0);
  }
});

// COMPLAINTS 14
test("after a goaway the client reconnects when the server asked it to", async () => {
  const { client, clock, network, open } = harness();
  const socket = await open();
  socket.message("$ws:goaway", { reason: "server restarting", retryInMs: 4000 });
  assert.ok(client.state.status === "open" && client.state.draining);
  // What would be refused, or lost, waits for the next connection.
  assert.equal(client.send("JOIN_ROOM", { roomId: "1" }), true);
  assert.deepEqual(socket.types, []);
  await clock.advance(1000);
  socket.end(1012);
  assert.equal(stateOf(client).retryInMs, 3000);
  await clock.advance(2999);
  assert.equal(network.sockets.length, 1);
  await clock.advance(1);
  assert.deepEqual((await open()).types, ["JOIN_ROOM"]);
});

test("after a goaway the client reconnects even if the server stays", async () => {
  const { clock, network, open } = harness();
  const socket = await open();
  socket.message("$ws:goaway", { reason: "x", retryInMs: 4000 });
  socket.message("$ws:goaway", { reason: "x", retryInMs: 9000 });
  await clock.advance(4000);
  assert.equal(socket.readyState, 2);
  await clock.advance(0);
  assert.equal(network.sockets.length, 2);
});

test("going online ends the backoff", async () => {
  const { network, page, open } = harness();
  (await open()).end();
  page.online();
  page.online();
  await settle();
  assert.equal(network.sockets.length, 2);
  page.online();
  await settle();
  assert.equal(network.live, 1);
});
