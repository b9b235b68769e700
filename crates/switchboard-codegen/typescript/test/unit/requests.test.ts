import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectionClosedError,
  ServerError,
  StateError,
  SwitchboardError,
  TimeoutError,
  ValidationError,
} from "switchboard-client";
import { settle } from "../support/clock.js";
import { harness, outcome } from "../support/harness.js";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a request carries a UUID and its timeout, and resolves with the payload", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  const before = clock.timers;
  const answer = client.request("ADD", { a: 1, b: 2 });
  const { meta, payload } = socket.last("ADD");
  assert.match(String(meta["correlationId"]), UUID_V4);
  assert.deepEqual(meta, { timeoutMs: 30_000, correlationId: meta["correlationId"], timestamp: clock.now() });
  assert.deepEqual(payload, { a: 1, b: 2 });
  socket.answer("ADD", "SUM", { result: 3, later: "field" });
  assert.deepEqual(await answer, { result: 3, later: "field" });
  assert.equal(clock.timers, before);
  const who = client.request("WHOAMI");
  assert.notEqual(socket.last("WHOAMI").meta["correlationId"], meta["correlationId"]);
  assert.equal("payload" in socket.last("WHOAMI"), false);
  client.close();
  await assert.rejects(who);
});

test("progress is delivered, and a listener that throws does not affect the request", async () => {
  const { client, errors, open } = harness();
  const socket = await open();
  const steps: unknown[] = [];
  const onProgress = (step: unknown): void => {
    steps.push(step);
    throw new Error("mine");
  };
  const answer = client.request("ADD", { a: 1, b: 2 }, { onProgress });
  const meta = { correlationId: socket.last("ADD").meta["correlationId"] };
  socket.raw(JSON.stringify({ type: "$ws:rpc-progress", meta, data: { n: 1 }, payload: { n: 1 } }));
  socket.message("$ws:rpc-progress", { n: 2 }, meta);
  socket.answer("ADD", "SUM", { result: 3 });
  socket.message("$ws:rpc-progress", { n: 3 }, meta);
  assert.deepEqual(await answer, { result: 3 });
  assert.deepEqual(steps, [{ n: 1 }, { n: 2 }]);
  assert.equal(errors.length, 2);
});

test("a ServerError has code, details and retry advice", async () => {
  const { client, open } = harness();
  const socket = await open();
  const answer = client.request("ADD", { a: 1, b: 2 });
  const sent = { code: "SOLD_OUT", message: "none left", details: { left: 0 }, retryable: true, retryAfterMs: null };
  socket.refuse("ADD", sent);
  const error = await outcome(answer);
  assert.ok(client.isServerError("ADD", error) && error instanceof SwitchboardError && error instanceof Error);
  const { code, message, details, retryable, retryAfterMs, name } = error;
  assert.deepEqual({ code, message, details, retryable, retryAfterMs }, sent);
  assert.equal(name, "ServerError");
});

test("malformed errors are ServerErrors too", async () => {
  for (const payload of [undefined, null, 5, "x", [], {}, { code: 7 }, { details: null }]) {
    const { client, open } = harness();
    const socket = await open();
    const answer = client.request("WHOAMI");
    socket.refuse("WHOAMI", payload as object);
    assert.ok((await outcome(answer)) instanceof ServerError, JSON.stringify(payload));
  }
});

test("validation issues are a ValidationError", async () => {
  const { client, open } = harness();
  const socket = await open();
  const answer = client.request("ADD", { a: 1, b: 2 });
  const issues = [{ path: "a", code: "range", message: "must be at least 2" }];
  socket.refuse("ADD", { code: "INVALID_ARGUMENT", message: "invalid", details: { issues }, retryable: false });
  const error = await outcome(answer);
  assert.ok(error instanceof ValidationError && error instanceof ServerError);
  assert.deepEqual(error.issues, issues);
});

test("a response of the wrong type is a ValidationError", async () => {
  const { client, open } = harness();
  const socket = await open();
  const answer = client.request("ADD", { a: 1, b: 2 });
  socket.answer("ADD", "PONG");
  const error = await outcome(answer);
  assert.ok(error instanceof ValidationError);
  assert.equal(error.issues[0]?.code, "type");
});

