import {
  ConnectionClosedError,
  ServerError,
  StateError,
  TimeoutError,
  ValidationError,
  type ErrorCode,
} from "switchboard-client";
import { client } from "./client";
import type { PollApi } from "./poll.gen";

type Requests = PollApi["requests"];

/** What the page says instead of the server's message. A code that the request does not have does not compile. */
const TEXTS: { [K in keyof Requests]: { [C in ErrorCode<PollApi, K>]?: string } } = {
  GET_POLL: {},
  JOIN: { NAME_TAKEN: "Somebody here has this name. Choose another one." },
  VOTE: { POLL_CLOSED: "The poll was closed before your vote arrived." },
  ASK: { POLL_OPEN: "Somebody else has asked the next question." },
  CLOSE_POLL: { POLL_CLOSED: "Somebody else has closed the poll." },
};

/** The text for a failed request; `null` if it was aborted. */
export function textOf<K extends keyof Requests>(type: K, error: unknown): string | null {
  if (client.isServerError(type, error)) {
    const text = TEXTS[type][error.code];
    if (text !== undefined) return text;
  }
  if (error instanceof ValidationError) {
    return error.issues.map(({ path, message }) => `${path}: ${message}`).join(", ");
  }
  if (error instanceof ServerError) return error.message;
  if (error instanceof TimeoutError) return "The server did not answer in time.";
  if (error instanceof ConnectionClosedError) return "The connection was lost before the answer arrived.";
  if (error instanceof StateError && error.reason === "aborted") return null;
  return error instanceof Error ? error.message : String(error);
}
