/** Which states follow which. */
export type Transitions = { readonly [from: string]: readonly string[] };

// The states that follow each of `From`, where that is several.
type Target<T extends Transitions, From extends keyof T> = {
  [F in From]: (to: T[F][number]) => void;
}[From] extends (to: infer To) => void
  ? To
  : never;

/** A state machine over a union `S` whose members differ by `status`. What the table lacks does not compile. */
export class Machine<S extends { readonly status: string }, T extends Transitions> {
  #state: S;

  constructor(initial: S) {
    this.#state = initial;
  }

  get state(): S {
    return this.#state;
  }

  /** Goes from the present state to another. */
  move<From extends S["status"] & keyof T>(
    _from: S & { readonly status: From },
    to: S & { readonly status: Target<T, From> },
  ): void {
    this.#state = to;
  }
}
