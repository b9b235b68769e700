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

test("a heartbeat is sent after a silence, and the answer gives the latency", async () => {
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
test("a connection without a sign of life is given up", async () => {
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

test("a message instead of the answer is as good", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: 25_000 });
  socket.message("PONG");
  for (let i = 0; i < 10; i++) {
    await clock.advance(30_000);
    socket.message("PONG");
  }
  assert.equal(client.state.status, "open");
});

test("there is no verdict while the page is hidden", async () => {
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

test("a frozen page asks again before it judges", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: 25_000 });
  await clock.freeze(600_000);
  assert.equal(client.state.status, "open");
  assert.equal(socket.heartbeats, 2);
  await clock.advance(10_000);
  assert.equal(client.state.status, "waiting");
});

test("a heartbeat is sent when the page is online again", async () => {
  const { clock, page, open } = harness();
  const socket = await open();
  socket.message("__heartbeat_ack");
  await clock.advance(1000);
  page.online();
  assert.equal(socket.heartbeats, 2);
});

test("where the server says no interval, the option counts", async () => {
  const { clock, open } = harness({ heartbeatMs: 500 });
  const socket = await open({ heartbeatMs: undefined });
  socket.message("__heartbeat_ack");
  await clock.advance(500);
  assert.equal(socket.heartbeats, 2);
});

test("a hello with odd numbers does no harm", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: -5, limits: { maxMessageBytes: "many" } });
  await clock.advance(1000);
  assert.equal(socket.heartbeats, 1);
  assert.equal(client.send("PING"), true);
  await settle();
});
