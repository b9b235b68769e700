import type { Core } from "../core.js";
import { StateError } from "../errors.js";
import type { Requests } from "../request/requests.js";
import type { Inbound } from "../wire/envelope.js";
import { typesOf } from "./pattern.js";
import { Topic } from "./topic.js";

/** All subscribed topics. They are joined again on every connection. */
export class Topics {
  readonly #topics = new Map<string, Topic>();
  readonly #patterns: { readonly [pattern: string]: readonly string[] };
  readonly #core: Core;
  readonly #requests: Requests;

  constructor(patterns: { readonly [pattern: string]: readonly string[] }, core: Core, requests: Requests) {
    this.#patterns = patterns;
    this.#core = core;
    this.#requests = requests;
  }

  /** Returns the topic, joining it on first use. */
  get(name: string): Topic {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = new Topic(name, typesOf(name, this.#patterns), this.#core, (done) => {
        if (this.#core.hello) this.#request("$ws:subscribe", name, done);
        else done(new StateError("not_connected", "the server has no topics"));
      });
      this.#topics.set(name, topic);
      this.#start(topic);
    }
    return topic;
  }

  /** Leaves the topic if it has no handles left. Deferred, since StrictMode closes and reopens handles. */
  released(topic: Topic): void {
    queueMicrotask(() => {
      const { status } = topic.state;
      if (topic.states.size > 0 || status === "closed") return;
      this.#topics.delete(topic.name);
      topic.close();
      if (status === "joining" || status === "joined") this.#request("$ws:unsubscribe", topic.name, () => {});
    });
  }

  opened(): void {
    for (const topic of this.#topics.values()) this.#start(topic);
  }

  lost(terminal: boolean): void {
    for (const topic of this.#topics.values()) {
      if (terminal) topic.close();
      else topic.lost();
    }
    if (terminal) this.#topics.clear();
  }

  /** Dispatches a message by `meta.topic`, or by its type if it names no topic. */
  received(message: Inbound): void {
    const name = message.meta["topic"];
    for (const topic of this.#topics.values()) {
      const isMeant = typeof name === "string" ? topic.name === name : topic.types.includes(message.type);
      if (isMeant && topic.state.status === "joined") topic.messages.emit(message);
    }
  }

  #start(topic: Topic): void {
    if (this.#core.ready) topic.join();
  }

  /** The answers are `$ws:subscribed` and `$ws:unsubscribed`. */
  #request(type: string, topic: string, done: (error: unknown) => void): void {
    this.#requests.control(type, `${type}d`, { topic }, done);
  }
}
