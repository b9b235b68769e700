import type {
  AnyMessage,
  Api,
  Args,
  ErrorCode,
  KeyOf,
  Message,
  ProgressOf,
  ResponseOf,
  Route,
  SendOptions,
  TopicTypes,
} from "./api.js";
import type { ConnectionState } from "./connection/state.js";
import type { Unsubscribe } from "./emitter.js";
import { ServerError, aborted, closed } from "./errors.js";
import type { ErrorContext, Gap, Options } from "./options.js";
import type { CallContext } from "./request/calls.js";
import type { RequestOptions } from "./request/requests.js";
import { Session } from "./session.js";
import type { Stream } from "./stream.js";
import { streamOf } from "./stream.js";
import { Subscription } from "./topic/subscription.js";
import type { Frame } from "./wire/codec.js";
import { byteLength } from "./wire/codec.js";
import type { Inbound } from "./wire/envelope.js";

export interface OnceOptions {
  signal?: AbortSignal;
}

export interface SubscribeOptions<M> {
  /** Selects the topic's messages, if several topics share message types. */
  filter?: (message: M) => boolean;
}

/** Creates a client for a route, and connects it. */
export function connect<A extends Api>(url: string | URL, route: Route<A>, options: Options = {}): Client<A> {
  return new Client(url, route, options);
}

/** A client of one route. Reconnects by itself. */
export class Client<A extends Api> {
  readonly #session: Session;
  readonly #requests: { readonly [type: string]: string };

  /** @internal */
  constructor(url: string | URL, route: Route<A>, options: Options) {
    this.#requests = route.requests;
    this.#session = new Session(url, route as unknown as Route<Api>, options);
    const { autoConnect, onError } = options;
    if (onError) this.onError(onError);
    if (autoConnect ?? true) this.connect();
  }

  get state(): ConnectionState {
    return this.#session.current;
  }

  get isConnected(): boolean {
    return this.state.status === "open";
  }

  /** The round trip of the last heartbeat in milliseconds. */
  get latency(): number | undefined {
    return this.#session.connection.latency;
  }

  /** Requests without an answer yet, and messages that wait for a connection. */
  get pending(): { readonly requests: number; readonly queued: number } {
    const { requests, queue } = this.#session;
    return { requests: requests.size, queued: queue.size };
  }

  /** Connects now: after `close()`, without `autoConnect`, or instead of waiting for the next attempt. */
  connect(): void {
    this.#session.closed = false;
    this.#session.connection.start();
  }

  /** Closes the client. No timer or page listener remains. */
  close(code = 1000, reason = ""): void {
    this.#session.connection.close(code, reason);
  }

  /** Sends or queues an event. Returns whether it was accepted. */
  send<K extends KeyOf<A["send"]>>(type: K, ...args: Args<A, K, A["send"][K], SendOptions>): boolean {
    const [payload, options] = args as unknown as [unknown, SendOptions?];
    const session = this.#session;
    const dropped = (error: unknown, source: ErrorContext["source"] = "dropped"): false => {
      session.report(error, { source, type });
      return false;
    };
    let error: unknown = session.invalid(type, payload, "send");
    let frame: Frame = "";
    try {
      frame = session.wire.write(type, options?.meta, payload);
    } catch (cause) {
      error = cause;
    }
    if (error) return dropped(error, "validation");
    if (options?.queue === false && !session.ready) return false;
    const refused = session.submit({ frame, bytes: byteLength(frame), sent() {}, dropped });
    // The return value covers a full queue and a missing connection. An oversized message is a bug.
    return refused?.reason === "too_large" ? dropped(refused) : !refused;
  }

  /** Sends a request and waits for its answer. */
  request<K extends KeyOf<A["requests"]>>(
    type: K,
    ...args: Args<A, K, A["requests"][K]["request"], RequestOptions<ProgressOf<A, K>>>
  ): Promise<ResponseOf<A, K>> {
    const [payload, options = {}] = args as unknown as [unknown, RequestOptions?];
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const invalid = session.invalid(type, payload, "send");
      if (invalid) return reject(invalid);
      const response = this.#requests[type] as string;
      session.requests.start(type, response, payload, options, (error, payload) => {
        const failed = error ?? session.invalid(response, payload, "receive");
        if (failed) reject(failed);
        else resolve(payload as ResponseOf<A, K>);
      });
    });
  }

  /** Returns whether an error is a `ServerError`, and narrows its code to those of the request. */
  isServerError<K extends KeyOf<A["requests"]>>(_type: K, error: unknown): error is ServerError<ErrorCode<A, K>> {
    return error instanceof ServerError;
  }

  /** Calls the listener with each event of one type. */
  on<K extends KeyOf<A["receive"]>>(
    type: K,
    listener: (payload: A["receive"][K], message: Message<A, K>) => void,
  ): Unsubscribe {
    return this.#session.messages.add((message) => {
      if (message.type === type) listener(message.payload as A["receive"][K], message as Message<A, K>);
    });
  }

  /** Calls the listener with every event. `switch (message.type)` narrows it. */
  onMessage(listener: (message: AnyMessage<A>) => void): Unsubscribe {
    return this.#session.messages.add(listener as unknown as (message: Inbound) => void);
  }

  /** Waits for the next event of one type. */
  async once<K extends KeyOf<A["receive"]>>(type: K, { signal }: OnceOptions = {}): Promise<A["receive"][K]> {
    const stream = this.messages(type);
    const abort = (): void => stream.end(aborted());
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      const { done, value } = await stream.next();
      if (done) throw closed();
      return value.payload;
    } finally {
      stream.end();
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Returns an async iterator over events of some types, or of all. */
  messages<K extends KeyOf<A["receive"]> = KeyOf<A["receive"]>>(...types: K[]): Stream<AnyMessage<A, K>> {
    const { messages, states, closed } = this.#session;
    return streamOf(messages, states, closed, ({ type }) => types.length === 0 || types.includes(type as K));
  }

  [Symbol.asyncIterator](): Stream<AnyMessage<A>> {
    return this.messages();
  }

  /** Answers the server's requests of one type. A thrown `ServerError` is sent as the answer. */
  handle<K extends KeyOf<A["calls"]>>(
    type: K,
    handler: (
      payload: A["calls"][K]["request"],
      context: CallContext,
    ) => A["calls"][K]["response"] | Promise<A["calls"][K]["response"]>,
  ): Unsubscribe {
    return this.#session.calls.handle(type, handler);
  }

  /** Subscribes to a topic. Reconnects join it again. */
  subscribe<T extends KeyOf<A["topics"]>>(
    name: T,
    options: SubscribeOptions<AnyMessage<A, TopicTypes<A, T>>> = {},
  ): Subscription<A, TopicTypes<A, T>> {
    const session = this.#session;
    if (session.closed) throw closed();
    const topic = session.topics.get(name);
    return new Subscription(topic, session, () => session.topics.released(topic), options.filter ?? (() => true));
  }

  /** Calls the listener when the state changes. */
  onState(listener: (state: ConnectionState) => void): Unsubscribe {
    return this.#session.states.add(listener);
  }

  /** Calls the listener with errors that belong to no promise. */
  onError(listener: (error: unknown, context: ErrorContext) => void): Unsubscribe {
    return this.#session.errors.add((error) => listener(...error));
  }

  /** Calls the listener when the server has dropped messages of a topic. */
  onGap(listener: (gap: Gap) => void): Unsubscribe {
    return this.#session.gaps.add(listener);
  }
}
