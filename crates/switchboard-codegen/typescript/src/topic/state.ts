/** The state of a subscription. */
export type SubscriptionState =
  /** Waits for a connection. */
  | { readonly status: "pending" }
  /** `$ws:subscribe` was sent. */
  | { readonly status: "joining" }
  /** Messages arrive. */
  | { readonly status: "joined" }
  /** The server refused. Tried again after a reconnect, and earlier if the error is retryable. */
  | { readonly status: "failed"; readonly error: unknown }
  /** `close()` was called, or the client is closed. */
  | { readonly status: "closed" };

export const SUBSCRIPTIONS = {
  pending: ["joining", "closed"],
  joining: ["joined", "failed", "pending", "closed"],
  joined: ["pending", "closed"],
  failed: ["joining", "pending", "closed"],
  closed: [],
} as const;
