import type { Clock } from "switchboard-client";
import { systemClock } from "../../src/environment.js";

/** The system's clock, which counts the timers that are pending. */
export class CountingClock implements Clock {
  readonly #pending = new Set<unknown>();

  get timers(): number {
    return this.#pending.size;
  }

  now(): number {
    return systemClock.now();
  }

  random(): number {
    return systemClock.random();
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = systemClock.setTimeout(() => {
      this.#pending.delete(timer);
      callback();
    }, ms);
    this.#pending.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#pending.delete(timer);
    systemClock.clearTimeout(timer);
  }
}
