//! Middleware: [`tower`] layers around handlers.
//!
//! [`WsRouter::layer`](crate::WsRouter::layer) wraps all handlers added before it,
//! [`RouteOptions::layer`](crate::RouteOptions::layer) wraps one. Any [`tower::Layer`] works whose
//! service takes a [`WsRequest`] and returns a [`WsReply`]: tower's for timeouts, load shedding and
//! concurrency, and those of this module.
//!
//! | layer | effect |
//! |---|---|
//! | [`from_fn`] | runs an async function around the handler |
//! | [`guard`] | passes messages that a check allows |
//! | [`RateLimitLayer`] | limits the rate of messages |
//! | [`TraceLayer`] | logs an event for each message, with its duration |
//! | `MetricsLayer` (feature `metrics`) | records a histogram of durations |
//!
//! The guide [`middleware`](crate::guide::middleware) shows the order in which layers run.

mod checked;
mod from_fn;
mod function;
mod guard;
mod layer;
mod next;
mod no_layer;
mod rate_limit;
mod reply;
mod request;
mod service;
mod timed;

#[cfg(feature = "metrics")]
pub use self::timed::MetricsLayer;
pub use self::{
    checked::CheckedFuture,
    from_fn::{FromFn, FromFnLayer, from_fn, from_fn_with_state},
    function::{Middleware, MiddlewareArguments},
    guard::{Guard, GuardLayer, Verdict, guard},
    layer::MessageLayer,
    next::Next,
    no_layer::NoLayer,
    rate_limit::{Limited, RateLimit, RateLimitLayer, StoreFallback},
    reply::WsReply,
    request::WsRequest,
    service::{Route, RouteFuture},
    timed::{Timed, TimedFuture, TraceLayer},
};
#[doc(inline)]
pub use switchboard_core::rate_limit::{
    RateLimitBucket, RateLimitFuture, RateLimitOutcome, RateLimitStore, RateLimitStoreError,
};
