import assert from "node:assert/strict";
import { test } from "node:test";
import { typesOf } from "../../src/topic/pattern.js";
import { settle } from "../support/clock.js";
import { harness, outcome } from "../support/harness.js";

const MESSAGE = { roomId: "1", text: "hi" };

test("a topic is joined once, and its messages reach every handle", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  const first = client.subscribe("room:1");
  const second = client.subscribe("room:1");
  first.on("CHAT_MESSAGE", ({ text }) => seen.push(`first ${text}`));
  second.onMessage(({ type }) => seen.push(`second ${type}`));
  assert.deepEqual([first.topic, first.state.status], ["room:1", "joining"]);
  socket.message("CHAT_MESSAGE", MESSAGE);
  assert.deepEqual(seen, []);
  assert.deepEqual(socket.last("$ws:subscribe").payload, { topic: "room:1" });
  socket.answer("$ws:subscribe", "$ws:subscribed", { topic: "room:1" });
  await first.ready();
  await second.ready();
  socket.message("CHAT_MESSAGE", MESSAGE);
  socket.message("PONG");
  assert.deepEqual(seen, ["first hi", "second CHAT_MESSAGE"]);
  first.close();
  await settle();
  assert.deepEqual(socket.types, ["$ws:subscribe"]);
  second.close();
  second.close();
  await settle();
  assert.deepEqual(socket.types, ["$ws:subscribe", "$ws:unsubscribe"]);
  socket.message("CHAT_MESSAGE", MESSAGE);
  assert.equal(seen.length, 2);
  await assert.rejects(second.ready(), { reason: "closed" });
});

test("closing and reopening a handle in one turn keeps the topic joined", async () => {
  const { client, open } = harness();
  const socket = await open();
  client.subscribe("lobby").close();
  const again = client.subscribe("lobby");
  await settle();
  socket.answer("$ws:subscribe", "$ws:subscribed");
  await again.ready();
  assert.deepEqual(socket.types, ["$ws:subscribe"]);
});

// COMPLAINTS 2
test("topics are joined again after each of 50 reconnects, before queued messages are sent", async () => {
  const { client, clock, open } = harness();
  let socket = await open();
  const states: string[] = [];
  const rooms = [client.subscribe("room:1"), client.subscribe("room:2")];
  rooms[0]?.onState(({ status }) => states.push(status));
  let seen = 0;
  rooms[0]?.on("CHAT_MESSAGE", () => seen++);
  for (let i = 0; i < 50; i++) {
    const topics = socket.sent.map(({ payload }) => (payload as { topic?: string } | undefined)?.topic);
    assert.deepEqual(topics, i === 0 ? ["room:1", "room:2"] : ["room:1", "room:2", undefined]);
    for (const { meta } of socket.sent) socket.message("$ws:subscribed", {}, { correlationId: meta["correlationId"] });
    socket.message("CHAT_MESSAGE", MESSAGE);
    assert.equal(seen, i + 1);
    socket.end();
    socket.message("CHAT_MESSAGE", MESSAGE);
    client.send("PING");
    await clock.advance(10_000);
    socket = await open();
  }
  assert.deepEqual(states.slice(0, 4), ["joined", "pending", "joining", "joined"]);
  assert.equal(client.pending.requests, 2);
});

test("a refusal is reported, and retried if it is retryable", async () => {
  const { client, clock, open } = harness();
  const socket = await open({ heartbeatMs: 1_000_000 });
  const room = client.subscribe("room:1");
  const ready = outcome(room.ready());
  socket.refuse("$ws:subscribe", { code: "UNAVAILABLE", message: "later", retryable: true, retryAfterMs: 400 });
  assert.equal(((await ready) as { code: string }).code, "UNAVAILABLE");
  assert.equal(room.state.status, "failed");
  await clock.advance(400 + 149);
  assert.equal(socket.sent.length, 1);
  await clock.advance(1);
  socket.refuse("$ws:subscribe", { code: "PERMISSION_DENIED", message: "no", retryable: false });
  await clock.advance(600_000);
  assert.equal(socket.sent.length, 2);
  // Another connection may have other rights.
  socket.end();
  await clock.advance(1000);
  assert.deepEqual((await open()).types, ["$ws:subscribe"]);
});

// COMPLAINTS 4
test("the answer to a subscribe of an earlier connection is ignored", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  const room = client.subscribe("room:1");
  const { correlationId } = socket.last("$ws:subscribe").meta;
  socket.end();
  await clock.advance(1000);
  const next = await open();
  next.message("$ws:subscribed", {}, { correlationId });
  assert.equal(room.state.status, "joining");
  next.answer("$ws:subscribe", "$ws:subscribed");
  assert.equal(room.state.status, "joined");
});

