import type { Clock } from "./environment.js";

/** One timer, which is set anew or cleared. */
export class Timer {
  readonly #clock: Clock;
  #pending: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(ms: number, fire: () => void): void {
    this.clear();
    this.#pending = this.#clock.setTimeout(fire, ms);
  }

  clear(): void {
    this.#clock.clearTimeout(this.#pending);
  }
}
