import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "switchboard-client";
import type { ChatApi } from "../support/chat.js";
import { settle } from "../support/clock.js";
import { harness } from "../support/harness.js";

const ANN = { username: "ann", userCount: 1 };

test("listeners get the payload and the message", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: unknown[] = [];
  const off = client.on("USER_JOINED", (payload, { type, meta }: Message<ChatApi, "USER_JOINED">) =>
    seen.push(payload.username, type, meta.timestamp),
  );
  socket.message("USER_JOINED", ANN);
  off();
  off();
  socket.message("USER_JOINED", ANN);
  assert.deepEqual(seen, ["ann", "USER_JOINED", 1]);
});

test("switch narrows the messages of onMessage", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  client.onMessage((message) => {
    switch (message.type) {
      case "CHAT_MESSAGE":
        seen.push(message.payload.text);
        break;
      case "USER_JOINED":
        seen.push(message.payload.username);
        break;
      case "PONG":
        seen.push("pong");
    }
  });
  socket.message("CHAT_MESSAGE", { roomId: "1", text: "hi" });
  socket.message("USER_JOINED", ANN);
  socket.message("PONG");
  assert.deepEqual(seen, ["hi", "ann", "pong"]);
});

test("unknown types, keys and frames are tolerated", async () => {
  const { client, errors, open } = harness();
  const socket = await open();
  let seen = 0;
  client.on("PONG", () => seen++);
  for (const type of ["NEW", "$ws:presence", "$ws:new", "__new", "", "constructor", "__proto__"])
    socket.message(type, {});
  socket.raw(JSON.stringify({ type: "PONG", meta: null, more: 1 }));
  socket.raw(JSON.stringify({ type: "PONG", meta: [], payload: null }));
  socket.raw(JSON.stringify({ type: "PONG", meta: { correlationId: 5 } }));
  assert.equal(seen, 3);
  assert.deepEqual(errors, []);
});

test("malformed frames are reported, and have no other effect", async () => {
  const { client, errors, open } = harness();
  const socket = await open();
  const bad = ["{", "", "null", "5", '"x"', "[]", "{}", '{"type":5}', new ArrayBuffer(3), undefined];
  for (const frame of bad) socket.raw(frame ?? new Uint8Array([1]).buffer);
  assert.equal(errors.length, bad.length);
  assert.ok(errors.every(([, { source }]) => source === "parse"));
  assert.equal(client.isConnected, true);
});

test("a listener that throws does not affect others", async () => {
  const { client, errors, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  client.on("PONG", () => {
    throw new Error("mine");
  });
  client.on("PONG", () => seen.push("second"));
  client.onMessage(() => seen.push("all"));
  client.onState(() => {
    throw new Error("mine");
  });
  socket.message("PONG");
  socket.end();
  assert.deepEqual(seen, ["second", "all"]);
  assert.deepEqual(
    errors.map(([, context]) => context),
    [{ source: "listener", type: "PONG" }, { source: "listener" }],
  );
});

test("a listener may close the client, and each state is reported once", async () => {
  const { client, open } = harness();
  const states: string[] = [];
  client.subscribe("lobby").onState(({ status }) => {
    if (status === "pending") client.close();
  });
  client.onState(({ status }) => states.push(status));
  (await open()).end();
  assert.deepEqual(states, ["open", "closed"]);
});

test("listeners may add and remove listeners", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  const offs = [
    client.on("PONG", () => {
      seen.push("a");
      offs[1]?.();
      client.on("PONG", () => seen.push("late"));
    }),
    client.on("PONG", () => seen.push("removed")),
  ];
  socket.message("PONG");
  assert.deepEqual(seen, ["a"]);
});

test("uncorrelated errors of the server are reported", async () => {
  const { errors, open } = harness();
  const socket = await open();
  socket.message("ERROR", { code: "RESOURCE_EXHAUSTED", message: "slow down", retryable: true, retryAfterMs: 100 });
  const [error, context] = errors[0] ?? [];
  assert.deepEqual(context, { source: "server" });
  assert.ok(error instanceof Error && (error as { code?: string }).code === "RESOURCE_EXHAUSTED");
});

test("gaps are reported", async () => {
  const { client, open } = harness();
  const socket = await open();
  const gaps: unknown[] = [];
  client.onGap((gap) => gaps.push(gap));
  socket.message("$ws:gap", { topic: "lobby", reason: "overflow" });
  assert.deepEqual(gaps, [{ topic: "lobby", reason: "overflow" }]);
});

test("declared meta keys are sent", async () => {
  const { client, open } = harness();
  const socket = await open();
  client.send("NOTE", { text: "hi" }, { meta: { roomId: "1" } });
  const { meta } = socket.last("NOTE");
  assert.equal(meta["roomId"], "1");
  assert.equal(typeof meta["timestamp"], "number");
});

test("an event may carry a correlation id, and its answer is an event", async () => {
  const { client, open } = harness();
  const socket = await open();
  const ids: unknown[] = [];
  client.on("PONG", (_, { meta }) => ids.push(meta.correlationId));
  client.send("PING", undefined, { meta: { correlationId: "mine" } });
  socket.answer("PING", "PONG");
  assert.deepEqual(ids, ["mine"]);
});

test("send never throws: a payload that cannot be serialised is reported", async () => {
  const { client, errors, open } = harness();
  const socket = await open();
  assert.equal(client.send("JOIN_ROOM", { roomId: 1n as never }), false);
  assert.deepEqual([errors[0]?.[1], socket.types], [{ source: "validation", type: "JOIN_ROOM" }, []]);
});

test("once resolves with one event, and rejects on abort or close", async () => {
  const { client, open } = harness();
  const socket = await open();
  const joined = client.once("USER_JOINED");
  socket.message("PONG");
  socket.message("USER_JOINED", ANN);
  assert.deepEqual(await joined, ANN);
  const abort = new AbortController();
  const aborted = client.once("PONG", { signal: abort.signal });
  abort.abort();
  await assert.rejects(aborted, { reason: "aborted" });
  await assert.rejects(client.once("PONG", { signal: abort.signal }), { reason: "aborted" });
  const never = client.once("PONG");
  client.close();
  await assert.rejects(never, { reason: "closed" });
  await assert.rejects(client.once("PONG"), { reason: "closed" });
});

test("for await yields all events across reconnects, until the client is closed", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  const seen: unknown[] = [];
  const loop = (async () => {
    for await (const message of client) seen.push(message.type);
  })();
  const only = client.messages("PONG");
  socket.message("USER_JOINED", ANN);
  socket.message("PONG");
  socket.end();
  await clock.advance(1000);
  (await open()).message("PONG");
  client.close();
  await loop;
  assert.deepEqual(seen, ["USER_JOINED", "PONG", "PONG"]);
  assert.equal((await only.next()).value?.type, "PONG");
  assert.equal((await only.next()).value?.type, "PONG");
  assert.deepEqual(await only.next(), { done: true, value: undefined });
});

test("leaving a loop removes its listener; a loop that is too slow fails", async () => {
  const { client, open } = harness();
  const socket = await open();
  const loop = client.messages("PONG");
  socket.message("PONG");
  for await (const _ of loop) break;
  socket.message("PONG");
  assert.deepEqual(await loop.next(), { done: true, value: undefined });
  const slow = client.messages();
  for (let i = 0; i < 1001; i++) socket.message("PONG");
  let count = 0;
  await assert.rejects(
    async () => {
      for await (const _ of slow) count++;
    },
    { name: "StateError", reason: "overflow" },
  );
  assert.equal(count, 1000);
  await settle();
});
