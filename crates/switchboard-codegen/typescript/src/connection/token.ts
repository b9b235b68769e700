import { ServerError } from "../errors.js";
import type { Settings } from "../options.js";
import { Timer } from "../timer.js";

/** A token, optionally with its lifetime. */
export type Token = string | { readonly token: string; readonly expiresInMs?: number | undefined } | null | undefined;

/** Called for each attempt to connect and for each refresh. Results are not cached. */
export type TokenFunction = (context: {
  readonly purpose: "connect" | "refresh";
  /** Aborted when the result is no longer needed. */
  readonly signal: AbortSignal;
}) => Token | Promise<Token>;

/** Sends a token to the server. `done` receives an error, or the new lifetime. */
export type Refresh = (token: string, done: (error: unknown, expiresInMs?: number) => void) => void;

/** Refreshes this long before expiry, or at half of the lifetime if that is later. */
const MARGIN_MS = 30_000;
/** Shortest time between refreshes. */
const MIN_MS = 1_000;
/** Delay after a failed refresh, unless the server suggests one. */
const RETRY_MS = 5_000;

/** Obtains tokens from the application, and refreshes them in band. */
export class Tokens {
  readonly #settings: Settings;
  readonly #send: Refresh;
  readonly #failed: (error: unknown) => void;
  readonly #timer: Timer;
  #dueAt: number | undefined;
  #expiresAt: number | undefined;
  #refreshing: AbortController | undefined;

  constructor(settings: Settings, send: Refresh, failed: (error: unknown) => void) {
    this.#settings = settings;
    this.#send = send;
    this.#failed = failed;
    this.#timer = new Timer(settings.clock);
  }

  /** Obtains the token for a new connection. */
  async next(signal: AbortSignal): Promise<string | undefined> {
    this.stop();
    return this.#take("connect", signal);
  }

  /** Schedules refreshes of the token that `next` returned last. */
  start(): void {
    if (this.#expiresAt !== undefined) this.#expire(this.#expiresAt - this.#now());
  }

  stop(): void {
    this.#timer.clear();
    this.#refreshing?.abort();
    this.#dueAt = this.#refreshing = undefined;
  }

  /** Refreshes the token if it is due. Timers can be late after sleep. */
  check(): void {
    if (this.#dueAt !== undefined && this.#now() >= this.#dueAt) this.#refresh();
  }

  async #take(purpose: "connect" | "refresh", signal: AbortSignal): Promise<string | undefined> {
    const made = await this.#settings.token?.({ purpose, signal });
    const { token, expiresInMs }: { token?: string; expiresInMs?: number | undefined } =
      typeof made === "string" ? { token: made } : (made ?? {});
    if (!signal.aborted) this.#expiresAt = expiresInMs && this.#now() + expiresInMs;
    return token;
  }

  #expire(inMs: number): void {
    this.#arm(Math.max(MIN_MS, inMs - Math.min(MARGIN_MS, inMs / 2)));
  }

  #arm(ms: number): void {
    this.#dueAt = this.#now() + ms;
    this.#timer.set(ms, () => this.#refresh());
  }

  #now(): number {
    return this.#settings.clock.now();
  }

  #refresh(): void {
    if (this.#refreshing) return;
    const refreshing = new AbortController();
    this.#refreshing = refreshing;
    this.#dueAt = undefined;
    const done = (error: unknown, expiresInMs?: number): void => {
      if (this.#refreshing !== refreshing) return;
      this.#refreshing = undefined;
      if (error !== undefined) this.#retry(error);
      else if (expiresInMs !== undefined) this.#expire(expiresInMs);
      else this.start();
    };
    this.#take("refresh", refreshing.signal).then((token) => {
      if (this.#refreshing !== refreshing) return;
      if (token === undefined) this.#refreshing = undefined;
      else this.#send(token, done);
    }, done);
  }

  /** After a final error, the server closes the connection when the token expires. */
  #retry(error: unknown): void {
    this.#failed(error);
    if (!(error instanceof ServerError)) this.#arm(RETRY_MS);
    else if (error.retryable) this.#arm(error.retryAfterMs ?? RETRY_MS);
  }
}
