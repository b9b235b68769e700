import type { Socket } from "./socket.js";

/** Why a connection ended, or did not open. */
export type EndReason =
  /** `close()` was called. */
  | "closed_by_client"
  /** The server closed it; `code` says why. */
  | "closed_by_server"
  /** No answer to a heartbeat. */
  | "silent"
  /** The connection did not open in time. */
  | "timeout"
  /** The token function failed. */
  | "token"
  /** The server refused the credentials, and there are no new ones. */
  | "credentials"
  /** The option `maxAttempts` is used up. */
  | "attempts"
  /** The runtime refused the URL, or the server does not speak the codec. */
  | "unsupported";

/** How a connection ended. */
export interface End {
  readonly reason: EndReason;
  /** The close code; `undefined` where there was none. */
  readonly code: number | undefined;
  /** The close reason of the server, or what the runtime says; may be empty. */
  readonly message: string;
}

/** The state of a client. */
export type ConnectionState =
  | { readonly status: "idle" }
  | { readonly status: "connecting"; readonly attempt: number }
  | {
      readonly status: "open";
      /** The connection's id on the server; `undefined` in the plain dialect. */
      readonly clientId: string | undefined;
      readonly dialect: "extended" | "plain";
      /** The server drains. Messages wait for the next connection. */
      readonly draining: boolean;
    }
  | ({
      readonly status: "waiting";
      readonly attempt: number;
      readonly retryInMs: number;
      readonly terminal: false;
    } & End)
  | ({ readonly status: "closed"; readonly terminal: true } & End);

/** The server's first message in the extended dialect. */
export interface Hello {
  readonly clientId?: string;
  readonly heartbeatMs: number | undefined;
  readonly contract?: string;
  /** Larger messages would end the connection with 1009. */
  readonly maxMessageBytes: number | undefined;
}

export interface Idle {
  readonly status: "idle";
}
/** The token function is awaited. */
export interface Authorizing {
  readonly status: "authorizing";
  readonly attempt: number;
  readonly abort: AbortController;
}
/** The socket is being opened; in the extended dialect until the hello. */
export interface Opening {
  readonly status: "opening";
  readonly attempt: number;
  readonly socket: Socket;
}
export interface Open {
  readonly status: "open";
  readonly attempt: number;
  readonly socket: Socket;
  readonly openedAt: number;
  /** `undefined` in the plain dialect. */
  readonly hello: Hello | undefined;
  /** After a goaway: when to reconnect. */
  readonly retryAt: number | undefined;
}
export interface Waiting extends End {
  readonly status: "waiting";
  readonly terminal: false;
  readonly attempt: number;
  readonly retryInMs: number;
  /** Reconnects only with a token that differs from the last one. */
  readonly needsNewToken: boolean;
}
export interface Closed extends End {
  readonly status: "closed";
  readonly terminal: true;
}

/** The internal state, with the resources of each state. */
export type Phase = Idle | Authorizing | Opening | Open | Waiting | Closed;

export const PHASES = {
  idle: ["authorizing", "closed"],
  authorizing: ["opening", "waiting", "closed"],
  opening: ["open", "waiting", "closed"],
  open: ["open", "waiting", "closed"],
  waiting: ["authorizing", "closed"],
  closed: ["authorizing"],
} as const;

/** Converts a phase to the public state. */
export function publicState(phase: Phase): ConnectionState {
  const { status } = phase;
  if (status === "open") {
    const { hello, retryAt } = phase;
    const dialect = hello ? "extended" : "plain";
    return { status, clientId: hello?.clientId, dialect, draining: retryAt !== undefined };
  }
  if (status === "authorizing" || status === "opening") return { status: "connecting", attempt: phase.attempt };
  return phase;
}
