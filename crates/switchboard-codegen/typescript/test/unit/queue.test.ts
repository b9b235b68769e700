import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Queue } from "../../src/queue.js";
import type { Queued } from "../../src/queue.js";
import { harness, outcome } from "../support/harness.js";

test("messages are queued in order until the connection opens", async () => {
  const { client, clock, open } = harness();
  for (const roomId of ["1", "2"]) assert.equal(client.send("JOIN_ROOM", { roomId }), true);
  const answer = client.request("WHOAMI");
  answer.catch(() => {});
  assert.equal(client.send("PING"), true);
  const socket = await open();
  assert.deepEqual(socket.types, ["JOIN_ROOM", "JOIN_ROOM", "WHOAMI", "PING"]);
  socket.end();
  client.send("JOIN_ROOM", { roomId: "3" });
  await clock.advance(1000);
  assert.deepEqual((await open()).types, ["JOIN_ROOM"]);
});

test("a queued payload is a snapshot", async () => {
  const { client, open } = harness();
  const payload = { roomId: "1" };
  client.send("JOIN_ROOM", payload);
  payload.roomId = "2";
  assert.deepEqual((await open()).sent[0]?.payload, { roomId: "1" });
});

test("queue: false drops an event while not connected", async () => {
  const { client, errors, open } = harness();
  assert.equal(client.send("PING", undefined, { queue: false }), false);
  client.send("JOIN_ROOM", { roomId: "1" });
  const socket = await open();
  assert.equal(client.send("PING", undefined, { queue: false }), true);
  assert.deepEqual(socket.types, ["JOIN_ROOM", "PING"]);
  assert.deepEqual(errors, []);
});

test("drop-newest refuses new messages", async () => {
  const { client, errors, open } = harness({ queue: { maxItems: 2 } });
  assert.deepEqual([client.send("PING"), client.send("PING"), client.send("PING")], [true, true, false]);
  await assert.rejects(client.request("WHOAMI"), { name: "StateError", reason: "queue_full" });
  assert.deepEqual((await open()).types, ["PING", "PING"]);
  assert.deepEqual(errors, []);
});

test("drop-oldest reports what it drops", async () => {
  const { client, errors, open } = harness({ queue: { policy: "drop-oldest", maxItems: 2 } });
  const first = client.request("WHOAMI");
  assert.equal(client.send("JOIN_ROOM", { roomId: "1" }), true);
  assert.equal(client.send("PING"), true);
  await assert.rejects(first, { name: "StateError", reason: "queue_full" });
  assert.equal(client.send("PING"), true);
  assert.deepEqual(
    errors.map(([error, context]) => [(error as { reason: string }).reason, context]),
    [["queue_full", { source: "dropped", type: "JOIN_ROOM" }]],
  );
  assert.deepEqual((await open()).types, ["PING", "PING"]);
});

test("off queues nothing", async () => {
  const { client, open } = harness({ queue: { policy: "off" } });
  assert.equal(client.send("PING"), false);
  await assert.rejects(client.request("WHOAMI"), { name: "StateError", reason: "not_connected" });
  const socket = await open();
  assert.equal(client.send("PING"), true);
  assert.deepEqual(socket.types, ["PING"]);
});

// COMPLAINTS 8
test("bytes buffered by the socket count", async () => {
  const { client, open } = harness({ queue: { maxBytes: 1000 } });
  const socket = await open();
  socket.bufferedAmount = 990;
  assert.equal(client.send("PING"), false);
  await assert.rejects(client.request("WHOAMI"), { reason: "queue_full" });
  assert.deepEqual(socket.types, []);
  socket.bufferedAmount = 100;
  assert.equal(client.send("PING"), true);
});

test("bytes are counted in UTF-8", async () => {
  const { client } = harness({ queue: { maxBytes: 200 } });
  assert.equal(client.send("JOIN_ROOM", { roomId: "ü".repeat(70) }), false);
  assert.equal(client.send("JOIN_ROOM", { roomId: "u".repeat(70) }), true);
});

