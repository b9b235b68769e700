import { backoff } from "../connection/backoff.js";
import type { Core } from "../core.js";
import { Emitter } from "../emitter.js";
import { ConnectionClosedError, ServerError } from "../errors.js";
import { Machine } from "../machine.js";
import { Timer } from "../timer.js";
import type { Inbound } from "../wire/envelope.js";
import type { SubscriptionState } from "./state.js";
import { SUBSCRIPTIONS } from "./state.js";

/** Sends `$ws:subscribe`. */
export type Join = (done: (error: unknown) => void) => void;

/** A subscribed topic, shared by its handles. */
export class Topic {
  readonly name: string;
  readonly types: readonly string[];
  /** Each handle listens to both. */
  readonly messages: Emitter<Inbound>;
  readonly states: Emitter<SubscriptionState>;
  readonly #machine = new Machine<SubscriptionState, typeof SUBSCRIPTIONS>({ status: "pending" });
  readonly #core: Core;
  readonly #join: Join;
  readonly #timer: Timer;
  #attempt = 0;

  constructor(name: string, types: readonly string[], core: Core, join: Join) {
    this.name = name;
    this.types = types;
    this.messages = new Emitter(core.thrown);
    this.states = new Emitter(core.thrown);
    this.#core = core;
    this.#timer = new Timer(core.settings.clock);
    this.#join = join;
  }

  get state(): SubscriptionState {
    return this.#machine.state;
  }

  /** Joins the topic on the present connection. */
  join(): void {
    const { state } = this;
    if (state.status !== "pending" && state.status !== "failed") return;
    const joining = { status: "joining" } as const;
    this.#machine.move(state, joining);
    this.#changed();
    this.#join((error) => {
      // A late answer, for example after a reconnect.
      if (this.state !== joining) return;
      // The next connection joins it.
      if (error instanceof ConnectionClosedError) return this.lost();
      if (error) return this.#failed(joining, error);
      this.#attempt = 0;
      this.#machine.move(joining, { status: "joined" });
      this.#changed();
    });
  }

  /** Returns to `pending` after the connection was lost. */
  lost(): void {
    const { state } = this;
    if (state.status === "closed" || state.status === "pending") return;
    this.#machine.move(state, { status: "pending" });
    this.#changed();
  }

  close(): void {
    const { state } = this;
    if (state.status === "closed") return;
    this.#machine.move(state, { status: "closed" });
    this.#changed();
  }

  #failed(from: SubscriptionState & { readonly status: "joining" }, error: unknown): void {
    this.#machine.move(from, { status: "failed", error });
    this.#changed();
    if (!(error instanceof ServerError && error.retryable)) return;
    const { reconnect, clock } = this.#core.settings;
    const wait = (error.retryAfterMs ?? 0) + backoff(this.#attempt++, reconnect, clock);
    if (this.state.status === "failed") this.#timer.set(wait, () => this.join());
  }

  #changed(): void {
    this.#timer.clear();
    this.states.emit(this.state);
  }
}
