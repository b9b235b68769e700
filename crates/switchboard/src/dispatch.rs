//! From a message to its handler: the route table, the layers of a route, keys of idempotency, and
//! the hooks beside it.

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
    table::{Route, Table},
};
