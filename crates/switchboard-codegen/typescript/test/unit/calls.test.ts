import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerError } from "switchboard-client";
import { settle } from "../support/clock.js";
import { harness } from "../support/harness.js";

test("a handler answers the server's requests", async () => {
  const { client, open } = harness();
  const socket = await open();
  client.handle("CONFIRM", async ({ question }) => ({ yes: question === "ok?" }));
  socket.message("CONFIRM", { question: "ok?" }, { correlationId: "s:1" });
  await settle();
  const { type, meta, payload } = socket.last("CONFIRMED");
  assert.deepEqual([type, meta["correlationId"], payload], ["CONFIRMED", "s:1", { yes: true }]);
});

test("errors of a handler are sent as RPC_ERROR; only a ServerError shows its text", async () => {
  const { client, errors, open } = harness();
  const socket = await open();
  let off = client.handle("CONFIRM", () => {
    throw new ServerError("BUSY", "later", { details: { until: 5 }, retryable: true, retryAfterMs: 50 });
  });
  socket.message("CONFIRM", {}, { correlationId: "s:1" });
  await settle();
  const said = { code: "BUSY", message: "later", details: { until: 5 }, retryable: true, retryAfterMs: 50 };
  assert.deepEqual(socket.last("RPC_ERROR").payload, said);
  off();
  off = client.handle("CONFIRM", () => {
    throw new Error("secret");
  });
  socket.message("CONFIRM", {}, { correlationId: "s:2" });
  await settle();
  assert.deepEqual(socket.last("RPC_ERROR").payload, { code: "INTERNAL", message: "the handler failed" });
  assert.deepEqual(errors[0]?.[1], { source: "handler", type: "CONFIRM" });
  off();
  socket.message("CONFIRM", {}, { correlationId: "s:3" });
  await settle();
  const { meta, payload } = socket.last("RPC_ERROR");
  assert.deepEqual([meta["correlationId"], (payload as { code: string }).code], ["s:3", "UNIMPLEMENTED"]);
});

test("a type has one handler", () => {
  const { client } = harness();
  const off = client.handle("CONFIRM", () => ({ yes: true }));
  assert.throws(() => client.handle("CONFIRM", () => ({ yes: true })), { reason: "duplicate_handler" });
  off();
  client.handle("CONFIRM", () => ({ yes: true }));
});

test("an answer that cannot be sent becomes RPC_ERROR", async () => {
  const { client, errors, open } = harness();
  const socket = await open({ limits: { maxMessageBytes: 300 } });
  let answer: unknown = { yes: 1n };
  client.handle("CONFIRM", () => answer as { yes: boolean });
  socket.message("CONFIRM", {}, { correlationId: "s:1" });
  await settle();
  answer = { yes: "x".repeat(400) };
  socket.message("CONFIRM", {}, { correlationId: "s:2" });
  await settle();
  assert.deepEqual(socket.types, ["RPC_ERROR", "RPC_ERROR"]);
  assert.equal(errors.length, 2);
});

test("a call is aborted with its connection, and not answered on another", async () => {
  const { client, clock, open } = harness();
  const socket = await open();
  let finish = (_: { yes: boolean }): void => {};
  let signal: AbortSignal | undefined;
  client.handle("CONFIRM", (_, context) => {
    signal = context.signal;
    return new Promise((resolve) => (finish = resolve));
  });
  socket.message("CONFIRM", {}, { correlationId: "s:1" });
  socket.end();
  assert.equal(signal?.aborted, true);
  await clock.advance(1000);
  const next = await open();
  finish({ yes: true });
  await settle();
  assert.deepEqual(next.types, []);
});

test("the signal of an answered call is not aborted later", async () => {
  const { client, open } = harness();
  const socket = await open();
  let signal: AbortSignal | undefined;
  client.handle("CONFIRM", (_, context) => {
    signal = context.signal;
    return { yes: true };
  });
  socket.message("CONFIRM", {}, { correlationId: "s:1" });
  await settle();
  socket.end();
  assert.equal(signal?.aborted, false);
});
