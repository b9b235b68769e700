// Own messages that the server has not confirmed yet.

import { newId } from "./ids.js";

const CONFIRM_MS = 10_000;

export class Outbox {
  #items = []; // {id, roomId, text, attachment, status, timestamp, timer}
  #send;
  #onChange;
  #onFailed;

  /**
   * `send(payload, id)` returns false when there is no connection. `onChange()` is called after every change, and
   * `onFailed(item)` for each message that was refused or not confirmed in time.
   */
  constructor({ send, onChange, onFailed }) {
    this.#send = send;
    this.#onChange = onChange;
    this.#onFailed = onFailed;
  }

  get isEmpty() {
    return this.#items.length === 0;
  }

  of(roomId) {
    return this.#items.filter((item) => item.roomId === roomId);
  }

  transmit({ roomId, text, attachment }) {
    const item = { roomId, text, attachment, id: newId(), status: "pending", timestamp: Date.now() };
    const payload = { roomId, text };
    if (attachment) payload.attachment = attachment;
    this.#items.push(item);
    item.timer = setTimeout(() => this.#fail(item, "unknown"), CONFIRM_MS);
    if (!this.#send(payload, item.id)) this.#fail(item, "unknown");
    this.#onChange();
  }

  /** The server refused the message with this correlation id, if it is one of these. */
  rejected(id) {
    const item = this.#items.find((candidate) => candidate.id === id);
    if (item) this.#fail(item, "rejected");
  }

  /** The connection is gone: what was on its way may or may not have arrived. */
  disconnected() {
    for (const item of this.#items) if (item.status === "pending") this.#fail(item, "unknown");
  }

  /** Finds the own message that this confirms: by its correlation id, else the oldest with that text. */
  confirm(message, correlationId) {
    const fits = this.#items.filter((item) => item.roomId === message.roomId && item.text === message.text);
    const item = this.#items.find((candidate) => candidate.id === correlationId)
      ?? fits.find((candidate) => candidate.status === "pending")
      ?? fits.find((candidate) => candidate.status === "unknown");
    if (item) this.remove(item);
  }

  remove(item) {
    clearTimeout(item.timer);
    this.#items = this.#items.filter((other) => other !== item);
    this.#onChange();
  }

  #fail(item, status) {
    clearTimeout(item.timer);
    item.status = status;
    this.#onChange();
    this.#onFailed(item);
  }
}
