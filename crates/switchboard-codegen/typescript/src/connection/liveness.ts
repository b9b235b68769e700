import type { Settings } from "../options.js";
import { Timer } from "../timer.js";

/** A timer that fires this late indicates sleep. */
const ASLEEP_MS = 5_000;

/**
 * Finds connections that are dead although no close arrived: after a silence it sends a heartbeat, and anything that
 * arrives within `timeoutMs` answers it. There is no verdict while the page is hidden, nor right after sleep.
 */
export class Liveness {
  readonly #settings: Settings;
  readonly #send: () => void;
  readonly #silent: () => void;
  readonly #timer: Timer;
  #intervalMs = 0;
  #seenAt = 0;
  /** When the unanswered heartbeat was sent. */
  #probedAt: number | undefined;
  /** The last round trip in milliseconds. */
  latency: number | undefined;

  /** `send` sends a heartbeat; `silent` is called when one is not answered. */
  constructor(settings: Settings, send: () => void, silent: () => void) {
    this.#settings = settings;
    this.#send = send;
    this.#silent = silent;
    this.#timer = new Timer(settings.clock);
  }

  start(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#seenAt = this.#now();
    this.#wait(intervalMs);
  }

  stop(): void {
    this.#timer.clear();
    this.#probedAt = undefined;
  }

  /** Records a received frame. Any frame counts as an answer to a heartbeat. */
  seen(isAnswer: boolean): void {
    this.#seenAt = this.#now();
    if (this.#probedAt === undefined) return;
    if (isAnswer) this.latency = this.#seenAt - this.#probedAt;
    this.#probedAt = undefined;
    this.#wait(this.#intervalMs);
  }

  /** Sends a heartbeat now, and waits for the answer. */
  probe(): void {
    this.#probedAt = this.#now();
    this.#timer.set(this.#settings.heartbeatTimeoutMs, () => this.#judge());
    this.#send();
  }

  #idle(): void {
    const left = this.#seenAt + this.#intervalMs - this.#now();
    if (left > 0) this.#wait(left);
    else this.probe();
  }

  #judge(): void {
    const { page, heartbeatTimeoutMs } = this.#settings;
    const late = this.#now() - (this.#probedAt ?? 0) - heartbeatTimeoutMs;
    if (page.hidden()) {
      // Hidden pages are throttled. The next probe follows when the page is visible.
      this.#probedAt = undefined;
      this.#wait(this.#intervalMs);
    } else if (late > ASLEEP_MS) this.probe();
    else this.#silent();
  }

  #wait(ms: number): void {
    this.#timer.set(ms, () => this.#idle());
  }

  #now(): number {
    return this.#settings.clock.now();
  }
}
