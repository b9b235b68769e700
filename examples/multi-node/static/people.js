// Who is in the room, as far as this page has heard: the nodes keep counts, not names.

const PRUNE_MS = 8_000;

export class People {
  #people = new Map(); // userId -> member, with the time when they were heard last
  #count = 0;
  #prune = 0;
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get list() {
    return [...this.#people.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Notes that somebody was heard. Returns what was known of them before. */
  heard(member) {
    const before = this.#people.get(member.userId);
    this.#people.set(member.userId, { ...member, heard: Date.now() });
    if (before?.name !== member.name || before.node !== member.node) this.#onChange();
    return before;
  }

  /** Somebody has left. False if they are back through another connection, whose news was faster. */
  left(member) {
    if (this.#people.get(member.userId)?.connection !== member.connection) return false;
    this.#people.delete(member.userId);
    this.#onChange();
    return true;
  }

  /** How many there are by the nodes' count. Who was on a node that was killed leaves without a word. */
  counted(count) {
    this.#count = count;
    if (this.#people.size <= count) {
      clearTimeout(this.#prune);
      this.#prune = 0;
    } else if (!this.#prune) {
      // They may be on their way to another node.
      this.#prune = setTimeout(() => this.#forgetLost(), PRUNE_MS);
    }
  }

  clear() {
    clearTimeout(this.#prune);
    this.#prune = 0;
    this.#people.clear();
    this.#onChange();
  }

  /** Forgets those who were not heard for the longest time. One who is here after all comes back with the next message. */
  #forgetLost() {
    this.#prune = 0;
    const oldest = [...this.#people.values()].sort((a, b) => a.heard - b.heard);
    for (const { userId } of oldest.slice(0, Math.max(0, oldest.length - this.#count))) this.#people.delete(userId);
    this.#onChange();
  }
}