test("oversized messages are refused, when sent or when flushed", async () => {
  const { client, errors, open } = harness();
  const roomId = "x".repeat(500);
  assert.equal(client.send("JOIN_ROOM", { roomId }), true);
  const queued = client.request("ADD", { a: 1, b: 2 }, { meta: { pad: roomId } });
  assert.equal(client.send("PING"), true);
  const answered = outcome(queued);
  const socket = await open({ limits: { maxMessageBytes: 300 } });
  assert.deepEqual(socket.types, ["PING"]);
  assert.equal(((await answered) as { reason: string }).reason, "too_large");
  assert.equal(client.send("JOIN_ROOM", { roomId }), false);
  await assert.rejects(client.request("ADD", { a: 1, b: 2 }, { meta: { pad: roomId } }), { reason: "too_large" });
  assert.deepEqual(
    errors.map(([, { source }]) => source),
    ["dropped", "dropped"],
  );
});

test("a message sent during the flush does not overtake the queue", async () => {
  const { client, open } = harness();
  client.onError(() => client.send("JOIN_ROOM", { roomId: "late" }));
  client.send("JOIN_ROOM", { roomId: "x".repeat(500) });
  client.send("PING");
  const socket = await open({ limits: { maxMessageBytes: 300 } });
  assert.deepEqual(socket.types, ["PING", "JOIN_ROOM"]);
});

test("messages still queued when the client is closed are reported", () => {
  const { client, errors } = harness();
  client.send("PING");
  client.close();
  assert.deepEqual(
    errors.map(([error, context]) => [(error as { reason: string }).reason, context]),
    [["closed", { source: "dropped", type: "PING" }]],
  );
  assert.equal(client.pending.queued, 0);
});

test("an onError listener that sends again does not loop on close", () => {
  const { client } = harness();
  let calls = 0;
  client.onError(() => {
    calls++;
    client.send("PING");
  });
  client.send("PING");
  client.close();
  assert.equal(calls, 1);
});

test("the queue respects its limits, and drops nothing silently", () => {
  const policy = fc.constantFrom("drop-newest" as const, "drop-oldest" as const, "off" as const);
  const action = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), bytes: fc.nat(40), buffered: fc.nat(20) }),
    fc.record({ kind: fc.constant("remove" as const), at: fc.nat(2) }),
    fc.record({ kind: fc.constant("flush" as const), count: fc.nat(5) }),
  );
  fc.assert(
    fc.property(
      policy,
      fc.nat(6),
      fc.nat(100),
      fc.array(action, { maxLength: 60 }),
      (policy, maxItems, maxBytes, actions) => {
        const queue = new Queue({ policy, maxItems, maxBytes });
        let model: (Queued & { readonly name: number })[] = [];
        let names = 0;
        for (const step of actions) {
          if (step.kind === "push") {
            const item = {
              name: ++names,
              frame: "",
              bytes: step.bytes,
              sent: () => {},
              dropped: () => void (model = model.filter((other) => other !== item)),
            };
            const waiting = model.reduce((sum, { bytes }) => sum + bytes, 0);
            const fits = model.length < maxItems && waiting + step.bytes + step.buffered <= maxBytes;
            const before = model.length;
            const isTaken = queue.push(item, step.buffered);
            if (isTaken) model.push(item);
            else assert.equal(model.length, before, "what is refused drops nothing");
            const bytes = model.reduce((sum, { bytes }) => sum + bytes, 0);
            if (isTaken) assert.ok(model.length <= maxItems && bytes + step.buffered <= maxBytes);
            if (policy === "off") assert.equal(isTaken, false);
            if (policy === "drop-newest") assert.equal(isTaken, fits);
          } else if (step.kind === "remove") {
            const item = model[step.at];
            if (item) queue.remove(item);
            // A second time changes nothing.
            if (item) queue.remove(item);
            model = model.filter((other) => other !== item);
          } else {
            const taken: unknown[] = [];
            queue.flush((item) => taken.length < step.count && taken.push(item) > 0);
            assert.deepEqual(taken, model.splice(0, step.count));
          }
          assert.equal(queue.size, model.length);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
