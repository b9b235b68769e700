import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { systemPage } from "../../src/environment.js";
import { settle } from "../support/clock.js";
import { harness } from "../support/harness.js";

const globals = globalThis as unknown as Record<string, unknown>;
const before = {
  document: globals["document"],
  addEventListener: globals["addEventListener"],
  reportError: globals["reportError"],
};

afterEach(() => void Object.assign(globals, before));

/** The events of a browser, and how many listeners they have. */
function browser(): { document: EventTarget & { visibilityState: string }; window: EventTarget; count: () => number } {
  let count = 0;
  const counted = (): EventTarget => {
    const target = new EventTarget();
    const add = target.addEventListener.bind(target);
    target.addEventListener = (type, listener, options) => {
      count++;
      (options as AddEventListenerOptions).signal?.addEventListener("abort", () => count--);
      add(type, listener, options);
    };
    return target;
  };
  const window = counted();
  const document = Object.assign(counted(), { visibilityState: "visible" });
  Object.assign(globals, { document, addEventListener: window.addEventListener });
  return { document, window, count: () => count };
}

test("the client listens to visibilitychange and online until it is closed", async () => {
  const { document, window, count } = browser();
  const { client, network, open } = harness({ page: systemPage });
  (await open()).end();
  assert.equal(count(), 2);
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.equal(network.sockets.length, 1);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.equal(network.sockets.length, 2);
  network.socket.end();
  window.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(network.sockets.length, 3);
  client.close();
  assert.equal(count(), 0);
});

test("an error without a listener is reported as uncaught", async () => {
  const reported: unknown[] = [];
  globals["reportError"] = (error: unknown) => reported.push(error);
  const { client, open } = harness({ onError: undefined as never });
  const socket = await open();
  socket.raw("{");
  const off = client.onError(() => {
    throw new Error("in onError");
  });
  socket.raw("{");
  off();
  assert.deepEqual(
    reported.map((error) => (error as Error).name),
    ["SyntaxError", "Error"],
  );
  client.close();
});
