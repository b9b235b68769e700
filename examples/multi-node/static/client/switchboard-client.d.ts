// The TypeScript client of Switchboard, written by its generator. Do not edit.
/* eslint-disable */
/** The types that a generated file fills in. */
/** The payload types of a request. */
interface RequestShape {
    request: unknown;
    response: unknown;
    /** Payload of its progress messages; absent where there are none. */
    progress?: unknown;
    /** Error codes of the application, beside those of the protocol. */
    errors?: string;
}
/** A request that the server sends to the client. */
interface CallShape {
    request: unknown;
    response: unknown;
}
/** The messages of a route, by direction. A generated file declares one such interface. */
interface Api {
    /** Events that the client sends: type to payload. `void` is no payload. */
    send: object;
    /** Events that the server sends: type to payload. */
    receive: object;
    /** Requests of the client. */
    requests: Record<string, RequestShape>;
    /** Requests of the server. */
    calls: Record<string, CallShape>;
    /** Topics that clients subscribe to: name or template to the types of its messages. */
    topics: object;
    /** Keys of `meta` that a message type declares. */
    meta: object;
}
/** A route at run time, as a generated file exports it. */
interface Route<A extends Api> {
    /** The path of the route on the server. */
    readonly path: string;
    /** Hash of the contract, compared with the server's when a connection opens. */
    readonly contract: string;
    /** Request type to response type. */
    readonly requests: {
        readonly [K in keyof A["requests"]]: string;
    };
    /** The same for the server's requests. */
    readonly calls: {
        readonly [K in keyof A["calls"]]: string;
    };
    /** Topic pattern, such as `room:{id}`, to the types of its messages. */
    readonly topics: {
        readonly [pattern: string]: readonly KeyOf<A["receive"]>[];
    };
}
/** The names in a map of types. */
type KeyOf<T> = keyof T & string;
/** `meta` of a message. */
interface Meta {
    /** The sender's clock in milliseconds, for display. */
    readonly timestamp?: number;
    readonly correlationId?: string;
    /** The topic, for messages of recoverable topics. */
    readonly topic?: string;
    readonly [key: string]: unknown;
}
type DeclaredMeta<A extends Api, K> = K extends keyof A["meta"] ? A["meta"][K] : unknown;
/** A message of the server of type `K`. */
interface Message<A extends Api, K extends KeyOf<A["receive"]>> {
    readonly type: K;
    readonly payload: A["receive"][K];
    readonly meta: Meta & DeclaredMeta<A, K>;
}
/** A message of one of the types `K`: a union to `switch` over. */
type AnyMessage<A extends Api, K extends KeyOf<A["receive"]> = KeyOf<A["receive"]>> = {
    [T in K]: Message<A, T>;
}[K];
/** Options of one event. */
interface SendOptions {
    /** Keys for `meta`. */
    meta?: object;
    /** `false` drops the event if the client is not connected. */
    queue?: boolean;
}
type MetaOptions<A extends Api, K, Options> = K extends keyof A["meta"] ? [options: Options & {
    meta: A["meta"][K];
}] : [options?: Options];
/** The arguments after the type. Only types without payload can omit it. */
type Args<A extends Api, K, Payload, Options> = undefined extends Payload ? K extends keyof A["meta"] ? [payload: Payload, ...rest: MetaOptions<A, K, Options>] : [payload?: Payload, options?: Options] : [payload: Payload, ...rest: MetaOptions<A, K, Options>];
/** The response payload of a request. */
type ResponseOf<A extends Api, K extends KeyOf<A["requests"]>> = A["requests"][K]["response"];
/** The progress of a request; `never` where there is none. */
type ProgressOf<A extends Api, K extends KeyOf<A["requests"]>> = A["requests"][K] extends {
    progress: infer P;
} ? P : never;
/** The error codes of a request: the protocol's and its own. */
type ErrorCode<A extends Api, K extends KeyOf<A["requests"]>> = ProtocolCode | (A["requests"][K] extends {
    errors: infer E extends string;
} ? E : never);
/** The types of a topic's messages. */
type TopicTypes<A extends Api, T extends keyof A["topics"]> = A["topics"][T] & KeyOf<A["receive"]>;
/** The error codes of the protocol. */
type ProtocolCode = "UNAUTHENTICATED" | "PERMISSION_DENIED" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "NOT_FOUND" | "ALREADY_EXISTS" | "UNIMPLEMENTED" | "CANCELLED" | "DEADLINE_EXCEEDED" | "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "ABORTED" | "INTERNAL";
export {};
/** The part of the WebSocket API that the client uses. */
interface SocketLike {
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
type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;
/** The source of time. Tests pass their own. */
interface Clock {
    now(): number;
    random(): number;
    setTimeout(callback: () => void, ms: number): unknown;
    clearTimeout(timer: unknown): void;
}
/** Visibility and network state of a page. */
interface Page {
    hidden(): boolean;
    /** Calls the listener when the page becomes visible or online. Returns a function that stops it. */
    onWake(listener: () => void): () => void;
}
declare const systemClock: Clock;
interface Target {
    addEventListener?(type: string, listener: () => void, options: {
        signal: AbortSignal;
    }): void;
}
interface Globals extends Target {
    document?: Target & {
        visibilityState?: string;
    };
    WebSocket?: SocketConstructor;
    location?: {
        href: string;
    };
    console: {
        error(...values: unknown[]): void;
        warn(...values: unknown[]): void;
    };
    reportError?(error: unknown): void;
}
declare const globals: Globals;
/** The browser's page. Other runtimes are never hidden. */
declare const systemPage: Page;
/** Reports an error without a listener as an uncaught exception. */
declare function reportUncaught(error: unknown): void;
export {};
/** The data of one frame. */
type Frame = string | Uint8Array;
/** The encoding of messages. */
interface Codec {
    /** The subprotocol that selects it. */
    readonly protocol: string;
    /** Leaves out keys whose value is `undefined`. */
    encode(message: object): Frame;
    /** Throws if the frame is malformed. */
    decode(frame: Frame): unknown;
}
declare const json: Codec;
declare function byteLength(frame: Frame): number;
interface SocketEvents {
    opened(protocol: string): void;
    received(frame: Frame): void;
    closed(code: number, reason: string): void;
}
/** A WebSocket. Emits no events after `drop`, even if closing takes long. */
declare class Socket {
    #private;
    /** Throws where the runtime refuses the URL or a subprotocol. */
    constructor(constructor: SocketConstructor, url: string, protocols: string[], events: SocketEvents);
    get buffered(): number;
    /** Returns whether the frame was written; `false` while the socket closes. */
    write(frame: Frame): boolean;
    drop(code: number | undefined, reason: string): void;
}
/** Why a connection ended, or did not open. */
type EndReason = 
/** `close()` was called. */
"closed_by_client"
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
interface End {
    readonly reason: EndReason;
    /** The close code; `undefined` where there was none. */
    readonly code: number | undefined;
    /** The close reason of the server, or what the runtime says; may be empty. */
    readonly message: string;
}
/** The state of a client. */
type ConnectionState = {
    readonly status: "idle";
} | {
    readonly status: "connecting";
    readonly attempt: number;
} | {
    readonly status: "open";
    /** The connection's id on the server; `undefined` in the plain dialect. */
    readonly clientId: string | undefined;
    readonly dialect: "extended" | "plain";
    /** The server drains. Messages wait for the next connection. */
    readonly draining: boolean;
} | ({
    readonly status: "waiting";
    readonly attempt: number;
    readonly retryInMs: number;
    readonly terminal: false;
} & End) | ({
    readonly status: "closed";
    readonly terminal: true;
} & End);
/** The server's first message in the extended dialect. */
interface Hello {
    readonly clientId?: string;
    readonly heartbeatMs: number | undefined;
    readonly contract?: string;
    /** Larger messages would end the connection with 1009. */
    readonly maxMessageBytes: number | undefined;
}
interface Idle {
    readonly status: "idle";
}
/** The token function is awaited. */
interface Authorizing {
    readonly status: "authorizing";
    readonly attempt: number;
    readonly abort: AbortController;
}
/** The socket is being opened; in the extended dialect until the hello. */
interface Opening {
    readonly status: "opening";
    readonly attempt: number;
    readonly socket: Socket;
}
interface Open {
    readonly status: "open";
    readonly attempt: number;
    readonly socket: Socket;
    readonly openedAt: number;
    /** `undefined` in the plain dialect. */
    readonly hello: Hello | undefined;
    /** After a goaway: when to reconnect. */
    readonly retryAt: number | undefined;
}
interface Waiting extends End {
    readonly status: "waiting";
    readonly terminal: false;
    readonly attempt: number;
    readonly retryInMs: number;
    /** Reconnects only with a token that differs from the last one. */
    readonly needsNewToken: boolean;
}
interface Closed extends End {
    readonly status: "closed";
    readonly terminal: true;
}
/** The internal state, with the resources of each state. */
type Phase = Idle | Authorizing | Opening | Open | Waiting | Closed;
declare const PHASES: {
    readonly idle: readonly ["authorizing", "closed"];
    readonly authorizing: readonly ["opening", "waiting", "closed"];
    readonly opening: readonly ["open", "waiting", "closed"];
    readonly open: readonly ["open", "waiting", "closed"];
    readonly waiting: readonly ["authorizing", "closed"];
    readonly closed: readonly ["authorizing"];
};
/** Converts a phase to the public state. */
declare function publicState(phase: Phase): ConnectionState;
type Listener<T> = (value: T) => void;
type Unsubscribe = () => void;
/** A set of listeners. A listener that throws is reported and does not affect the others. */
declare class Emitter<T> {
    #private;
    constructor(report: (error: unknown, value: T) => void);
    get size(): number;
    /** Adds a listener. The same function added twice is called twice. */
    add(listener: Listener<T>): Unsubscribe;
    emit(value: T): void;
}
/** One error in a payload. */
interface Issue {
    /** The field's name on the wire, such as `items[2].name`; empty for the payload itself. */
    readonly path: string;
    readonly code: string;
    readonly message: string;
}
/** The base of all errors of this package. */
declare class SwitchboardError extends Error {
    readonly name: string;
}
/** A request timed out. */
declare class TimeoutError extends SwitchboardError {
    readonly timeoutMs: number;
    readonly name: string;
    constructor(timeoutMs: number);
}
/** The optional fields of a `ServerError`. */
interface ServerErrorInit {
    details?: unknown;
    retryable?: boolean | undefined;
    retryAfterMs?: number | null | undefined;
    /** The request that it answers, or the event if the server says so. */
    correlationId?: string | undefined;
}
/** The server answered with an error. */
declare class ServerError<Code extends string = string> extends SwitchboardError {
    readonly code: Code;
    readonly name: string;
    /** Details from the server. */
    readonly details: unknown;
    /** Whether the same request may succeed later; `undefined` where the server does not say. */
    readonly retryable: boolean | undefined;
    /** How long to wait before that; `null` if it can never succeed. */
    readonly retryAfterMs: number | null | undefined;
    readonly correlationId: string | undefined;
    constructor(code: Code, message: string, { details, retryable, retryAfterMs, correlationId }?: ServerErrorInit);
}
/** A payload is invalid, according to the server or to the option `validate`. */
declare class ValidationError extends ServerError<"INVALID_ARGUMENT"> {
    readonly issues: readonly Issue[];
    readonly name: string;
    constructor(issues: readonly Issue[], message: string, init?: ServerErrorInit);
}
/** `unknown_outcome`: it was sent, and may have been handled. `not_sent`: it was never sent. */
type LossReason = "unknown_outcome" | "not_sent";
/** The connection ended before the answer arrived. */
declare class ConnectionClosedError extends SwitchboardError {
    readonly reason: LossReason;
    /** The close code, if the connection was closed with one. */
    readonly code?: number | undefined;
    readonly name: string;
    constructor(reason: LossReason, 
    /** The close code, if the connection was closed with one. */
    code?: number | undefined);
}
type StateReason = "aborted" | "closed" | "duplicate_handler" | "environment" | "not_connected" | "overflow" | "queue_full" | "too_large";
/** The operation is not possible in the client's current state. */
declare class StateError extends SwitchboardError {
    readonly reason: StateReason;
    readonly name: string;
    constructor(reason: StateReason, message: string);
}
declare const closed: () => StateError;
declare const aborted: () => StateError;
/** Reads the payload of `ERROR` and `RPC_ERROR`, which may be malformed. */
declare function readError(payload: unknown, correlationId?: string): ServerError;
interface BackoffOptions {
    /** The first delay is between 0 and this. Default 300. */
    minDelayMs: number;
    /** No delay is longer than this. Default 10 000. */
    maxDelayMs: number;
}
/** Full jitter: a random time up to a bound that doubles with each attempt. */
declare function backoff(attempt: number, options: BackoffOptions, clock: Pick<Clock, "random">): number;
/** How the token reaches the server. */
type TokenPlacement = 
/** As the subprotocol entry `bearer.TOKEN`. */
"subprotocol"
/** As this query parameter. It may end up in logs of proxies. */
 | {
    readonly query: string;
}
/** In a first message of this type, with the payload `{token}`. */
 | {
    readonly message: string;
};
/** The URL and the subprotocols of a new socket. */
declare function address(url: string | URL, offered: string[], placement: TokenPlacement, token: string | undefined): {
    url: string;
    protocols: string[];
};
/** A token, optionally with its lifetime. */
type Token = string | {
    readonly token: string;
    readonly expiresInMs?: number | undefined;
} | null | undefined;
/** Called for each attempt to connect and for each refresh. Results are not cached. */
type TokenFunction = (context: {
    readonly purpose: "connect" | "refresh";
    /** Aborted when the result is no longer needed. */
    readonly signal: AbortSignal;
}) => Token | Promise<Token>;
/** Sends a token to the server. `done` receives an error, or the new lifetime. */
type Refresh = (token: string, done: (error: unknown, expiresInMs?: number) => void) => void;
/** Obtains tokens from the application, and refreshes them in band. */
declare class Tokens {
    #private;
    constructor(settings: Settings, send: Refresh, failed: (error: unknown) => void);
    /** Obtains the token for a new connection. */
    next(signal: AbortSignal): Promise<string | undefined>;
    /** Schedules refreshes of the token that `next` returned last. */
    start(): void;
    stop(): void;
    /** Refreshes the token if it is due. Timers can be late after sleep. */
    check(): void;
}
interface QueueOptions {
    /** What happens when it is full; `"off"` keeps nothing. Default `"drop-newest"`. */
    policy: "drop-newest" | "drop-oldest" | "off";
    /** Default 1000. */
    maxItems: number;
    /** With what the socket buffers. Default 1 MiB. */
    maxBytes: number;
}
/** A message that waits for a connection. */
interface Queued {
    readonly frame: Frame;
    readonly bytes: number;
    /** Called when the message was written. */
    sent(): void;
    /** Called if the message is dropped unsent. */
    dropped(error: StateError): void;
}
declare const queueFull: () => StateError;
/** Messages that wait for a connection, in order. */
declare class Queue {
    #private;
    constructor(options: QueueOptions);
    get size(): number;
    /** Returns whether `bytes` more fit, given what the socket has buffered. */
    fits(bytes: number, buffered: number): boolean;
    /** Adds a message. Returns whether it was accepted. */
    push(item: Queued, buffered: number): boolean;
    /** Inserts messages at the front, without regard to the limits. */
    restore(items: readonly Queued[]): void;
    remove(item: Queued): void;
    /** Removes messages in order, until `take` returns false. */
    flush(take: (item: Queued) => boolean): void;
}
/** The origin of an error that belongs to no promise. */
interface ErrorContext {
    readonly source: 
    /** An `ERROR` of the server, which answers no request. */
    "server"
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
interface Mismatch {
    /** The hash in the generated file. */
    readonly expected: string;
    /** The hash that the server says. */
    readonly actual: string;
}
interface Gap {
    readonly topic: string;
    readonly reason: string;
}
interface Options {
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
interface Settings {
    readonly token?: TokenFunction;
    readonly tokenIn: TokenPlacement;
    readonly codec: Codec;
    readonly offered: string[];
    readonly reconnect: BackoffOptions & {
        readonly maxAttempts: number;
    };
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
declare function settings(options: Options): Settings;
type Report = (error: unknown, context: ErrorContext) => void;
/** A message, in the standard envelope. */
interface Inbound {
    readonly type: string;
    readonly meta: {
        readonly [key: string]: unknown;
    };
    readonly payload: unknown;
}
/** Reads a message. Returns `undefined` if it has no type. */
declare function open(message: unknown): Inbound | undefined;
/** The correlation id of a message, if it has one. */
declare function correlationOf({ meta }: Inbound): string | undefined;
/** Returns the fields of an arbitrary value. */
declare function fields(value: unknown): {
    readonly [name: string]: unknown;
};
/** Writes and reads frames. */
declare class Wire {
    #private;
    constructor(settings: Settings, report: Report);
    /** Encodes a message with a timestamp. Codecs leave out an `undefined` payload. */
    write(type: string, meta?: object, payload?: unknown): Frame;
    /** Encodes a control message, without a timestamp. */
    control(type: string, correlationId?: string): Frame;
    /** Decodes a frame. Reports malformed ones, and returns `undefined`. */
    read(frame: Frame): Inbound | undefined;
}
/** State and functions that the parts of a client share. */
interface Core {
    readonly settings: Settings;
    readonly wire: Wire;
    readonly report: Report;
    /** Reports what a listener threw. */
    readonly thrown: (error: unknown) => void;
    /** Whether new messages are written now: the connection is open and the server stays. */
    readonly ready: boolean;
    /** What the server said when the connection opened; `undefined` in the plain dialect. */
    readonly hello: Hello | undefined;
    /** Writes a message, or queues it. Returns why it was not taken. */
    submit(item: Queued): StateError | undefined;
    /** Writes to the present connection, or not at all. */
    write(frame: Frame): boolean;
    /** Takes a message out of the queue. */
    forget(item: Queued): void;
}
interface CallContext {
    /** Aborted when the connection ends: the answer has nowhere to go. */
    readonly signal: AbortSignal;
}
type Handler = (payload: unknown, context: CallContext) => unknown;
/** Requests of the server, and the functions that answer them. */
declare class Calls {
    #private;
    constructor(responses: Readonly<Record<string, string>>, core: Core);
    handle(type: string, handler: Handler): Unsubscribe;
    /** Handles a request of the server. Returns false if the message is not one. */
    received(message: Inbound): boolean;
    /** The connection ended. */
    lost(): void;
}
export {};
interface RequestInit {
    readonly id: string;
    readonly frame: Frame;
    /** The type of its response. */
    readonly response: string;
    readonly timeoutMs: number;
    /** Whether the server answers a repetition from what it has stored. */
    readonly repeatable: boolean;
    readonly signal: AbortSignal | undefined;
    readonly onProgress: ((progress: unknown) => void) | undefined;
    /** Called once, with an error or with the payload of the answer. */
    readonly done: (error: unknown, payload?: unknown) => void;
}
/** One request, from the queue to its answer. */
declare class Request implements Queued {
    #private;
    readonly init: RequestInit;
    readonly frame: Frame;
    readonly bytes: number;
    /** Whether it was ever written. */
    wasSent: boolean;
    /** `givenUp` is called if the request ends before its answer. */
    constructor(init: RequestInit, clock: Clock, givenUp: (request: Request) => void);
    get isSent(): boolean;
    /** Marks it as written. The timeout starts with the first write. */
    sent(): void;
    /** Marks it as queued again, after its connection was lost. */
    requeued(): void;
    /** Fails it before an answer arrived. */
    dropped(error: unknown): void;
    settle(error: unknown, payload?: unknown): void;
}
interface RequestOptions<Progress = unknown> {
    /** Counts from sending. Default: the client's `requestTimeoutMs`. */
    timeoutMs?: number;
    /** Aborts the request, on the server too. */
    signal?: AbortSignal;
    onProgress?: [Progress] extends [never] ? undefined : (progress: Progress) => void;
    /** The server handles the request once for this key, so that it is sent again after a reconnect. */
    idempotencyKey?: string;
    /** Keys for `meta`. */
    meta?: object;
}
type Done = (error: unknown, payload?: unknown) => void;
/** The requests that have no answer yet. */
declare class Requests {
    #private;
    constructor(core: Core);
    get size(): number;
    /** Sends a request, or queues it. `done` is called once. */
    start(type: string, response: string, payload: unknown, options: RequestOptions, done: Done): void;
    /** A request of the protocol, which belongs to the present connection. */
    control(type: string, response: string, payload: unknown, done: Done): void;
    /** Handles an answer. Returns false if the message is not one. */
    received(message: Inbound): boolean;
    /** Handles the end of the connection. Returns the requests to send again, in order. */
    lost(code: number | undefined, terminal: boolean): Request[];
}
export {};
/** Limit of buffered messages. */
declare const MAX_BUFFERED = 1000;
type Result<T> = IteratorResult<T, undefined>;
/** An async iterator over messages. Throws a `StateError` if the consumer falls too far behind. */
declare class Stream<T> implements AsyncIterableIterator<T> {
    #private;
    next(): Promise<Result<T>>;
    /** Called when the loop is left. */
    return(): Promise<Result<T>>;
    [Symbol.asyncIterator](): this;
}
interface States {
    add(listener: (state: {
        readonly status: string;
    }) => void): () => void;
}
/** The messages of an emitter, until a state says that no more come. */
declare function streamOf<T>(messages: Emitter<Inbound>, states: States, closed: boolean, filter: (message: Inbound) => boolean): Stream<T>;
export {};
/** The state of a subscription. */
type SubscriptionState = 
/** Waits for a connection. */
{
    readonly status: "pending";
}
/** `$ws:subscribe` was sent. */
 | {
    readonly status: "joining";
}
/** Messages arrive. */
 | {
    readonly status: "joined";
}
/** The server refused. Tried again after a reconnect, and earlier if the error is retryable. */
 | {
    readonly status: "failed";
    readonly error: unknown;
}
/** `close()` was called, or the client is closed. */
 | {
    readonly status: "closed";
};
declare const SUBSCRIPTIONS: {
    readonly pending: readonly ["joining", "closed"];
    readonly joining: readonly ["joined", "failed", "pending", "closed"];
    readonly joined: readonly ["pending", "closed"];
    readonly failed: readonly ["joining", "pending", "closed"];
    readonly closed: readonly [];
};
/** A handle on a topic. Closing the last handle leaves the topic. */
declare class Subscription<A extends Api, K extends KeyOf<A["receive"]>> {
    #private;
    get topic(): string;
    get state(): SubscriptionState;
    /** Calls the listener with each message of one type. */
    on<T extends K>(type: T, listener: (payload: A["receive"][T], message: Message<A, T>) => void): Unsubscribe;
    /** Calls the listener with each message of the topic. */
    onMessage(listener: (message: AnyMessage<A, K>) => void): Unsubscribe;
    /** Calls the listener when the state changes. */
    onState(listener: (state: SubscriptionState) => void): Unsubscribe;
    /** Waits until the topic is joined. Rejects if the server refuses or the handle is closed. */
    ready(): Promise<void>;
    /** Returns an async iterator over the topic's messages, until the handle is closed. */
    [Symbol.asyncIterator](): Stream<AnyMessage<A, K>>;
    close(): void;
}
interface OnceOptions {
    signal?: AbortSignal;
}
interface SubscribeOptions<M> {
    /** Selects the topic's messages, if several topics share message types. */
    filter?: (message: M) => boolean;
}
/** Creates a client for a route, and connects it. */
declare function connect<A extends Api>(url: string | URL, route: Route<A>, options?: Options): Client<A>;
/** A client of one route. Reconnects by itself. */
declare class Client<A extends Api> {
    #private;
    get state(): ConnectionState;
    get isConnected(): boolean;
    /** The round trip of the last heartbeat in milliseconds. */
    get latency(): number | undefined;
    /** Requests without an answer yet, and messages that wait for a connection. */
    get pending(): {
        readonly requests: number;
        readonly queued: number;
    };
    /** Connects now: after `close()`, without `autoConnect`, or instead of waiting for the next attempt. */
    connect(): void;
    /** Closes the client. No timer or page listener remains. */
    close(code?: number, reason?: string): void;
    /** Sends or queues an event. Returns whether it was accepted. */
    send<K extends KeyOf<A["send"]>>(type: K, ...args: Args<A, K, A["send"][K], SendOptions>): boolean;
    /** Sends a request and waits for its answer. */
    request<K extends KeyOf<A["requests"]>>(type: K, ...args: Args<A, K, A["requests"][K]["request"], RequestOptions<ProgressOf<A, K>>>): Promise<ResponseOf<A, K>>;
    /** Returns whether an error is a `ServerError`, and narrows its code to those of the request. */
    isServerError<K extends KeyOf<A["requests"]>>(_type: K, error: unknown): error is ServerError<ErrorCode<A, K>>;
    /** Calls the listener with each event of one type. */
    on<K extends KeyOf<A["receive"]>>(type: K, listener: (payload: A["receive"][K], message: Message<A, K>) => void): Unsubscribe;
    /** Calls the listener with every event. `switch (message.type)` narrows it. */
    onMessage(listener: (message: AnyMessage<A>) => void): Unsubscribe;
    /** Waits for the next event of one type. */
    once<K extends KeyOf<A["receive"]>>(type: K, { signal }?: OnceOptions): Promise<A["receive"][K]>;
    /** Returns an async iterator over events of some types, or of all. */
    messages<K extends KeyOf<A["receive"]> = KeyOf<A["receive"]>>(...types: K[]): Stream<AnyMessage<A, K>>;
    [Symbol.asyncIterator](): Stream<AnyMessage<A>>;
    /** Answers the server's requests of one type. A thrown `ServerError` is sent as the answer. */
    handle<K extends KeyOf<A["calls"]>>(type: K, handler: (payload: A["calls"][K]["request"], context: CallContext) => A["calls"][K]["response"] | Promise<A["calls"][K]["response"]>): Unsubscribe;
    /** Subscribes to a topic. Reconnects join it again. */
    subscribe<T extends KeyOf<A["topics"]>>(name: T, options?: SubscribeOptions<AnyMessage<A, TopicTypes<A, T>>>): Subscription<A, TopicTypes<A, T>>;
    /** Calls the listener when the state changes. */
    onState(listener: (state: ConnectionState) => void): Unsubscribe;
    /** Calls the listener with errors that belong to no promise. */
    onError(listener: (error: unknown, context: ErrorContext) => void): Unsubscribe;
    /** Calls the listener when the server has dropped messages of a topic. */
    onGap(listener: (gap: Gap) => void): Unsubscribe;
}
export { connect };
export type { Client, OnceOptions, SubscribeOptions };
export { ConnectionClosedError, ServerError, StateError, SwitchboardError, TimeoutError, ValidationError, };
export type { Issue, LossReason, ServerErrorInit, StateReason };
export type { RequestShape, CallShape, Api, Route, KeyOf, Meta, Message, AnyMessage, SendOptions, Args, ResponseOf, ProgressOf, ErrorCode, TopicTypes, ProtocolCode };
export type { ConnectionState, End, EndReason };
export type { TokenPlacement };
export type { BackoffOptions };
export type { Token, TokenFunction };
export type { Listener, Unsubscribe };
export type { Clock, Page, SocketConstructor, SocketLike };
export type { ErrorContext, Gap, Mismatch, Options };
export type { QueueOptions };
export type { CallContext };
export type { RequestOptions };
export type { Stream };
export type { SubscriptionState };
export type { Subscription };
export type { Codec, Frame };
