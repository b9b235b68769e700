import assert from "node:assert/strict";
import { test } from "node:test";
import type { Token } from "switchboard-client";
import { settle } from "../support/clock.js";
import { harness } from "../support/harness.js";

/** Tokens `t1`, `t2` and so on. */
function numbered(expiresInMs?: number): { token: () => Token; readonly purposes: string[] } {
  const purposes: string[] = [];
  const token = (context?: { purpose: string }): Token => {
    purposes.push(context?.purpose ?? "");
    return { token: `t${purposes.length}`, expiresInMs };
  };
  return { token, purposes };
}

test("the token is a subprotocol entry, percent-encoded", async () => {
  const { network } = harness({ token: () => "a b/c(d)=" });
  await settle();
  assert.deepEqual(network.socket.protocols, ["switchboard.v1.json", "bearer.a%20b%2Fc%28d%29%3D"]);
});

test("the token can be a query parameter", async () => {
  const { network } = harness({ token: async () => "a&b", tokenIn: { query: "access_token" } });
  await settle();
  assert.equal(network.socket.url, "ws://test/ws?access_token=a%26b");
  assert.deepEqual(network.socket.protocols, ["switchboard.v1.json"]);
});

test("the token can be a first message, ahead of the queue", async () => {
  const { client, open } = harness({ token: () => "secret", tokenIn: { message: "AUTH" } });
  client.send("JOIN_ROOM", { roomId: "1" });
  client.subscribe("lobby");
  const socket = await open();
  assert.deepEqual(socket.types, ["AUTH", "$ws:subscribe", "JOIN_ROOM"]);
  assert.deepEqual(socket.sent[0]?.payload, { token: "secret" });
});

test("without a token there is no subprotocol entry", async () => {
  const { network } = harness({ token: () => null });
  await settle();
  assert.deepEqual(network.socket.protocols, ["switchboard.v1.json"]);
});

// COMPLAINTS 3
test("the token function is awaited on every path that opens a socket", async () => {
  const { token, purposes } = numbered();
  const { client, clock, network, page, open } = harness({ token });
  const protocols = (): unknown => network.socket.protocols[1];
  (await open()).end();
  await clock.advance(1000);
  assert.equal(protocols(), "bearer.t2");
  (await open()).end(4001, "token expired");
  page.show();
  await settle();
  assert.equal(protocols(), "bearer.t3");
  (await open()).end();
  page.online();
  await settle();
  assert.equal(protocols(), "bearer.t4");
  await open();
  client.close();
  client.connect();
  await settle();
  assert.equal(protocols(), "bearer.t5");
  network.socket.message("$ws:goaway", {});
  await open();
  network.socket.message("$ws:goaway", { retryInMs: 10 });
  await clock.advance(20);
  assert.equal(protocols(), "bearer.t6");
  assert.deepEqual(new Set(purposes), new Set(["connect"]));
});

test("a token function that fails is asked again after a backoff", async () => {
  let calls = 0;
  const token = (): string => {
    if (++calls < 3) throw new Error("offline");
    return "t";
  };
  const { client, clock, network, errors } = harness({ token });
  await settle();
  assert.ok(client.state.status === "waiting" && client.state.reason === "token");
  await clock.advance(1000);
  await clock.advance(1000);
  assert.equal(calls, 3);
  assert.equal(network.sockets.length, 1);
  assert.deepEqual(
    errors.map(([, { source }]) => source),
    ["token", "token"],
  );
});

// COMPLAINTS 9
test("a token function that hangs does not block the client", async () => {
  let calls = 0;
  const signals: AbortSignal[] = [];
  const token = ({ signal }: { signal: AbortSignal }): Promise<string> | string => {
    signals.push(signal);
    return ++calls === 1 ? new Promise(() => {}) : "t";
  };
  const { clock, network } = harness({ token });
  await clock.advance(10_000);
  assert.equal(signals[0]?.aborted, true);
  await clock.advance(1000);
  assert.equal(network.sockets.length, 1);
});

test("after 1008 the client reconnects only with new credentials", async () => {
  const tokens = ["old", "old", "new"];
  const { client, clock, network, open } = harness({ token: () => tokens.shift() });
  (await open()).end(1008, "Invalid token");
  await clock.advance(1000);
  assert.equal(network.sockets.length, 1);
  assert.ok(client.state.status === "closed" && client.state.reason === "credentials" && client.state.code === 1008);
  client.connect();
  await settle();
  assert.equal(network.socket.protocols[1], "bearer.new");

  const fresh = harness({ token: numbered().token });
  (await fresh.open()).end(1008, "Invalid token");
  await fresh.clock.advance(1000);
  assert.equal(fresh.network.socket.protocols[1], "bearer.t2");

  const none = harness();
  (await none.open()).end(1008, "Authentication required");
  assert.equal(none.client.state.status, "closed");
});

