// The connection: the generated client, set up for this page.

import { rooms } from "./client/rooms.js";
import { connect } from "./client/switchboard-client.js";
import { validateRooms } from "./client/validators.js";
import { toast } from "./view.js";

/** How long an answer may take. Nodes answer at once, or say that the broker is away. */
const REQUEST_TIMEOUT_MS = 10_000;

export const client = connect("/ws", rooms, {
  autoConnect: false,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  // A node that was killed is no reason to wait long: there are others.
  reconnect: { minDelayMs: 300, maxDelayMs: 3_000 },
  // What is written while there is no connection would arrive before the room is entered again.
  queue: { policy: "off" },
  // What the page sends, the server checks: its answer says why.
  validate: (type, payload, direction) => direction === "receive" ? validateRooms(type, payload, direction) : undefined,
});

/** Whether messages are sent: while the node drains, the connection is open, but no longer of use. */
export const isOpen = () => client.state.status === "open" && !client.state.draining;

client.onError((/** @type {any} */ error, { source, type }) => {
  if (source === "server") toast(error.message);
  else if (source === "validation") {
    const [{ path, message }] = error.issues;
    toast(`The server sent an invalid ${type}: ${path} ${message}.`);
  } else if (source !== "parse") console.error(error);
  else toast("The server sent something that cannot be read.");
});

/** Whether a request that failed with this error may succeed later, or may have succeeded. */
export function isTemporary(error) {
  // Errors of the connection are neither; those of the server say it.
  return error?.name !== "ServerError" && error?.name !== "ValidationError" || error.retryable === true;
}
