import { ServerError } from "../errors.js";
import type { Settings } from "../options.js";
import { Timer } from "../timer.js";

/** A token, and how long it is good if that is known. */
export type Token = string | { readonly token: string; readonly expiresInMs?: number | undefined } | null | undefined;

/** Called for each attempt to connect, and for each refresh. Nothing is kept from one call to the next. */
export type TokenFunction = (context: {
  readonly purpose: "connect" | "refresh";
  /** Aborted when the result is of no use any more. */
  readonly signal: AbortSignal;
}) => Token | Promise<Token>;

/** Sends a token to the server. `done` gets its error, or how long the token is good. */
export type Refresh = (token: string, done: (error: unknown, expiresInMs?: number) => void) => void;

/** A token is renewed this long before its end, or at half of its time if that is shorter. */
const MARGIN_MS = 30_000;
/** After a refresh that failed, unless the server says otherwise. */
const RETRY_MS = 5_000;

/** Asks the application for tokens, and renews that of the open connection. */
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

  /** Asks for the token of a new connection. */
  async next(signal: AbortSignal): Promise<string | undefined> {
    this.stop();
    return this.#take("connect", signal);
  }

  /** The connection is open, with the token that `next` returned last. */
  start(): void {
    if (this.#expiresAt !== undefined) this.#expire(this.#expiresAt - this.#now());
  }

  stop(): void {
    this.#timer.clear();
    this.#refreshing?.abort();
    this.#dueAt = this.#refreshing = undefined;
  }

  /** Renews the token if its time has come. Timers may be late, as after sleep. */
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
    this.#arm(inMs - Math.min(MARGIN_MS, inMs / 2));
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

  /** An error that no retry changes is left to the server, which closes the connection when the token ends. */
  #retry(error: unknown): void {
    this.#failed(error);
    if (!(error instanceof ServerError)) this.#arm(RETRY_MS);
    else if (error.retryable) this.#arm(error.retryAfterMs ?? RETRY_MS);
  }
}
