import assert from "node:assert/strict";
import { test } from "node:test";
import type { Options } from "switchboard-client";
import { settle } from "../support/clock.js";
import type { Harness } from "../support/harness.js";
import { harness as start, stateOf } from "../support/harness.js";

/** The tests answer heartbeats themselves. */
function harness(options: Options = {}): Harness {
  const made = start(options);
  made.network.answersHeartbeats = false;
  return made;
}

test("a heartbeat is sent after a silence, and measures the latency", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: 1000 });
  assert.equal(socket.heartbeats, 1);
  assert.deepEqual(socket.all[0], { type: "__heartbeat", meta: {} });
  await clock.advance(40);
  socket.message("__heartbeat_ack");
  assert.equal(client.latency, 40);
  // Anything that arrives is a sign of life.
  await clock.advance(900);
  socket.message("PONG");
  await clock.advance(999);
  assert.equal(socket.heartbeats, 1);
  await clock.advance(1);
  assert.equal(socket.heartbeats, 2);
});

// COMPLAINTS 15
test("a silent connection is given up", async () => {
  const { client, clock, network, open } = harness();
  const socket = await open({ heartbeatMs: 25_000 });
  socket.message("__heartbeat_ack");
  await clock.advance(25_000 + 9999);
  assert.equal(client.state.status, "open");
  await clock.advance(1);
  const { status, reason, code } = stateOf(client);
  assert.deepEqual([status, reason, code], ["waiting", "silent", undefined]);
  assert.equal(network.live, 0);
  await clock.advance(1000);
  assert.equal(network.live, 1);
});

test("any message counts as an answer to a heartbeat", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: 25_000 });
  socket.message("PONG");
  for (let i = 0; i < 10; i++) {
    await clock.advance(30_000);
    socket.message("PONG");
  }
  assert.equal(client.state.status, "open");
});

test("a hidden page gives up no connection", async () => {
  const { client, clock, page, open } = harness();
  const socket = await open({ heartbeatMs: 25_000 });
  page.isHidden = true;
  await clock.advance(3_600_000);
  assert.equal(client.state.status, "open");
  // Seen again, it is asked, and has its time to answer.
  const before = socket.heartbeats;
  page.show();
  assert.equal(socket.heartbeats, before + 1);
  await clock.advance(9999);
  socket.message("__heartbeat_ack");
  await clock.advance(1);
  assert.equal(client.state.status, "open");
  page.show();
  await clock.advance(10_000);
  assert.equal(client.state.status, "waiting");
});

test("after a freeze the client probes again before it gives up", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: 25_000 });
  await clock.freeze(600_000);
  assert.equal(client.state.status, "open");
  assert.equal(socket.heartbeats, 2);
  await clock.advance(10_000);
  assert.equal(client.state.status, "waiting");
});

test("going online sends a heartbeat", async () => {
  const { clock, page, open } = harness();
  const socket = await open();
  socket.message("__heartbeat_ack");
  await clock.advance(1000);
  page.online();
  assert.equal(socket.heartbeats, 2);
});

test("heartbeatMs applies if the server names no interval", async () => {
  const { clock, open } = harness({ heartbeatMs: 500 });
  const socket = await open({ heartbeatMs: undefined });
  socket.message("__heartbeat_ack");
  await clock.advance(500);
  assert.equal(socket.heartbeats, 2);
});

test("invalid numbers in the hello are ignored", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: -5, limits: { maxMessageBytes: "many" } });
  await clock.advance(1000);
  assert.equal(socket.heartbeats, 1);
  assert.equal(client.send("PING"), true);
  await settle();
});
