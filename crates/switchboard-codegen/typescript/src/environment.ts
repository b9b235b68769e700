/** The part of a WebSocket that the client uses. Those of browsers, Node, Deno, Bun and `ws` have it. */
export interface SocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** Timers and time. Tests pass their own. */
export interface Clock {
  now(): number;
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** A page: whether it is hidden, and when it is seen, or online, again. */
export interface Page {
  hidden(): boolean;
  /** Calls back when the page is seen or online again. Returns how to stop. */
  onWake(listener: () => void): () => void;
}

/** Longer timers fire at once in all runtimes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, MAX_TIMER_MS)),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};

interface Target {
  addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void;
}

interface Globals extends Target {
  document?: Target & { visibilityState?: string };
  WebSocket?: SocketConstructor;
  location?: { href: string };
  console: { error(...values: unknown[]): void; warn(...values: unknown[]): void };
  reportError?(error: unknown): void;
}

export const globals = globalThis as unknown as Globals;

/** The page of a browser. Elsewhere there are no such events, and nothing is ever hidden. */
export const systemPage: Page = {
  hidden: () => globals.document?.visibilityState === "hidden",
  onWake(listener) {
    const stop = new AbortController();
    const wake = (): void => {
      if (!systemPage.hidden()) listener();
    };
    globals.document?.addEventListener?.("visibilitychange", wake, stop);
    globals.addEventListener?.("online", wake, stop);
    return () => stop.abort();
  },
};

/** Reports an error that no listener takes, as an uncaught exception would be. */
export function reportUncaught(error: unknown): void {
  if (globals.reportError) globals.reportError(error);
  else globals.console.error(error);
}
