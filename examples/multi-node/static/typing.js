// Typing: telling others about it, and who else does it.

const EVERY_MS = 2_000;
const IDLE_MS = 3_000;
const SHOWN_MS = 3_000;

/** Tells the room that this person is typing, and when that ends. */
export class TypingNotice {
  #tell;
  #since = 0; // When the start was last told; 0 when not typing.
  #idle = 0;

  /** `tell(typing)` tells the room. */
  constructor(tell) {
    this.#tell = tell;
  }

  noticed() {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), IDLE_MS);
    if (Date.now() - this.#since < EVERY_MS) return;
    this.#since = Date.now();
    this.#tell(true);
  }

  stop() {
    clearTimeout(this.#idle);
    if (this.#since) this.#tell(false);
    this.#since = 0;
  }

  /** The connection is gone, and with it what the room knew. */
  forget() {
    this.#since = 0;
  }
}

/** The others who are typing. Each is forgotten after a while without news. */
export class Typists {
  #typists = new Map(); // userId -> {name, timer}
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get names() {
    return [...this.#typists.values()].map((typist) => typist.name);
  }

  add(userId, name) {
    this.remove(userId);
    this.#typists.set(userId, { name, timer: setTimeout(() => this.remove(userId), SHOWN_MS) });
    this.#onChange();
  }

  remove(userId) {
    clearTimeout(this.#typists.get(userId)?.timer);
    if (this.#typists.delete(userId)) this.#onChange();
  }

  clear() {
    for (const { timer } of this.#typists.values()) clearTimeout(timer);
    this.#typists.clear();
    this.#onChange();
  }
}
