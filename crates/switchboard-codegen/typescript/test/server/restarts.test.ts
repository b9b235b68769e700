import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ConnectionState } from "switchboard-client";
import { ConnectionClosedError, ServerError, StateError, connect } from "switchboard-client";
import { WebSocket } from "ws";
import type { ConformanceApi } from "../support/api.js";
import { conformance } from "../support/api.js";
import { Conformance } from "../support/conformance.js";
import { CountingClock } from "../support/counting.js";
import { FakePage } from "../support/page.js";

const CYCLES = 50;

const reached = (client: Client<ConformanceApi>, status: ConnectionState["status"]): Promise<void> =>
  new Promise((resolve) => {
    const check = (state: ConnectionState): void => {
      if (state.status !== status) return;
      off();
      resolve();
    };
    const off = client.onState(check);
    check(client.state);
  });

const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

// COMPLAINTS 2, 6, 7, 14
test(`requests and queued events survive killing the server ${CYCLES} times`, { timeout: 110_000 }, async (context) => {
  const server = await Conformance.start();
  context.after(() => server.stop());
  const clock = new CountingClock();
  const page = new FakePage();
  const errors: unknown[] = [];
  const client = connect(server.url(), conformance, {
    WebSocket,
    clock,
    page,
    reconnect: { minDelayMs: 5, maxDelayMs: 20 },
    onContractMismatch: () => {},
    onError: (error) => errors.push(error),
  });
  context.after(() => client.close());
  const pongs: string[] = [];
  let heard = (): void => {};
  client.on("PONG", ({ text }) => {
    pongs.push(text);
    heard();
  });
  const pong = (text: string): Promise<void> =>
    new Promise((resolve) => {
      heard = () => void (pongs.includes(text) && resolve());
      heard();
    });
  let requests = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await reached(client, "open");
    // Under way when the server dies.
    const keyed = settled(client.request("SLEEP", { ms: 100 }, { idempotencyKey: `cycle-${cycle}` }));
    const plain = settled(client.request("SLEEP", { ms: 60_000 }));
    const lost = reached(client, "waiting");
    const isPlanned = cycle % 10 === 9;
    await (isPlanned ? server.drain() : server.kill());
    await lost;
    // Told while there is no server.
    const abort = new AbortController();
    const given = settled(client.request("ADD", { a: 0, b: 0 }, { signal: abort.signal }));
    const queued = client.request("ADD", { a: cycle, b: 2 });
    assert.equal(client.send("PING", { text: `cycle ${cycle}` }), true);
    abort.abort();
    const [end, gone] = [await plain, await given];
    // A server that drains answers those that it has not begun.
    const isRefused = (error: unknown): boolean => error instanceof ServerError && error.code === "UNAVAILABLE";
    const isUnknown = end instanceof ConnectionClosedError && end.reason === "unknown_outcome";
    assert.ok(isUnknown || (isPlanned && isRefused(end)), String(end));
    assert.ok(gone instanceof StateError && gone.reason === "aborted");
    await server.run();
    assert.deepEqual(await queued, { result: cycle + 2 });
    const slept = await keyed;
    if (!isPlanned || !isRefused(slept)) assert.deepEqual(slept, { ms: 100 });
    await pong(`cycle ${cycle}`);
    requests += 4;
  }
  assert.deepEqual(
    pongs,
    Array.from({ length: CYCLES }, (_, cycle) => `cycle ${cycle}`),
  );
  assert.equal(requests, CYCLES * 4);
  assert.deepEqual(errors, []);
  client.close();
  assert.deepEqual(client.pending, { requests: 0, queued: 0 });
  assert.deepEqual([clock.timers, page.listeners], [0, 0]);
});