test("the timeout counts from sending", async () => {
  const { client, clock, open } = harness();
  const answer = client.request("ADD", { a: 1, b: 2 }, { timeoutMs: 1000 });
  await clock.advance(9000);
  assert.equal(await outcome(answer), "pending");
  const socket = await open();
  await clock.advance(999);
  assert.equal(await outcome(answer), "pending");
  await clock.advance(1);
  const error = await outcome(answer);
  assert.ok(error instanceof TimeoutError && error.timeoutMs === 1000);
  // The request is aborted on the server, and its late answer is ignored.
  assert.deepEqual(socket.types, ["ADD", "$ws:abort"]);
  const seen: unknown[] = [];
  client.onMessage((message) => seen.push(message));
  socket.answer("ADD", "SUM", { result: 3 });
  assert.deepEqual(seen, []);
});

test("an abort ends a request at once, on the client and on the server", async () => {
  const { client, open } = harness();
  const socket = await open();
  const abort = new AbortController();
  const answer = client.request("ADD", { a: 1, b: 2 }, { signal: abort.signal });
  const { correlationId } = socket.last("ADD").meta;
  abort.abort();
  abort.abort();
  const error = await outcome(answer);
  assert.ok(error instanceof StateError && error.reason === "aborted" && error.message.includes("aborted"));
  assert.deepEqual(socket.last("$ws:abort"), { type: "$ws:abort", meta: { correlationId } });
  assert.equal(socket.types.length, 2);
  assert.equal(client.pending.requests, 0);
  await assert.rejects(client.request("WHOAMI", undefined, { signal: abort.signal }), { reason: "aborted" });
  assert.equal(socket.types.length, 2);
});

// COMPLAINTS 7
test("a request aborted in the queue is never sent", async () => {
  const { client, open } = harness();
  const abort = new AbortController();
  const given = client.request("ADD", { a: 1, b: 2 }, { signal: abort.signal });
  const kept = client.request("ADD", { a: 3, b: 4 });
  abort.abort();
  await assert.rejects(given, { reason: "aborted" });
  assert.deepEqual(client.pending, { requests: 1, queued: 1 });
  const socket = await open();
  assert.deepEqual(
    socket.sent.map(({ payload }) => payload),
    [{ a: 3, b: 4 }],
  );
  socket.answer("ADD", "SUM", { result: 7 });
  assert.deepEqual(await kept, { result: 7 });
});

test("a requeued request that timed out is never sent", async () => {
  const { client, clock, network, open } = harness();
  const socket = await open();
  const answer = client.request("ADD", { a: 1, b: 2 }, { idempotencyKey: "k", timeoutMs: 1000 });
  socket.end();
  await clock.advance(999);
  assert.equal(await outcome(answer), "pending");
  await clock.advance(1);
  assert.ok((await outcome(answer)) instanceof TimeoutError);
  await clock.advance(1000);
  network.socket.accept();
  assert.deepEqual(network.socket.types, []);
  assert.deepEqual(client.pending, { requests: 0, queued: 0 });
});

// COMPLAINTS 6
test("requests with a key are sent again after a reconnect; others end with unknown_outcome", async () => {
  const { client, clock, network, open } = harness();
  const socket = await open();
  const first = client.request("ADD", { a: 1, b: 1 }, { idempotencyKey: "k1" });
  const plain = client.request("ADD", { a: 2, b: 2 });
  const second = client.request("ADD", { a: 3, b: 3 }, { idempotencyKey: "k2" });
  const sent = socket.sent;
  socket.end(1012);
  const error = await outcome(plain);
  assert.ok(error instanceof ConnectionClosedError && error.reason === "unknown_outcome" && error.code === 1012);
  client.send("PING");
  await clock.advance(1000);
  const next = await open();
  // Before what was sent later, and the same to the letter.
  assert.deepEqual(next.types, ["ADD", "ADD", "PING"]);
  assert.deepEqual([next.sent[0], next.sent[1]], [sent[0], sent[2]]);
  assert.equal(next.sent[0]?.meta["idempotencyKey"], "k1");
  for (const { meta } of next.sent.slice(0, 2))
    next.message("SUM", { result: 0 }, { correlationId: meta["correlationId"] });
  assert.deepEqual([await first, await second], [{ result: 0 }, { result: 0 }]);
  next.end();
  await clock.advance(1000);
  assert.deepEqual((await open()).types, []);
  assert.equal(network.sockets.length, 3);
});

