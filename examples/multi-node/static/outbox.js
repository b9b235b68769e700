// Own messages that are not in the room yet. They keep their id when they are sent again, and pages show an id once.

import { isTemporary } from "./connection.js";
import { newId } from "./storage.js";

const RETRY_MS = 1_000;
const GIVE_UP_MS = 60_000;

export class Outbox {
  #items = []; // {id, roomId, text, status, timestamp, reason}
  #send;
  #canSend;
  #onChange;

  /**
   * `send(item)` returns a promise of the answer. `canSend(item)` is whether the room is entered. `onChange()` is called
   * after every change.
   */
  constructor({ send, canSend, onChange }) {
    this.#send = send;
    this.#canSend = canSend;
    this.#onChange = onChange;
  }

  get isEmpty() {
    return this.#items.length === 0;
  }

  of(roomId) {
    return this.#items.filter((item) => item.roomId === roomId);
  }

  add(roomId, text) {
    const item = { id: newId(), roomId, text, status: "waiting", timestamp: Date.now(), reason: "" };
    this.#items.push(item);
    this.#transmit(item);
    this.#onChange();
  }

  retry(item) {
    item.timestamp = Date.now();
    item.status = "waiting";
    this.#transmit(item);
    this.#onChange();
  }

  /** The room is entered: what waits is sent, in its order. */
  entered(roomId) {
    for (const item of this.of(roomId)) if (item.status === "waiting") this.#transmit(item);
    this.#onChange();
  }

  /** The message is in the room, or is no longer wanted. */
  remove(id) {
    const before = this.#items.length;
    this.#items = this.#items.filter((item) => item.id !== id);
    if (this.#items.length !== before) this.#onChange();
  }

  async #transmit(item) {
    if (!this.#canSend(item)) return;
    item.status = "sending";
    try {
      await this.#send(item);
      this.remove(item.id);
    } catch (thrown) {
      if (!this.#items.includes(item)) return; // The message came although the answer did not.
      const error = /** @type {any} */ (thrown);
      const isLate = Date.now() - item.timestamp > GIVE_UP_MS;
      item.status = isTemporary(error) && !isLate ? "waiting" : "failed";
      item.reason = error.message;
      this.#onChange();
      if (item.status === "waiting") setTimeout(() => this.#again(item), error.retryAfterMs ?? RETRY_MS);
    }
  }

  #again(item) {
    if (this.#items.includes(item) && item.status === "waiting") this.#transmit(item);
  }
}
