import type { Route } from "switchboard-client";

/** The part of the conformance server's route that the tests use. */
export interface ConformanceApi {
  send: {
    ASK_ME: { question: string };
    AUTH: { token: string };
    PING: { text: string };
  };
  receive: {
    ANSWERED: { text: string };
    AUTHED: { user: string };
    PONG: { text: string };
    SAID: { topic: string; text: string; from?: string };
  };
  requests: {
    ADD: { request: { a: number; b: number }; response: { result: number } };
    COUNT: { request: { to: number }; response: { total: number }; progress: { n: number } };
    FAIL: {
      request: { code: string; message: string; details?: object; retryAfterMs?: number | null };
      response: { result: number };
      errors: "SOLD_OUT";
    };
    INSPECT: { request: object; response: { running: number; dropped: number; connections: number } };
    KICK: { request: { clientId: string }; response: { found: boolean } };
    SLEEP: { request: { ms: number }; response: { ms: number } };
    WHOAMI: { request: object; response: { clientId: string; user?: string } };
  };
  calls: { ASK: { request: { question: string }; response: { text: string } } };
  topics: { [topic: `open:${string}`]: "SAID"; [topic: `closed:${string}`]: "SAID" };
  meta: object;
}

export const conformance: Route<ConformanceApi> = {
  path: "/ws",
  contract: "of another time",
  requests: {
    ADD: "SUM",
    COUNT: "COUNTED",
    FAIL: "SUM",
    INSPECT: "INSPECTED",
    KICK: "KICKED",
    SLEEP: "SLEPT",
    WHOAMI: "ME",
  },
  calls: { ASK: "ANSWER" },
  topics: { "open:*": ["SAID"], "closed:*": ["SAID"] },
};
