import type { Clock } from "../environment.js";

export interface BackoffOptions {
  /** The first delay is between 0 and this. Default 300. */
  minDelayMs: number;
  /** No delay is longer than this. Default 10 000. */
  maxDelayMs: number;
}

/** Full jitter: a random time up to a bound that doubles with each attempt. */
export function backoff(attempt: number, options: BackoffOptions, clock: Pick<Clock, "random">): number {
  const bound = Math.min(options.maxDelayMs, options.minDelayMs * 2 ** attempt);
  return Math.floor(clock.random() * bound);
}
