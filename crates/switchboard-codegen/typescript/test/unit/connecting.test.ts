import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "switchboard-client";
import { chat } from "../support/chat.js";
import { settle } from "../support/clock.js";
import { harness } from "../support/harness.js";

const statuses = (states: readonly { status: string }[]): string[] => states.map(({ status }) => status);

test("without a negotiated subprotocol the client speaks the plain dialect", async () => {
  const { client, network, states } = harness();
  await settle();
  assert.deepEqual(network.socket.protocols, ["switchboard.v1.json"]);
  network.socket.accept(null);
  assert.ok(client.state.status === "open" && client.state.dialect === "plain");
  assert.deepEqual(statuses(states), ["open"]);
});

test("in the extended dialect the connection opens with the hello", async () => {
  const { client, network } = harness();
  await settle();
  const { socket } = network;
  socket.protocol = "switchboard.v1.json";
  socket.readyState = 1;
  socket.onopen?.({} as never);
  assert.equal(client.isConnected, false);
  socket.message("$ws:hello", { clientId: "c-7", heartbeatMs: 1000, limits: {}, later: true });
  assert.deepEqual(client.state, { status: "open", clientId: "c-7", dialect: "extended", draining: false });
});

test("with dialect: plain the client offers no subprotocol", async () => {
  const { client, network } = harness({ dialect: "plain" });
  await settle();
  assert.deepEqual(network.socket.protocols, []);
  network.socket.accept(null);
  assert.deepEqual(client.state, { status: "open", clientId: undefined, dialect: "plain", draining: false });
  const answer = client.request("ADD", { a: 1, b: 2 });
  network.socket.answer("ADD", "SUM", { result: 3 });
  assert.deepEqual(await answer, { result: 3 });
  const topic = client.subscribe("lobby");
  await assert.rejects(topic.ready(), { name: "StateError", reason: "not_connected" });
  assert.deepEqual(network.socket.types, ["ADD"]);
});

test("opening the connection times out", async () => {
  const { client, clock, network } = harness();
  await settle();
  await clock.advance(10_000);
  assert.deepEqual(network.socket.closedWith, [undefined, ""]);
  assert.equal(client.state.status, "waiting");
  assert.ok(client.state.status === "waiting" && client.state.reason === "timeout");
});

test("events of an abandoned socket are ignored", async () => {
  const { client, clock, network, open } = harness();
  await settle();
  const zombie = network.socket;
  await clock.advance(10_000 + 150);
  await open();
  zombie.accept();
  zombie.message("USER_JOINED", { username: "ann", userCount: 1 });
  zombie.end(4503);
  assert.equal(client.state.status, "open");
  assert.equal(network.sockets.length, 2);
});

test("without a WebSocket the error names the option", async () => {
  const { client, errors } = harness({ WebSocket: null });
  await settle();
  assert.ok(client.state.status === "closed" && client.state.reason === "unsupported");
  assert.match(String(errors[0]?.[0]), /pass the option WebSocket/);
});

test("an invalid URL closes the client", async () => {
  const { WebSocket } = harness().network;
  const errors: unknown[] = [];
  const client = connect("http://[", chat, { WebSocket, onError: (error) => errors.push(error) });
  await settle();
  assert.ok(client.state.status === "closed" && client.state.reason === "unsupported");
  assert.equal(errors.length, 1);
});

test("http URLs become ws URLs", async () => {
  const { clock, network } = harness();
  connect("https://example.com/ws?a=b", chat, { clock, WebSocket: network.WebSocket });
  await settle();
  assert.equal(network.sockets[1]?.url, "wss://example.com/ws?a=b");
});

test("autoConnect: false waits for connect()", async () => {
  const { client, network, open } = harness({ autoConnect: false });
  await settle();
  assert.equal(client.state.status, "idle");
  assert.equal(client.send("JOIN_ROOM", { roomId: "1" }), true);
  assert.equal(network.sockets.length, 0);
  client.connect();
  client.connect();
  const socket = await open();
  assert.equal(network.sockets.length, 1);
  assert.deepEqual(socket.types, ["JOIN_ROOM"]);
});

test("a contract mismatch is reported once", async () => {
  const seen: unknown[] = [];
  const { clock, open } = harness({ onContractMismatch: (mismatch) => seen.push(mismatch) });
  const socket = await open({ contract: chat.contract });
  socket.end();
  await clock.advance(1000);
  (await open({ contract: "ffff" })).end();
  await clock.advance(1000);
  await open({ contract: "ffff" });
  assert.deepEqual(seen, [{ expected: chat.contract, actual: "ffff" }]);
});

test("close() leaves no timer and no listener, in every state", async () => {
  for (const stop of ["authorizing", "opening", "open", "draining", "waiting"]) {
    const { client, clock, network, page, open } = harness({ token: () => ({ token: "t", expiresInMs: 60_000 }) });
    if (stop !== "authorizing") await settle();
    if (["open", "draining", "waiting"].includes(stop)) await open();
    if (stop === "draining") network.socket.message("$ws:goaway", { reason: "x", retryInMs: 1000 });
    if (stop === "waiting") network.socket.end();
    const request = client.request("ADD", { a: 1, b: 2 });
    request.catch(() => {});
    const topic = client.subscribe("lobby");
    assert.ok(clock.timers > 0 && page.listeners === 1, stop);
    client.close(3000, "bye");
    await assert.rejects(request, { name: "ConnectionClosedError" });
    await settle();
    assert.deepEqual([clock.timers, page.listeners, network.live], [0, 0, 0], stop);
    assert.equal(topic.state.status, "closed");
    assert.deepEqual(client.pending, { requests: 0, queued: 0 });
    assert.deepEqual(client.state, {
      status: "closed",
      terminal: true,
      reason: "closed_by_client",
      code: 3000,
      message: "bye",
    });
    if (stop === "open") assert.deepEqual(network.socket.closedWith, [3000, "bye"]);
    assert.equal(client.send("PING"), false);
    await assert.rejects(client.request("WHOAMI"), { name: "StateError", reason: "closed" });
  }
});

test("a closed client can connect again", async () => {
  const { client, open } = harness();
  await open();
  client.close();
  client.close();
  client.connect();
  const socket = await open();
  assert.equal(client.send("PING"), true);
  assert.deepEqual(socket.types, ["PING"]);
});
