/** The part of the WebSocket API that the client uses. */
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

/** The source of time. Tests pass their own. */
export interface Clock {
  now(): number;
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Visibility and network state of a page. */
export interface Page {
  hidden(): boolean;
  /** Calls the listener when the page becomes visible or online. Returns a function that stops it. */
  onWake(listener: () => void): () => void;
}

/** Longer timeouts overflow, and fire at once. */
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

/** The browser's page. Other runtimes are never hidden. */
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

/** Reports an error without a listener as an uncaught exception. */
export function reportUncaught(error: unknown): void {
  if (globals.reportError) globals.reportError(error);
  else globals.console.error(error);
}
