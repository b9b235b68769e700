import type { Page } from "switchboard-client";

/** A page that a test hides, shows and brings online. */
export class FakePage implements Page {
  isHidden = false;
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  hidden(): boolean {
    return this.isHidden;
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  show(): void {
    this.isHidden = false;
    this.online();
  }

  online(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
