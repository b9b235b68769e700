import type { AnyMessage, Api, KeyOf, Message } from "../api.js";
import type { Core } from "../core.js";
import type { Unsubscribe } from "../emitter.js";
import { Emitter } from "../emitter.js";
import { closed } from "../errors.js";
import type { Stream } from "../stream.js";
import { streamOf } from "../stream.js";
import type { Inbound } from "../wire/envelope.js";
import type { SubscriptionState } from "./state.js";
import type { Topic } from "./topic.js";

/** A handle on a topic. Closing the last handle leaves the topic. */
export class Subscription<A extends Api, K extends KeyOf<A["receive"]>> {
  readonly #topic: Topic;
  readonly #messages: Emitter<Inbound>;
  readonly #states: Emitter<SubscriptionState>;
  readonly #released: () => void;
  readonly #offs: Unsubscribe[];
  #state: SubscriptionState;

  /** @internal */
  constructor(topic: Topic, core: Core, released: () => void, filter: (message: AnyMessage<A, K>) => boolean) {
    this.#topic = topic;
    this.#released = released;
    this.#messages = new Emitter(core.thrown);
    this.#states = new Emitter(core.thrown);
    this.#state = topic.state;
    this.#offs = [
      topic.states.add((state) => this.#changed(state)),
      topic.messages.add((message) => {
        if (filter(message as AnyMessage<A, K>)) this.#messages.emit(message);
      }),
    ];
  }

  get topic(): string {
    return this.#topic.name;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** Calls the listener with each message of one type. */
  on<T extends K>(type: T, listener: (payload: A["receive"][T], message: Message<A, T>) => void): Unsubscribe {
    return this.#messages.add((message) => {
      if (message.type === type) listener(message.payload as A["receive"][T], message as Message<A, T>);
    });
  }

  /** Calls the listener with each message of the topic. */
  onMessage(listener: (message: AnyMessage<A, K>) => void): Unsubscribe {
    return this.#messages.add(listener as (message: Inbound) => void);
  }

  /** Calls the listener when the state changes. */
  onState(listener: (state: SubscriptionState) => void): Unsubscribe {
    return this.#states.add(listener);
  }

  /** Waits until the topic is joined. Rejects if the server refuses or the handle is closed. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (state: SubscriptionState): void => {
        if (state.status === "joined") resolve();
        else if (state.status === "failed") reject(state.error);
        else if (state.status === "closed") reject(closed());
        else return;
        off();
      };
      const off = this.#states.add(check);
      check(this.state);
    });
  }

  /** Returns an async iterator over the topic's messages, until the handle is closed. */
  [Symbol.asyncIterator](): Stream<AnyMessage<A, K>> {
    return streamOf(this.#messages, this.#states, this.state.status === "closed", () => true);
  }

  close(): void {
    this.#changed({ status: "closed" });
    this.#released();
  }

  #changed(state: SubscriptionState): void {
    if (this.#state.status === "closed") return;
    this.#state = state;
    this.#states.emit(state);
    if (state.status === "closed") for (const off of this.#offs) off();
  }
}
