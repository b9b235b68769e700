import type { Emitter } from "./emitter.js";
import { StateError } from "./errors.js";
import type { Inbound } from "./wire/envelope.js";

/** Limit of buffered messages. */
export const MAX_BUFFERED = 1000;

type Result<T> = IteratorResult<T, undefined>;

/** An async iterator over messages. Throws a `StateError` if the consumer falls too far behind. */
export class Stream<T> implements AsyncIterableIterator<T> {
  readonly #buffer: T[] = [];
  readonly #waiters: ((result: Result<T> | Promise<never>) => void)[] = [];
  #ended = false;
  #error: unknown;
  /** Stops the flow of messages. */
  #release: (() => void) | undefined;

  /** @internal */
  constructor(attach: (stream: Stream<T>) => () => void) {
    this.#release = attach(this);
  }

  /** @internal */
  push(value: T): void {
    const waiter = this.#waiters.shift();
    if (waiter) waiter({ done: false, value });
    else if (this.#buffer.length < MAX_BUFFERED) this.#buffer.push(value);
    else this.end(new StateError("overflow", "the loop is too slow"));
  }

  /** Ends the loop after the messages that wait, with an error if one is given. @internal */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#release?.();
    for (const waiter of this.#waiters) waiter(this.#last());
  }

  next(): Promise<Result<T>> {
    return new Promise((resolve) => {
      if (this.#buffer.length > 0) resolve({ done: false, value: this.#buffer.shift() as T });
      else if (this.#ended) resolve(this.#last());
      else this.#waiters.push(resolve);
    });
  }

  /** Called when the loop is left. */
  async return(): Promise<Result<T>> {
    this.end();
    this.#buffer.length = 0;
    this.#error = undefined;
    return this.#last();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error, once; then the end. */
  #last(): Result<T> | Promise<never> {
    const error = this.#error;
    this.#error = undefined;
    return error ? Promise.reject(error) : { done: true, value: undefined };
  }
}

interface States {
  add(listener: (state: { readonly status: string }) => void): () => void;
}

/** The messages of an emitter, until a state says that no more come. */
export function streamOf<T>(
  messages: Emitter<Inbound>,
  states: States,
  closed: boolean,
  filter: (message: Inbound) => boolean,
): Stream<T> {
  const stream = new Stream<T>((stream) => {
    const offs = [
      messages.add((message) => {
        if (filter(message)) stream.push(message as T);
      }),
      states.add(({ status }) => {
        if (status === "closed") stream.end();
      }),
    ];
    return () => {
      for (const off of offs) off();
    };
  });
  if (closed) stream.end();
  return stream;
}
