//! What happens around handlers: [`tower`] layers over messages.
//!
//! [`WsRouter::layer`](crate::WsRouter::layer) puts a layer around all routes that were added before
//! it, [`RouteOptions::layer`](crate::RouteOptions::layer) around one. Any [`tower::Layer`] fits whose
//! service takes a [`WsRequest`] and gives a [`WsReply`]: those of tower for timeouts, load shedding
//! and concurrency, and the ones here.
//!
//! | layer | what for |
//! |---|---|
//! | [`from_fn`] | anything, as an async function |
//! | [`guard`] | who may send a message |
//! | [`RateLimitLayer`] | how often |
//! | [`TraceLayer`] | one event in the log for each message, with its duration |
//! | `MetricsLayer` (feature `metrics`) | a histogram of durations |
//!
//! The guide [`middleware`](crate::guide::middleware) has the order in which layers run, with a picture.

mod checked;
mod from_fn;
mod guard;
mod layer;
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
    from_fn::{FromFn, FromFnLayer, Next, from_fn},
    guard::{Guard, GuardLayer, Verdict, guard},
    layer::MessageLayer,
    no_layer::NoLayer,
    rate_limit::{Limited, RateLimit, RateLimitLayer},
    reply::WsReply,
    request::WsRequest,
    service::{Route, RouteFuture},
    timed::{Timed, TimedFuture, TraceLayer},
};
