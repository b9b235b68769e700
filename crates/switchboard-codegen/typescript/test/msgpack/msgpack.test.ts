import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { msgpack } from "switchboard-client/msgpack";
import { decode } from "../../src/msgpack/decode.js";
import { encode } from "../../src/msgpack/encode.js";
import { settle } from "../support/clock.js";
import { harness } from "../support/harness.js";

const hex = (value: unknown): string => Buffer.from(encode(value)).toString("hex");

test("values are encoded in the shortest form", () => {
  const table: [unknown, string][] = [
    [null, "c0"],
    [true, "c3"],
    [false, "c2"],
    [0, "00"],
    [127, "7f"],
    [128, "cc80"],
    [255, "ccff"],
    [256, "cd0100"],
    [65_536, "ce00010000"],
    [2 ** 32, "cf0000000100000000"],
    [-1, "ff"],
    [-32, "e0"],
    [-33, "d0df"],
    [-129, "d1ff7f"],
    [-32_769, "d2ffff7fff"],
    [-(2 ** 31) - 1, "d3ffffffff7fffffff"],
    [1.5, "cb3ff8000000000000"],
    [-0, "cb8000000000000000"],
    ["", "a0"],
    ["ü", "a2c3bc"],
    ["x".repeat(32), `d920${"78".repeat(32)}`],
    [[], "90"],
    [[1, "a"], "9201a161"],
    [{ a: 1 }, "81a16101"],
    [new Uint8Array([1, 2]), "c4020102"],
  ];
  for (const [value, expected] of table) assert.equal(hex(value), expected, String(value));
});

test("values are converted as JSON.stringify does", () => {
  const value = { a: undefined, b: () => 1, c: new Date(0), d: Number.NaN, e: [undefined], f: Infinity };
  assert.deepEqual(decode(encode(value)), JSON.parse(JSON.stringify(value)));
  assert.throws(() => encode({ a: 1n }), TypeError);
});

test("JSON values of any length survive a round trip", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      // -0 is a number here, and 0 in JSON.
      assert.deepEqual(decode(encode(value)), value);
    }),
  );
  for (const length of [15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000]) {
    const values = [
      "x".repeat(length),
      Array.from({ length }, (_, i) => i),
      Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i])),
    ];
    for (const value of values) assert.deepEqual(decode(encode(value)), value);
    assert.deepEqual(decode(encode(new Uint8Array(length))), new Uint8Array(length));
  }
});

test("malformed input is refused without large allocations", () => {
  const bad = [
    "",
    "c1",
    "c7",
    "d6",
    "dd7fffffff",
    "df7fffffff",
    "dbffffffff",
    "c6ffffffff",
    "cd00",
    "a1",
    "a1ff",
    "0000",
    "8101",
    "810101",
  ];
  for (const text of bad) assert.throws(() => decode(new Uint8Array(Buffer.from(text, "hex"))), `accepted ${text}`);
  assert.throws(() => decode(new Uint8Array(100_000).fill(0x91)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof SyntaxError || error instanceof TypeError);
      }
    }),
  );
});

test("the key __proto__ does not set a prototype", () => {
  const value = decode(encode(JSON.parse('{"__proto__":{"a":1}}'))) as { a?: number };
  assert.equal(value.a, undefined);
  assert.deepEqual(Object.keys(value), ["__proto__"]);
});

test("the client sends and reads binary frames", async () => {
  const { client, network } = harness({ codec: msgpack });
  await settle();
  const { socket } = network;
  assert.deepEqual(socket.protocols, ["switchboard.v1.msgpack"]);
  socket.protocol = "switchboard.v1.msgpack";
  socket.readyState = 1;
  socket.onopen?.({} as never);
  const say = (message: object): void => socket.raw(encode(message).buffer);
  say({ type: "$ws:hello", payload: { heartbeatMs: 25_000 } });
  const answer = client.request("ADD", { a: 1, b: 2 });
  const { type, meta } = decode(socket.frames.at(-1) as Uint8Array) as {
    type: string;
    meta: { correlationId: string };
  };
  assert.equal(type, "ADD");
  say({ type: "SUM", meta: { correlationId: meta.correlationId }, payload: { result: 3 } });
  assert.deepEqual(await answer, { result: 3 });
  client.close();
});

test("a server without MessagePack closes the client as unsupported", async () => {
  const { client, network } = harness({ codec: msgpack });
  await settle();
  network.socket.accept(null);
  assert.ok(client.state.status === "closed" && client.state.reason === "unsupported");
});
