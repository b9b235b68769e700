// What clients of other makes send: a WebSocket without a subprotocol, and the envelope of ws-kit's client.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { Conformance } from "../support/conformance.js";

let server: Conformance;
before(async () => void (server = await Conformance.start()));
after(() => server.stop());

interface Frame {
  readonly type: string;
  readonly meta: { readonly correlationId?: string };
  readonly payload?: unknown;
  readonly data?: unknown;
}

/** A socket, and the frames that arrive on it. */
class Plain {
  readonly #socket: InstanceType<typeof WebSocket>;
  readonly #frames: Frame[] = [];
  #arrived = (): void => {};

  static async open(path = "/ws", protocols: string[] = []): Promise<Plain> {
    const plain = new Plain(new WebSocket(server.url(path), protocols));
    await new Promise((resolve, reject) => {
      plain.#socket.onopen = resolve;
      plain.#socket.onerror = () => reject(new Error("the server refused the connection"));
    });
    return plain;
  }

  private constructor(socket: InstanceType<typeof WebSocket>) {
    this.#socket = socket;
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.#frames.push(JSON.parse(String(data)) as Frame);
      this.#arrived();
    };
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Sends as ws-kit's client does: always with a timestamp, in this order of keys. */
  send(type: string, payload?: object, correlationId?: string): void {
    const meta = { timestamp: Date.now(), ...(correlationId && { correlationId }) };
    this.#socket.send(JSON.stringify({ type, meta, ...(payload && { payload }) }));
  }

  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  close(): Promise<number> {
    return new Promise((resolve) => {
      this.#socket.onclose = ({ code }: { code: number }) => resolve(code);
      this.#socket.close(1000);
    });
  }
}

test("without a subprotocol only what the client asked for arrives, in the envelope of ws-kit", async () => {
  const plain = await Plain.open();
  assert.equal(plain.protocol, "");
  plain.send("PING", { text: "one" });
  // No hello precedes it.
  const pong = await plain.next();
  assert.deepEqual([pong.type, pong.payload], ["PONG", { text: "one" }]);
  plain.send("ADD", { a: 1, b: 2 }, "5f0c3d4e-0000-4000-8000-000000000001");
  const sum = await plain.next();
  assert.deepEqual([sum.type, sum.payload], ["SUM", { result: 3 }]);
  assert.equal(sum.meta.correlationId, "5f0c3d4e-0000-4000-8000-000000000001");
  assert.equal(await plain.close(), 1000);
});

test("progress has its value under both keys that clients read", async () => {
  const plain = await Plain.open();
  plain.send("COUNT", { to: 2 }, "c");
  for (const n of [1, 2]) {
    const step = await plain.next();
    assert.deepEqual([step.type, step.meta.correlationId, step.data, step.payload], ["$ws:rpc-progress", "c", { n }, { n }]);
  }
  assert.deepEqual((await plain.next()).payload, { total: 2 });
  await plain.close();
});

test("errors answer the request, and an abort ends it", async () => {
  const plain = await Plain.open();
  plain.send("FAIL", { code: "SOLD_OUT", message: "none left" }, "f");
  const failed = await plain.next();
  assert.deepEqual([failed.type, failed.meta.correlationId], ["RPC_ERROR", "f"]);
  assert.equal((failed.payload as { code: string }).code, "SOLD_OUT");
  plain.send("SLEEP", { ms: 60_000 }, "s");
  plain.send("$ws:abort", undefined, "s");
  const aborted = await plain.next();
  assert.deepEqual([aborted.type, (aborted.payload as { code: string }).code], ["RPC_ERROR", "CANCELLED"]);
  plain.send("PING", { text: "" });
  const invalid = await plain.next();
  assert.deepEqual([invalid.type, (invalid.payload as { code: string }).code], ["ERROR", "INVALID_ARGUMENT"]);
  await plain.close();
});

test("a token is taken from the query and from a subprotocol entry, as ws-kit's client sends it", async () => {
  for (const [path, protocols, protocol] of [
    ["/secure?access_token=alice", [], ""],
    // A client fails where the server selects none of the entries that it offered.
    ["/secure", ["chat", "bearer.alice"], "bearer.alice"],
  ] as const) {
    const plain = await Plain.open(path, [...protocols]);
    assert.equal(plain.protocol, protocol);
    plain.send("WHOAMI", {}, "w");
    const me = await plain.next();
    assert.equal((me.payload as { user?: string }).user, "alice");
    await plain.close();
  }
});