test("losing the connection while joining is not a refusal", async () => {
  const { client, clock, network, open } = harness();
  const socket = await open();
  const room = client.subscribe("room:1");
  const states: string[] = [];
  room.onState(({ status }) => states.push(status));
  const ready = room.ready();
  socket.end();
  await clock.advance(1000);
  const closing = network.socket;
  closing.protocol = "switchboard.v1.json";
  closing.readyState = 2;
  closing.message("$ws:hello", {});
  closing.end();
  await clock.advance(1000);
  const next = await open();
  next.answer("$ws:subscribe", "$ws:subscribed");
  await ready;
  assert.deepEqual(states, ["pending", "joining", "pending", "joining", "joined"]);
});

test("while the server drains, topics wait for the next connection", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  socket.message("$ws:goaway", { retryInMs: 1000 });
  const room = client.subscribe("room:1");
  assert.equal(room.state.status, "pending");
  assert.deepEqual(socket.types, []);
  await clock.advance(1000);
  assert.deepEqual((await open()).types, ["$ws:subscribe"]);
});

test("messages are dispatched by meta.topic, or by type and filter", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  for (const id of ["1", "2"] as const) {
    const room = client.subscribe(`room:${id}`, {
      filter: (message) => message.type !== "CHAT_MESSAGE" || message.payload.roomId === id,
    });
    room.on("CHAT_MESSAGE", ({ text }) => seen.push(`${id} ${text}`));
    room.on("USER_JOINED", ({ username }) => seen.push(`${id} ${username}`));
    socket.answer("$ws:subscribe", "$ws:subscribed");
  }
  socket.message("CHAT_MESSAGE", { roomId: "2", text: "b" });
  socket.message("USER_JOINED", { username: "ann" }, { topic: "room:1", offset: 1 });
  socket.message("USER_JOINED", { username: "bob" }, { topic: "room:3", offset: 1 });
  assert.deepEqual(seen, ["2 b", "1 ann"]);
});

test("for await yields the messages of a topic until its handle is closed", async () => {
  const { client, open } = harness();
  const socket = await open();
  const room = client.subscribe("room:1");
  socket.answer("$ws:subscribe", "$ws:subscribed");
  const loop = room[Symbol.asyncIterator]();
  socket.message("CHAT_MESSAGE", MESSAGE);
  room.close();
  socket.message("CHAT_MESSAGE", MESSAGE);
  assert.equal((await loop.next()).value?.type, "CHAT_MESSAGE");
  assert.equal((await loop.next()).done, true);
  for await (const message of room) assert.fail(message.type);
});

test("a closed client refuses subscriptions", () => {
  const { client } = harness();
  const room = client.subscribe("room:1");
  client.close();
  assert.equal(room.state.status, "closed");
  assert.throws(() => client.subscribe("room:1"), { reason: "closed" });
});

test("a handle that is closed while joining leaves the topic", async () => {
  const { client, open } = harness();
  const room = client.subscribe("room:1");
  room.onState(({ status }) => {
    if (status === "joining") room.close();
  });
  const socket = await open();
  await settle();
  assert.deepEqual(socket.types, ["$ws:subscribe", "$ws:unsubscribe"]);
});

test("closing the client from a listener of a joining topic sends nothing", async () => {
  const { client, open } = harness();
  client.subscribe("room:1").onState(({ status }) => {
    if (status === "joining") client.close();
  });
  const socket = await open();
  assert.deepEqual(socket.types, []);
});

test("closing a topic clears its retry timer", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  const before = clock.timers;
  const room = client.subscribe("room:1");
  socket.refuse("$ws:subscribe", { code: "UNAVAILABLE", message: "", retryable: true, retryAfterMs: 500 });
  assert.equal(clock.timers, before + 1);
  room.close();
  await settle();
  assert.equal(clock.timers, before);
});

test("patterns match by prefix and suffix", () => {
  const patterns = { "room:{id}": ["A", "B"], "user:{id}:mail": ["C"], lobby: ["D"], "{any}:x": ["E"], "price:*": ["F"] };
  const table: [string, string[]][] = [
    ["room:1", ["A", "B"]],
    ["room", []],
    ["user:1:mail", ["C"]],
    ["user:1:chat", []],
    ["lobby", ["D"]],
    ["lobby2", []],
    ["price:gold", ["F"]],
    ["price", []],
    ["room:x", ["A", "B", "E"]],
    ["room:1:x", ["A", "B", "E"]],
  ];
  for (const [topic, types] of table) assert.deepEqual(typesOf(topic, patterns), types, topic);
});
