import type { Issue } from "./errors.js";
import type { Clock, Page, SocketConstructor } from "./environment.js";
import { globals, systemClock, systemPage } from "./environment.js";
import type { BackoffOptions } from "./connection/backoff.js";
import type { TokenPlacement } from "./connection/address.js";
import type { TokenFunction } from "./connection/token.js";
import type { QueueOptions } from "./queue.js";
import type { Codec } from "./wire/codec.js";
import { json } from "./wire/codec.js";

/** The origin of an error that belongs to no promise. */
export interface ErrorContext {
  readonly source:
    /** An `ERROR` of the server, which answers no request. */
    | "server"
    /** A frame that cannot be read. */
    | "parse"
    /** A payload that the option `validate` refuses. */
    | "validation"
    /** A listener threw. */
    | "listener"
    /** A handler of `handle` threw. */
    | "handler"
    /** The token function failed, or the server refused to refresh. */
    | "token"
    /** An event was dropped from the queue. */
    | "dropped"
    /** The runtime refused to open a socket. */
    | "socket";
  /** The message type concerned, if any. */
  readonly type?: string;
}

export interface Mismatch {
  /** The hash in the generated file. */
  readonly expected: string;
  /** The hash that the server says. */
  readonly actual: string;
}

export interface Gap {
  readonly topic: string;
  readonly reason: string;
}

export interface Options {
  /** Connects when the client is made. Default `true`; otherwise call `connect()`. */
  autoConnect?: boolean;
  /** Makes a token for each attempt to connect, and for each refresh. */
  token?: TokenFunction;
  /** How the token reaches the server. Default `"subprotocol"`. */
  tokenIn?: TokenPlacement;
  /** `"plain"` offers no subprotocol. Browsers reject servers that do not answer the offer. */
  dialect?: "auto" | "plain";
  /** How frames are written. Default JSON; see `switchboard-client/msgpack`. */
  codec?: Codec;
  reconnect?: Partial<BackoffOptions> & {
    /** How many attempts may fail in a row. Default: no limit. */
    maxAttempts?: number;
  };
  /** The queue of messages sent while not connected. */
  queue?: Partial<QueueOptions>;
  /** Timeout of requests without their own. Default 30 000. */
  requestTimeoutMs?: number;
  /** Timeout of the token function, and of opening the socket. Default 10 000. */
  connectTimeoutMs?: number;
  /** Silence after which a heartbeat is sent, if the server names no interval. Default 25 000. */
  heartbeatMs?: number;
  /** Timeout of a heartbeat. Default 10 000. */
  heartbeatTimeoutMs?: number;
  /** Validates payloads at run time, in both directions. Types are checked by the compiler only. */
  validate?: (type: string, payload: unknown, direction: "send" | "receive") => readonly Issue[] | undefined;
  /** Receives errors that belong to no promise. Without a listener they are reported as uncaught. */
  onError?: (error: unknown, context: ErrorContext) => void;
  /** Called once if the server has another contract. Default: a warning on the console. */
  onContractMismatch?: (mismatch: Mismatch) => void;
  /** Required if the runtime has no `WebSocket`, such as Node 20. */
  WebSocket?: unknown;
  /** For tests. */
  clock?: Clock;
  /** For tests. */
  page?: Page;
}

/** The options with their defaults. */
export interface Settings {
  readonly token?: TokenFunction;
  readonly tokenIn: TokenPlacement;
  readonly codec: Codec;
  readonly offered: string[];
  readonly reconnect: BackoffOptions & { readonly maxAttempts: number };
  readonly queue: QueueOptions;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly validate?: NonNullable<Options["validate"]>;
  readonly onContractMismatch: (mismatch: Mismatch) => void;
  readonly WebSocket?: SocketConstructor;
  readonly clock: Clock;
  readonly page: Page;
}

export function settings(options: Options): Settings {
  const given = {
    tokenIn: "subprotocol",
    codec: json,
    requestTimeoutMs: 30_000,
    connectTimeoutMs: 10_000,
    heartbeatMs: 25_000,
    heartbeatTimeoutMs: 10_000,
    onContractMismatch: warn,
    WebSocket: globals.WebSocket,
    clock: systemClock,
    page: systemPage,
    ...defined(options),
  };
  return {
    ...given,
    offered: options.dialect === "plain" ? [] : [given.codec.protocol],
    reconnect: { minDelayMs: 300, maxDelayMs: 10_000, maxAttempts: Infinity, ...defined(options.reconnect) },
    queue: { policy: "drop-newest", maxItems: 1000, maxBytes: 1024 * 1024, ...defined(options.queue) },
  } as Settings;
}

/** Removes keys whose value is `undefined`, which would replace defaults. */
function defined<T extends object>(options: T | undefined): T {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as T;
}

function warn({ expected, actual }: Mismatch): void {
  globals.console.warn(`switchboard: the contract is ${actual}, not ${expected}`);
}

export type Report = (error: unknown, context: ErrorContext) => void;