test("the timeout of a request keeps running across a reconnect", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  const answer = client.request("ADD", { a: 1, b: 2 }, { idempotencyKey: "k", timeoutMs: 1000 });
  await clock.advance(500);
  socket.end();
  await clock.advance(200);
  const next = await open();
  assert.deepEqual(next.types, ["ADD"]);
  await clock.advance(299);
  assert.equal(await outcome(answer), "pending");
  await clock.advance(1);
  assert.ok((await outcome(answer)) instanceof TimeoutError);
});

test("an answer that arrives before the request is sent again is ignored", async () => {
  const { client, clock, network, open } = harness();
  const socket = await open();
  const answer = client.request("ADD", { a: 1, b: 2 }, { idempotencyKey: "k" });
  const { correlationId } = socket.last("ADD").meta;
  socket.end();
  await clock.advance(1000);
  // Before the hello.
  network.socket.message("SUM", { result: 7 }, { correlationId });
  assert.equal(await outcome(answer), "pending");
  const next = await open();
  next.answer("ADD", "SUM", { result: 3 });
  assert.deepEqual(await answer, { result: 3 });
});

test("a settled request leaves no listener on its signal", async () => {
  const { client, open } = harness();
  const socket = await open();
  const { signal } = new AbortController();
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
  const answer = client.request("ADD", { a: 1, b: 2 }, { signal });
  assert.equal(count, 1);
  socket.answer("ADD", "SUM", { result: 3 });
  await answer;
  assert.equal(count, 0);
});

test("a terminal close settles every request", async () => {
  const { client, network, open } = harness();
  const socket = await open();
  const sent = client.request("ADD", { a: 1, b: 1 }, { idempotencyKey: "k1" });
  socket.message("$ws:goaway", { retryInMs: 1000 });
  const queued = client.request("ADD", { a: 2, b: 2 });
  socket.end(4503);
  const [lost, never] = await Promise.all([outcome(sent), outcome(queued)]);
  assert.ok(lost instanceof ConnectionClosedError && lost.reason === "unknown_outcome" && lost.code === 4503);
  assert.ok(never instanceof ConnectionClosedError && never.reason === "not_sent");
  assert.equal(network.sockets.length, 1);
});

test("a payload that cannot be serialised rejects", async () => {
  const { client, open } = harness();
  const socket = await open();
  await assert.rejects(client.request("ADD", { a: 1n as never, b: 2 }), TypeError);
  assert.deepEqual([socket.types, client.pending.requests], [[], 0]);
});

test("the option validate applies to both directions", async () => {
  const issue = { path: "a", code: "range", message: "too small" };
  const { client, errors, open } = harness({
    validate: (type, payload, direction) =>
      (type === "ADD" && direction === "send" && (payload as { a: number }).a < 0) ||
      (type === "SUM" && (payload as { result: number }).result < 0) ||
      (type === "PONG" && direction === "receive") ||
      (type === "PING" && direction === "send")
        ? [issue]
        : [],
  });
  const socket = await open();
  await assert.rejects(client.request("ADD", { a: -1, b: 2 }), { name: "ValidationError", issues: [issue] });
  const answer = client.request("ADD", { a: 1, b: -2 });
  socket.answer("ADD", "SUM", { result: -1 });
  await assert.rejects(answer, { name: "ValidationError" });
  assert.equal(client.send("PING"), false);
  socket.message("PONG");
  await settle();
  assert.deepEqual(
    errors.map(([, context]) => context),
    [
      { source: "validation", type: "PING" },
      { source: "validation", type: "PONG" },
    ],
  );
  assert.deepEqual(socket.types, ["ADD"]);
});
