/** `meta` of a message. */
export interface Meta {
  /** The sender's clock in milliseconds, for display. */
  readonly timestamp?: number;
  readonly correlationId?: string;
  /** The topic, for messages of recoverable topics. */
  readonly topic?: string;
  readonly [key: string]: unknown;
}

/** The part of this file that exists when the program runs. */
export interface Route<Api extends { receive: object; requests: object; calls: object }> {
  /** The path of the route on the server. */
  readonly path: string;
  /** The contract's hash. The server says its own when a connection opens. */
  readonly contract: string;
  /** Request type to response type. */
  readonly requests: { readonly [K in keyof Api["requests"]]: string };
  /** The same for the server's requests. */
  readonly calls: { readonly [K in keyof Api["calls"]]: string };
  /** Topic pattern to the types of its messages. */
  readonly topics: { readonly [pattern: string]: readonly (keyof Api["receive"] & string)[] };
}