test("after a heartbeat timeout the client reconnects at once, with the same token", async () => {
  const { clock, network, open } = harness({ token: () => "same" });
  (await open()).end(1008, "Heartbeat timeout");
  await clock.advance(0);
  assert.equal(network.sockets.length, 2);
});

test("a token is refreshed in band before it expires", async () => {
  const { token, purposes } = numbered(120_000);
  const { clock, network, open } = harness({ token });
  const socket = await open({ heartbeatMs: 1_000_000 });
  await clock.advance(89_999);
  assert.deepEqual(socket.types, []);
  await clock.advance(1);
  assert.deepEqual(socket.last("$ws:refresh").payload, { token: "t2" });
  socket.answer("$ws:refresh", "$ws:refreshed", { expiresInMs: 50_000 });
  // Half of its time, where the margin would be more.
  await clock.advance(24_999);
  assert.equal(socket.sent.length, 1);
  await clock.advance(1);
  assert.deepEqual(socket.last("$ws:refresh").payload, { token: "t3" });
  assert.equal(network.sockets.length, 1);
  assert.deepEqual(purposes, ["connect", "refresh", "refresh"]);
});

test("a token that is already expired is refreshed once a second, not in a loop", async () => {
  for (const expiresInMs of [-5, 0, 10]) {
    const { clock, open } = harness({ token: () => ({ token: "t", expiresInMs }) });
    const socket = await open();
    await clock.advance(3500);
    const count = socket.sent.length;
    socket.answer("$ws:refresh", "$ws:refreshed", { expiresInMs });
    await clock.advance(1000);
    assert.deepEqual([count, socket.sent.length], [1, 2], String(expiresInMs));
  }
});

test("a token that expired during sleep is refreshed on wake-up", async () => {
  const { token } = numbered(3_600_000);
  const { clock, page, open } = harness({ token });
  const socket = await open();
  clock.sleep(8 * 3_600_000);
  assert.deepEqual(socket.types, []);
  page.show();
  page.online();
  await settle();
  assert.deepEqual(socket.types, ["$ws:refresh"]);
  assert.deepEqual(socket.last("$ws:refresh").payload, { token: "t2" });
});

// COMPLAINTS 4
test("refreshes are single-flight, and end with their connection", async () => {
  const waiting: ((token: string) => void)[] = [];
  let isFirst = true;
  const token = (): Token | Promise<Token> => {
    if (isFirst) {
      isFirst = false;
      return { token: "t", expiresInMs: 60_000 };
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const { clock, page, network, open } = harness({ token });
  const socket = await open();
  await clock.advance(30_000);
  clock.sleep(60_000);
  page.show();
  page.show();
  await settle();
  assert.equal(waiting.length, 1);
  socket.end();
  await clock.advance(1000);
  waiting[0]?.("late");
  waiting[1]?.("next");
  const next = await open();
  assert.equal(network.sockets.length, 2);
  assert.deepEqual([socket.types, next.types], [[], []]);
  assert.equal(next.protocols[1], "bearer.next");
});

test("a refused refresh is reported, and retried only if it is retryable", async () => {
  const { clock, errors, open } = harness({ token: numbered(60_000).token });
  const socket = await open({ heartbeatMs: 1_000_000 });
  await clock.advance(30_000);
  socket.refuse("$ws:refresh", { code: "UNAVAILABLE", message: "later", retryable: true, retryAfterMs: 700 });
  await clock.advance(700);
  assert.equal(socket.sent.length, 2);
  socket.refuse("$ws:refresh", { code: "UNAUTHENTICATED", message: "no", retryable: false });
  await clock.advance(600_000);
  assert.equal(socket.sent.length, 2);
  assert.deepEqual(
    errors.map(([error, { source }]) => [(error as { code: string }).code, source]),
    [
      ["UNAVAILABLE", "token"],
      ["UNAUTHENTICATED", "token"],
    ],
  );
});

test("a refresh on wake-up replaces the timer, and is aborted with its connection", async () => {
  const signals: AbortSignal[] = [];
  const token = ({ purpose, signal }: { purpose: string; signal: AbortSignal }): Token | Promise<Token> => {
    if (purpose === "connect") return { token: "t", expiresInMs: 60_000 };
    signals.push(signal);
    return new Promise(() => {});
  };
  const { clock, page, open } = harness({ token });
  const socket = await open();
  clock.sleep(60_000);
  page.show();
  await clock.advance(60_000);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false],
  );
  socket.end();
  assert.equal(signals[0]?.aborted, true);
});

test("the late result of an abandoned token call is ignored", async () => {
  const waiting: ((token: Token) => void)[] = [];
  const { clock, network } = harness({ token: () => new Promise((resolve) => waiting.push(resolve)) });
  await clock.advance(10_000 + 150);
  waiting[1]?.({ token: "second", expiresInMs: 3_600_000 });
  await settle();
  waiting[0]?.({ token: "first", expiresInMs: 10 });
  await settle();
  network.socket.accept();
  await clock.advance(60_000);
  assert.equal(waiting.length, 2);
  assert.equal(network.socket.protocols[1], "bearer.second");
});
