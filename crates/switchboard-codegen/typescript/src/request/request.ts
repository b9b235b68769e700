import type { Clock } from "../environment.js";
import { TimeoutError, aborted } from "../errors.js";
import { Machine } from "../machine.js";
import type { Queued } from "../queue.js";
import { Timer } from "../timer.js";
import type { Frame } from "../wire/codec.js";
import { byteLength } from "../wire/codec.js";
import type { RequestState } from "./state.js";
import { REQUESTS } from "./state.js";

export interface RequestInit {
  readonly id: string;
  readonly frame: Frame;
  /** The type of its response. */
  readonly response: string;
  readonly timeoutMs: number;
  /** Whether the server answers a repetition from what it has stored. */
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: unknown) => void) | undefined;
  /** Called once, with an error or with the payload of the answer. */
  readonly done: (error: unknown, payload?: unknown) => void;
}

/** One request, from the queue to its answer. */
export class Request implements Queued {
  readonly init: RequestInit;
  readonly frame: Frame;
  readonly bytes: number;
  readonly #machine = new Machine<RequestState, typeof REQUESTS>({ status: "queued" });
  readonly #timer: Timer;
  readonly #givenUp: (request: Request) => void;
  /** Whether it was ever written. */
  wasSent = false;

  /** `givenUp` is called if the request ends before its answer. */
  constructor(init: RequestInit, clock: Clock, givenUp: (request: Request) => void) {
    this.init = init;
    this.frame = init.frame;
    this.bytes = byteLength(init.frame);
    this.#timer = new Timer(clock);
    this.#givenUp = givenUp;
    init.signal?.addEventListener("abort", this.#abort);
  }

  get isSent(): boolean {
    return this.#machine.state.status === "sent";
  }

  /** Marks it as written. The timeout starts with the first write. */
  sent(): void {
    const { state } = this.#machine;
    if (state.status !== "queued") return;
    this.#machine.move(state, { status: "sent" });
    if (this.wasSent) return;
    this.wasSent = true;
    const { timeoutMs } = this.init;
    this.#timer.set(timeoutMs, () => this.dropped(new TimeoutError(timeoutMs)));
  }

  /** Marks it as queued again, after its connection was lost. */
  requeued(): void {
    const { state } = this.#machine;
    if (state.status === "sent") this.#machine.move(state, { status: "queued" });
  }

  /** Fails it before an answer arrived. */
  dropped(error: unknown): void {
    this.#givenUp(this);
    this.settle(error);
  }

  settle(error: unknown, payload?: unknown): void {
    const { state } = this.#machine;
    if (state.status === "settled") return;
    this.#machine.move(state, { status: "settled" });
    this.#timer.clear();
    this.init.signal?.removeEventListener("abort", this.#abort);
    this.init.done(error, payload);
  }

  readonly #abort = (): void => this.dropped(aborted());
}
