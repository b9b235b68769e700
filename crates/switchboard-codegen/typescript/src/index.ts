export { connect } from "./client.js";
export type { Client, OnceOptions, SubscribeOptions } from "./client.js";
export {
  ConnectionClosedError,
  ServerError,
  StateError,
  SwitchboardError,
  TimeoutError,
  ValidationError,
} from "./errors.js";
export type { Issue, LossReason, ServerErrorInit, StateReason } from "./errors.js";
export type * from "./api.js";
export type { ConnectionState, End, EndReason } from "./connection/state.js";
export type { TokenPlacement } from "./connection/address.js";
export type { BackoffOptions } from "./connection/backoff.js";
export type { Token, TokenFunction } from "./connection/token.js";
export type { Listener, Unsubscribe } from "./emitter.js";
export type { Clock, Page, SocketConstructor, SocketLike } from "./environment.js";
export type { ErrorContext, Gap, Mismatch, Options } from "./options.js";
export type { QueueOptions } from "./queue.js";
export type { CallContext } from "./request/calls.js";
export type { RequestOptions } from "./request/requests.js";
export type { Stream } from "./stream.js";
export type { SubscriptionState } from "./topic/state.js";
export type { Subscription } from "./topic/subscription.js";
export type { Codec, Frame } from "./wire/codec.js";
