/** The types that a generated file fills in. */

/** The payload types of a request. */
export interface RequestShape {
  request: unknown;
  response: unknown;
  /** Payload of its progress messages; absent where there are none. */
  progress?: unknown;
  /** Error codes of the application, beside those of the protocol. */
  errors?: string;
}

/** A request that the server sends to the client. */
export interface CallShape {
  request: unknown;
  response: unknown;
}

/** The messages of a route, by direction. A generated file declares one such interface. */
export interface Api {
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
export interface Route<A extends Api> {
  /** The path of the route on the server. */
  readonly path: string;
  /** Hash of the contract, compared with the server's when a connection opens. */
  readonly contract: string;
  /** Request type to response type. */
  readonly requests: { readonly [K in keyof A["requests"]]: string };
  /** The same for the server's requests. */
  readonly calls: { readonly [K in keyof A["calls"]]: string };
  /** Topic pattern, such as `room:{id}`, to the types of its messages. */
  readonly topics: { readonly [pattern: string]: readonly KeyOf<A["receive"]>[] };
}

/** The names in a map of types. */
export type KeyOf<T> = keyof T & string;

/** `meta` of a message. */
export interface Meta {
  /** The sender's clock in milliseconds, for display. */
  readonly timestamp?: number;
  readonly correlationId?: string;
  /** The topic, for messages of recoverable topics. */
  readonly topic?: string;
  readonly [key: string]: unknown;
}

type DeclaredMeta<A extends Api, K> = K extends keyof A["meta"] ? A["meta"][K] : unknown;

/** A message of the server of type `K`. */
export interface Message<A extends Api, K extends KeyOf<A["receive"]>> {
  readonly type: K;
  readonly payload: A["receive"][K];
  readonly meta: Meta & DeclaredMeta<A, K>;
}

/** A message of one of the types `K`: a union to `switch` over. */
export type AnyMessage<A extends Api, K extends KeyOf<A["receive"]> = KeyOf<A["receive"]>> = {
  [T in K]: Message<A, T>;
}[K];

/** Options of one event. */
export interface SendOptions {
  /** Keys for `meta`. */
  meta?: object;
  /** `false` drops the event if the client is not connected. */
  queue?: boolean;
}

type MetaOptions<A extends Api, K, Options> = K extends keyof A["meta"]
  ? [options: Options & { meta: A["meta"][K] }]
  : [options?: Options];

/** The arguments after the type. Only types without payload can omit it. */
export type Args<A extends Api, K, Payload, Options> = undefined extends Payload
  ? K extends keyof A["meta"]
    ? [payload: Payload, ...rest: MetaOptions<A, K, Options>]
    : [payload?: Payload, options?: Options]
  : [payload: Payload, ...rest: MetaOptions<A, K, Options>];

/** The response payload of a request. */
export type ResponseOf<A extends Api, K extends KeyOf<A["requests"]>> = A["requests"][K]["response"];

/** The progress of a request; `never` where there is none. */
export type ProgressOf<A extends Api, K extends KeyOf<A["requests"]>> = A["requests"][K] extends { progress: infer P }
  ? P
  : never;

/** The error codes of a request: the protocol's and its own. */
export type ErrorCode<A extends Api, K extends KeyOf<A["requests"]>> =
  ProtocolCode | (A["requests"][K] extends { errors: infer E extends string } ? E : never);

/** The types of a topic's messages. */
export type TopicTypes<A extends Api, T extends keyof A["topics"]> = A["topics"][T] & KeyOf<A["receive"]>;

/** The error codes of the protocol. */
export type ProtocolCode =
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "INVALID_ARGUMENT"
  | "FAILED_PRECONDITION"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "UNIMPLEMENTED"
  | "CANCELLED"
  | "DEADLINE_EXCEEDED"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "ABORTED"
  | "INTERNAL";
