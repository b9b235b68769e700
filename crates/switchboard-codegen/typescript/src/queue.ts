import { StateError } from "./errors.js";
import type { Frame } from "./wire/codec.js";

export interface QueueOptions {
  /** What happens when it is full; `"off"` keeps nothing. Default `"drop-newest"`. */
  policy: "drop-newest" | "drop-oldest" | "off";
  /** Default 1000. */
  maxItems: number;
  /** With what the socket buffers. Default 1 MiB. */
  maxBytes: number;
}

/** A message that waits for a connection. */
export interface Queued {
  readonly frame: Frame;
  readonly bytes: number;
  /** Called when the message was written. */
  sent(): void;
  /** Called if the message is dropped unsent. */
  dropped(error: StateError): void;
}

export const queueFull = (): StateError => new StateError("queue_full", "the queue is full");

/** Messages that wait for a connection, in order. */
export class Queue {
  readonly #options: QueueOptions;
  #items = new Set<Queued>();
  #bytes = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Returns whether `bytes` more fit, given what the socket has buffered. */
  fits(bytes: number, buffered: number): boolean {
    return this.#bytes + buffered + bytes <= this.#options.maxBytes;
  }

  /** Adds a message. Returns whether it was accepted. */
  push(item: Queued, buffered: number): boolean {
    const { policy, maxItems, maxBytes } = this.#options;
    const isFull = (): boolean => this.size >= maxItems || !this.fits(item.bytes, buffered);
    // A message larger than the queue must not evict others.
    if (policy === "drop-oldest" && item.bytes + buffered <= maxBytes) {
      for (const oldest of this.#items) {
        if (!isFull()) break;
        this.remove(oldest);
        oldest.dropped(queueFull());
      }
    }
    if (policy === "off" || isFull()) return false;
    this.#add(item);
    return true;
  }

  /** Inserts messages at the front, without regard to the limits. */
  restore(items: readonly Queued[]): void {
    const later = this.#items;
    this.#items = new Set();
    this.#bytes = 0;
    for (const item of [...items, ...later]) this.#add(item);
  }

  remove(item: Queued): void {
    if (this.#items.delete(item)) this.#bytes -= item.bytes;
  }

  /** Removes messages in order, until `take` returns false. */
  flush(take: (item: Queued) => boolean): void {
    for (const item of this.#items) {
      if (!take(item)) return;
      this.remove(item);
    }
  }

  #add(item: Queued): void {
    this.#items.add(item);
    this.#bytes += item.bytes;
  }
}
