import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Client, ConnectionState, Options, SubscriptionState } from "switchboard-client";
import { ServerError, StateError, connect } from "switchboard-client";
import { WebSocket } from "ws";
import type { ConformanceApi } from "../support/api.js";
import { conformance } from "../support/api.js";
import { Conformance } from "../support/conformance.js";

const KILLS = 5;

let server: Conformance;
before(async () => void (server = await Conformance.start()));
after(() => server.stop());

const clients: Client<ConformanceApi>[] = [];
after(() => clients.forEach((client) => client.close()));

function client(options: Options = {}): Client<ConformanceApi> {
  const made = connect(server.url(), conformance, { WebSocket, onContractMismatch: () => {}, ...options });
  clients.push(made);
  return made;
}

/** Publishes as the server does. Returns how many connections are subscribed. */
async function publish(topic: string, text: string): Promise<number> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) };
  const response = await fetch(server.url(`/publish/${topic}`).replace("ws:", "http:"), init);
  return ((await response.json()) as { matched: number }).matched;
}

/** Waits until this number of connections is subscribed. */
async function subscribers(topic: string, count: number): Promise<void> {
  while ((await publish(topic, "count")) !== count);
}

test("a subscription joins, gets what is published, and leaves", async () => {
  const [chat, other] = [client(), client()];
  const news = chat.subscribe("open:news");
  const states: SubscriptionState["status"][] = [];
  news.onState(({ status }) => states.push(status));
  await news.ready();
  const stream = news[Symbol.asyncIterator]();
  await other.subscribe("open:other").ready();
  assert.deepEqual([await publish("open:other", "elsewhere"), await publish("open:news", "one")], [1, 1]);
  const { value } = await stream.next();
  assert.deepEqual(value?.payload, { topic: "open:news", text: "one" });
  news.close();
  assert.equal((await stream.next()).done, true);
  await subscribers("open:news", 0);
  assert.deepEqual(states, ["joining", "joined", "closed"]);
});

test("handles on one topic share a subscription, which ends with the last of them", async () => {
  const chat = client();
  const [first, second] = [chat.subscribe("open:shared"), chat.subscribe("open:shared")];
  await Promise.all([first.ready(), second.ready()]);
  const heard: string[] = [];
  first.on("SAID", ({ text }) => heard.push(`first ${text}`));
  const done = new Promise<void>((resolve) =>
    second.on("SAID", ({ text }) => {
      heard.push(`second ${text}`);
      if (text === "b") resolve();
    }),
  );
  assert.equal(await publish("open:shared", "a"), 1);
  // The answer to this request is behind the message.
  await chat.request("ADD", { a: 1, b: 2 });
  first.close();
  assert.equal(await publish("open:shared", "b"), 1);
  await done;
  assert.deepEqual(heard, ["first a", "second a", "second b"]);
  second.close();
  await subscribers("open:shared", 0);
});

test("a topic that the server refuses fails, and the connection stays", async () => {
  const chat = client();
  const secret = chat.subscribe("closed:secret");
  const error = await secret.ready().catch((error: unknown) => error);
  assert.ok(error instanceof ServerError && error.code === "PERMISSION_DENIED", String(error));
  assert.deepEqual(secret.state, { status: "failed", error });
  await chat.subscribe("open:beside").ready();
  assert.deepEqual(await chat.request("ADD", { a: 1, b: 2 }), { result: 3 });
  assert.equal(secret.state.status, "failed");
});

test("the plain dialect has no topics", async () => {
  const chat = client({ dialect: "plain" });
  const error = await chat.subscribe("open:news").ready().catch((error: unknown) => error);
  assert.ok(error instanceof StateError && error.reason === "not_connected", String(error));
});

test(`topics are joined again after each of ${KILLS} kills of the server`, async () => {
  const chat = client({ reconnect: { minDelayMs: 5, maxDelayMs: 20 } });
  const topic = chat.subscribe("open:lasting");
  const left = chat.subscribe("open:left");
  await Promise.all([topic.ready(), left.ready()]);
  left.close();
  const heard: string[] = [];
  topic.on("SAID", ({ text }) => heard.push(text));
  for (let kill = 0; kill < KILLS; kill++) {
    const lost = new Promise<void>((resolve) => {
      const off = chat.onState(({ status }: ConnectionState) => {
        if (status !== "waiting") return;
        off();
        resolve();
      });
    });
    await server.kill();
    await lost;
    assert.equal(topic.state.status, "pending");
    await server.run();
    await topic.ready();
    assert.deepEqual([await publish("open:left", "nobody"), await publish("open:lasting", `kill ${kill}`)], [0, 1]);
    await chat.request("ADD", { a: 1, b: 2 });
  }
  assert.deepEqual(
    heard,
    Array.from({ length: KILLS }, (_, kill) => `kill ${kill}`),
  );
});
