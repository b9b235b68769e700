import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client, ConnectionState, Options } from "switchboard-client";
import { ServerError, StateError, TimeoutError, ValidationError, connect } from "switchboard-client";
import { msgpack } from "switchboard-client/msgpack";
import { WebSocket } from "ws";
import type { ConformanceApi } from "../support/api.js";
import { conformance } from "../support/api.js";
import { Conformance } from "../support/conformance.js";

let server: Conformance;
before(async () => void (server = await Conformance.start()));
after(() => server.stop());

const clients: Client<ConformanceApi>[] = [];
after(() => clients.forEach((client) => client.close()));

function client(path = "/ws", options: Options = {}): Client<ConformanceApi> {
  const made = connect(server.url(path), conformance, { WebSocket, onContractMismatch: () => {}, ...options });
  clients.push(made);
  return made;
}

/** Waits for a state. */
function reached<S extends ConnectionState["status"]>(
  client: Client<ConformanceApi>,
  status: S,
): Promise<ConnectionState & { status: S }> {
  return new Promise((resolve) => {
    const check = (state: ConnectionState): void => {
      if (state.status !== status) return;
      off();
      resolve(state as ConnectionState & { status: S });
    };
    const off = client.onState(check);
    check(client.state);
  });
}

test("requests, progress and events, in each dialect and codec", async () => {
  for (const options of [{}, { dialect: "plain" as const }, { codec: msgpack }]) {
    const chat = client("/ws", options);
    assert.deepEqual(await chat.request("ADD", { a: 1, b: 2 }), { result: 3 });
    const steps: number[] = [];
    const counted = await chat.request("COUNT", { to: 5 }, { onProgress: ({ n }) => steps.push(n) });
    assert.deepEqual([counted, steps], [{ total: 5 }, [1, 2, 3, 4, 5]]);
    const pong = chat.once("PONG");
    assert.equal(chat.send("PING", { text: "hä?" }), true);
    assert.deepEqual(await pong, { text: "hä?" });
    const state = await reached(chat, "open");
    assert.equal(state.dialect, "dialect" in options ? "plain" : "extended");
    const { clientId } = await chat.request("WHOAMI", {});
    if (state.dialect === "extended") assert.equal(state.clientId, clientId);
  }
});

test("heartbeats are answered, which gives the latency", async () => {
  const chat = client();
  await chat.request("ADD", { a: 1, b: 2 });
  await chat.request("ADD", { a: 1, b: 2 });
  assert.ok(chat.latency !== undefined && chat.latency >= 0 && chat.latency < 10_000);
});

test("errors have their classes", async () => {
  const chat = client();
  const fail = { code: "SOLD_OUT", message: "none left", details: { left: 0 }, retryAfterMs: null };
  const failed = await chat.request("FAIL", fail).catch((error: unknown) => error);
  assert.ok(chat.isServerError("FAIL", failed) && failed.code === "SOLD_OUT");
  assert.deepEqual([failed.message, failed.details, failed.retryAfterMs], ["none left", { left: 0 }, null]);
  const invalid = await chat.request("COUNT", { to: 5000 }).catch((error: unknown) => error);
  assert.ok(invalid instanceof ValidationError);
  assert.deepEqual(
    invalid.issues.map(({ path, code }) => [path, code]),
    [["to", "range"]],
  );
  await assert.rejects(
    chat.request("SLEEP", { ms: 5000 }, { timeoutMs: 20 }),
    (error) =>
      // Whichever of the two clocks is first.
      error instanceof TimeoutError || (error instanceof ServerError && error.code === "DEADLINE_EXCEEDED"),
  );
});

test("an abort ends the handler on the server", async () => {
  const [chat, watcher] = [client(), client()];
  const { dropped } = await watcher.request("INSPECT", {});
  const abort = new AbortController();
  const slept = chat.request("SLEEP", { ms: 60_000 }, { signal: abort.signal });
  slept.catch(() => {});
  while ((await watcher.request("INSPECT", {})).running === 0);
  abort.abort();
  await assert.rejects(slept, StateError);
  while ((await watcher.request("INSPECT", {})).dropped === dropped);
});

test("the server calls the client", async () => {
  const chat = client();
  chat.handle("ASK", ({ question }) => ({ text: `${question} Yes.` }));
  const answered = chat.once("ANSWERED");
  chat.send("ASK_ME", { question: "Really?" });
  assert.deepEqual(await answered, { text: "Really? Yes." });
});

test("errors of events are reported", async () => {
  let report = (_: unknown): void => {};
  const reported = new Promise((resolve) => (report = resolve));
  const chat = client("/ws", { onError: (error, { source }) => report([source, error]) });
  chat.send("PING", { text: "" });
  const [source, error] = (await reported) as [string, unknown];
  assert.ok(source === "server" && error instanceof ValidationError);
});

test("tokens reach the server in each placement", async () => {
  for (const tokenIn of ["subprotocol" as const, { query: "access_token" }]) {
    const { user } = await client("/secure", { token: () => "alice", tokenIn }).request("WHOAMI", {});
    assert.equal(user, "alice");
  }
  const chat = client("/limited", { token: async () => "bob", tokenIn: { message: "AUTH" } });
  assert.deepEqual(await chat.once("AUTHED"), { user: "bob" });
});

test("401 before the upgrade is retried; 4401 after it is terminal", async () => {
  let calls = 0;
  const chat = client("/secure", { token: () => (++calls < 3 ? "nobody" : "alice"), reconnect: { maxDelayMs: 10 } });
  assert.equal((await chat.request("WHOAMI", {})).user, "alice");
  assert.equal(calls, 3);
  const state = await reached(client("/secure-close", { token: () => "nobody" }), "closed");
  assert.deepEqual([state.code, state.terminal, state.reason], [4401, true, "closed_by_server"]);
});

test("4503 is terminal", async () => {
  const chat = client();
  const { clientId } = await chat.request("WHOAMI", {});
  await client().request("KICK", { clientId });
  assert.equal((await reached(chat, "closed")).code, 4503);
});

test("a contract mismatch is reported once", async () => {
  const seen: unknown[] = [];
  const chat = client("/ws", { onContractMismatch: ({ actual }) => seen.push(actual) });
  await reached(chat, "open");
  const response = await fetch(server.url("/contract.json").replace("ws:", "http:"));
  assert.equal(response.status, 200);
  assert.equal(seen.length, 1);
  assert.match(String(seen[0]), /^[0-9a-f]{16}$/);
});
