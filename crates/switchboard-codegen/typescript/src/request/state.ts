/** It waits for a connection. */
export interface QueuedRequest {
  readonly status: "queued";
}
/** It was written to the present connection. */
export interface SentRequest {
  readonly status: "sent";
}
/** It has its answer, or its error. */
export interface SettledRequest {
  readonly status: "settled";
}

export type RequestState = QueuedRequest | SentRequest | SettledRequest;

export const REQUESTS = {
  queued: ["sent", "settled"],
  // Back to the queue when the connection ends and the request has a key.
  sent: ["queued", "settled"],
  settled: [],
} as const;
