/** Generates correlation ids: UUIDs with a common prefix, which identifies late answers. They are not secret. */
export class CorrelationIds {
  readonly #prefix = "xxxxxxxx-xxxx-4xxx-8xxx-".replace(/x/g, () => ((Math.random() * 16) | 0).toString(16));
  #count = 0;

  next(): string {
    return this.#prefix + (++this.#count).toString(16).padStart(12, "0");
  }

  /** Returns whether this client generated the id. */
  made(id: string): boolean {
    return id.startsWith(this.#prefix);
  }
}
