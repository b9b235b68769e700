// A WebSocket that comes back: it speaks JSON envelopes and says how it is doing.
//
// Events: "state" with detail {state, retryAt?}, "message" with the parsed envelope, "problem" with
// detail {kind, text}: a frame that is no JSON ("parse") or not the message that it claims to be
// ("validation").
// States: connecting, open, reconnecting (waiting for the next attempt), closed.

import { problemWith } from "./messages.js";

const BASE_MS = 300;
const CAP_MS = 10_000;
// Only a connection that lasted counts as a success. Otherwise a server that accepts and drops
// at once would be asked again without any growing pause.
const STABLE_MS = 5_000;
const OPEN_TIMEOUT_MS = 10_000;

/** Full jitter: many pages that lost the same server do not come back in step. */
export function reconnectDelay(attempt, random = Math.random) {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);
}

/** Close codes with which the server says that coming back is of no use. */
export function isFinalCloseCode(code) {
  return code === 1000 || code === 4401 || code === 4403 || (code >= 4500 && code <= 4999);
}

export function newId() {
  // crypto.randomUUID exists in secure contexts only; this also works on a plain http address.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Connection extends EventTarget {
  #url;
  #socket = null;
  #attempt = 0;
  #retryTimer = 0;
  #stableTimer = 0;
  #openTimer = 0;
  #state = "closed";

  constructor(url) {
    super();
    this.#url = url;
    window.addEventListener("online", () => {
      if (this.#state === "reconnecting") this.connect();
    });
  }

  get isOpen() {
    return this.#state === "open";
  }

  /** Connects now, unless a connection is there or on its way. */
  connect() {
    if (this.#state === "connecting" || this.#state === "open") return;
    clearTimeout(this.#retryTimer);
    this.#setState("connecting");

    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    // An attempt into a dead network can hang for minutes before the browser gives up.
    this.#openTimer = setTimeout(() => this.#lost(socket, 1006), OPEN_TIMEOUT_MS);
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#openTimer);
      this.#stableTimer = setTimeout(() => { this.#attempt = 0; }, STABLE_MS);
      this.#setState("open");
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    });
    // An "error" event is always followed by "close", which carries the code.
    socket.addEventListener("close", (event) => this.#lost(socket, event.code));
  }

  /** Closes, and stays closed until connect() is called. */
  disconnect() {
    const socket = this.#socket;
    this.#socket = null;
    this.#attempt = 0;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#openTimer);
    clearTimeout(this.#stableTimer);
    socket?.close(1000);
    this.#setState("closed");
  }

  /** Sends one envelope; false when there is no open connection. */
  send(type, payload, correlationId) {
    if (!this.isOpen || this.#socket.readyState !== WebSocket.OPEN) return false;
    const envelope = { type };
    if (correlationId) envelope.meta = { correlationId };
    if (payload !== undefined) envelope.payload = payload;
    this.#socket.send(JSON.stringify(envelope));
    return true;
  }

  #receive(data) {
    let envelope;
    try {
      envelope = JSON.parse(data);
    } catch {
      return this.#report("parse", "The server sent something that cannot be read.");
    }
    if (typeof envelope?.type !== "string") {
      return this.#report("validation", "The server sent a message without a type.");
    }
    const problem = problemWith(envelope);
    if (problem) return this.#report("validation", `The server sent an invalid ${envelope.type}: ${problem}.`);
    this.dispatchEvent(new CustomEvent("message", { detail: envelope }));
  }

  #report(kind, text) {
    this.dispatchEvent(new CustomEvent("problem", { detail: { kind, text } }));
  }

  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#openTimer);
    clearTimeout(this.#stableTimer);
    if (socket.readyState !== WebSocket.CLOSED) socket.close();
    if (isFinalCloseCode(code)) {
      this.#attempt = 0;
      this.#setState("closed");
      return;
    }
    const delay = reconnectDelay(this.#attempt);
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.connect(), delay);
    this.#setState("reconnecting", Date.now() + delay);
  }

  #setState(state, retryAt) {
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, retryAt } }));
  }
}
