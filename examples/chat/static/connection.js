// The connection: the generated client, set up for this page.

import { chat } from "./client/chat.js";
import { connect } from "./client/switchboard-client.js";
import { validateChat } from "./client/validators.js";
import { toast } from "./view.js";

/** @typedef {import("./client/chat.js").ChatApi} ChatApi */
/** @typedef {import("./client/switchboard-client.js").ServerError} ServerError */

export const client = connect("/ws", chat, {
  autoConnect: false,
  // What is written while there is no connection would arrive before the room is joined again.
  queue: { policy: "off" },
  // What the page sends, the server checks: its answer says why.
  validate: (type, payload, direction) => direction === "receive" ? validateChat(type, payload, direction) : undefined,
});

/** Whether messages are sent: while the server drains, the connection is open, but no longer of use. */
export const isOpen = () => client.state.status === "open" && !client.state.draining;

/**
 * Sends a message; false where that is not possible. An `ERROR` about it has its correlation id.
 *
 * @type {<K extends keyof ChatApi["send"]>(type: K, payload: ChatApi["send"][K], correlationId?: string) => boolean}
 */
export const send = (type, payload, correlationId) => {
  // Which arguments a type has is known for each type alone, not for any of them.
  /** @type {any} */
  const rest = [payload, { meta: { correlationId } }];
  return client.send(type, ...rest);
};

/**
 * Calls `refused` with each error that the server sends. Shows what it sends that is none of its messages.
 *
 * @param {(error: ServerError) => void} refused
 */
export function onRefused(refused) {
  client.onError((/** @type {any} */ error, { source, type }) => {
    if (source === "server") refused(error);
    else if (source === "validation") {
      const [{ path, message }] = error.issues;
      toast(`The server sent an invalid ${type}: ${path} ${message}.`, "validation");
    } else if (source !== "parse") console.error(error);
    else if (error instanceof SyntaxError) toast("The server sent something that cannot be read.", "parse");
    else toast("The server sent a message without a type.", "validation");
  });
}
