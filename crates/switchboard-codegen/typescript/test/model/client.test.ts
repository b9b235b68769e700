import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { verdict } from "../../src/connection/close-codes.js";
import { PHASES } from "../../src/connection/state.js";
import { SUBSCRIPTIONS } from "../../src/topic/state.js";
import { settle } from "../support/clock.js";
import { Model } from "./model.js";

const actions = fc.oneof(
  { weight: 6, arbitrary: fc.constant("accept" as const) },
  { weight: 4, arbitrary: fc.constant("retry" as const) },
  { weight: 4, arbitrary: fc.constantFrom("send", "request", "request-with-key") },
  { weight: 3, arbitrary: fc.constantFrom("answer", "refuse", "abort", "pass-time") },
  { weight: 2, arbitrary: fc.constantFrom("subscribe", "unsubscribe", "joined", "refused") },
  { weight: 2, arbitrary: fc.constantFrom("wake", "timeout", "goaway", "leave", "connect") },
  { weight: 1, arbitrary: fc.constant("close" as const) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 4001, 4002, 4401, 4499, 4503)
      .map((code) => ({ end: code })),
  },
);

// COMPLAINTS 9
test("for any sequence of events, the client agrees with a simple model", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(actions, { maxLength: 80 }), async (steps) => {
      const model = new Model();
      await settle();
      for (const step of steps) {
        await model.act(step);
        await model.check();
      }
      await model.finish();
    }),
    { numRuns: 300 },
  );
});

test("every state of the transition tables is reachable", () => {
  for (const table of [PHASES, SUBSCRIPTIONS] as { readonly [from: string]: readonly string[] }[]) {
    const reached = new Set(Object.values(table).flat());
    const [initial] = Object.keys(table);
    for (const state of Object.keys(table)) assert.ok(state === initial || reached.has(state), state);
    for (const state of reached) assert.ok(state in table, state);
  }
  assert.equal(verdict(1006, ""), "backoff");
});
