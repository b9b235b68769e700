export type Listener<T> = (value: T) => void;
export type Unsubscribe = () => void;

/** A set of listeners. A listener that throws is reported and does not affect the others. */
export class Emitter<T> {
  readonly #listeners = new Map<object, Listener<T>>();
  readonly #report: (error: unknown, value: T) => void;

  constructor(report: (error: unknown, value: T) => void) {
    this.#report = report;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Adds a listener. The same function added twice is called twice. */
  add(listener: Listener<T>): Unsubscribe {
    const key = {};
    this.#listeners.set(key, listener);
    return () => void this.#listeners.delete(key);
  }

  emit(value: T): void {
    // Listeners removed by an earlier listener are not called.
    for (const [key, listener] of [...this.#listeners]) {
      try {
        if (this.#listeners.has(key)) listener(value);
      } catch (error) {
        this.#report(error, value);
      }
    }
  }
}
