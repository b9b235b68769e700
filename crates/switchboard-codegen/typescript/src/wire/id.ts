/** Makes correlation ids: UUIDs whose last part counts, so that late answers are recognised. They are no secrets. */
export class CorrelationIds {
  readonly #prefix = "xxxxxxxx-xxxx-4xxx-8xxx-".replace(/x/g, () => ((Math.random() * 16) | 0).toString(16));
  #count = 0;

  next(): string {
    return this.#prefix + (++this.#count).toString(16).padStart(12, "0");
  }

  /** Whether this client made it. */
  made(id: string): boolean {
    return id.startsWith(this.#prefix);
  }
}
