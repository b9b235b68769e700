import type { Clock } from "switchboard-client";

interface Pending {
  readonly due: number;
  readonly fire: () => void;
}

/** Lets everything that waits for a promise run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #wall = 1_700_000_000_000;
  /** What timers count by: it stands still while the machine sleeps. */
  #running = 0;
  #timers = new Map<number, Pending>();
  #ids = 0;
  /** What `random` returns. */
  chance = 0.5;

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#wall;
  }

  random(): number {
    return this.chance;
  }

  setTimeout(fire: () => void, ms: number): number {
    this.#timers.set(++this.#ids, { due: this.#running + ms, fire });
    return this.#ids;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /** Time passes, timers fire in order, and promises are settled after each. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.#running + ms;
    for (let next = this.#next(); next && next[1].due <= end; next = this.#next()) {
      this.#pass(Math.max(0, next[1].due - this.#running));
      this.#timers.delete(next[0]);
      next[1].fire();
      await settle();
    }
    this.#pass(end - this.#running);
    await settle();
  }

  /** The machine sleeps: time passes, but not for timers. */
  sleep(ms: number): void {
    this.#wall += ms;
  }

  /** The page is frozen: timers that are due meanwhile fire late, all at the end. */
  async freeze(ms: number): Promise<void> {
    this.#pass(ms);
    await this.advance(0);
  }

  #pass(ms: number): void {
    this.#running += ms;
    this.#wall += ms;
  }

  #next(): [number, Pending] | undefined {
    let first: [number, Pending] | undefined;
    for (const entry of this.#timers) if (!first || entry[1].due < first[1].due) first = entry;
    return first;
  }
}
