/** The state of a subscription, for the application. */
export type SubscriptionState =
  /** There is no connection that could carry it. */
  | { readonly status: "pending" }
  /** The server was asked. */
  | { readonly status: "joining" }
  /** Messages arrive. */
  | { readonly status: "joined" }
  /** The server refused. It is asked again after the next reconnect, and before that if the error is retryable. */
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
