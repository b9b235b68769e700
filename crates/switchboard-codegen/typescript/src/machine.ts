/** The possible successors of each state. */
export type Transitions = { readonly [from: string]: readonly string[] };

// The common successors, if `From` is a union.
type Target<T extends Transitions, From extends keyof T> = {
  [F in From]: (to: T[F][number]) => void;
}[From] extends (to: infer To) => void
  ? To
  : never;

/** A state machine over the union `S`. Transitions missing from the table `T` do not compile. */
export class Machine<S extends { readonly status: string }, T extends Transitions> {
  #state: S;

  constructor(initial: S) {
    this.#state = initial;
  }

  get state(): S {
    return this.#state;
  }

  /** Enters a new state. */
  move<From extends S["status"] & keyof T>(
    _from: S & { readonly status: From },
    to: S & { readonly status: Target<T, From> },
  ): void {
    this.#state = to;
  }
}
