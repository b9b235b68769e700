//! Dispatch: the table of handlers and hooks, and the path of a message through layers and
//! idempotency to its handler.

mod handling;
mod hooks;
mod idempotency;
mod routed;
mod routing;
mod table;

pub(crate) use self::{
    handling::Handling,
    hooks::{Hooks, OneHook, set_once},
    idempotency::Idempotency,
    routed::Routed,
    routing::Routing,
    table::{Needs, Route, Table},
};
