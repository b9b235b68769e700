//! Connections.

// rustdoc lists the methods of `Conn` in the order of its modules: the most used come first.
mod handle;

mod topics;

mod call;

mod activity;
mod cold;
mod conn_ref;
mod control;
mod error;
mod heartbeat;
mod id;
mod identity;
mod inner;
mod raw;
mod reply;

#[cfg(feature = "cluster")]
pub(crate) use self::{call::call_serialised, inner::gap_frame};
pub(crate) use self::{
    call::{Answer, NoAnswer, PREFIX as CALL_PREFIX, call, read_answer},
    cold::{LayerState, LayerStateKey},
    inner::{AnyConn, ConnInner, ConnOrigin, Dialect, RouteSettings, Signal, UpgradeValue, UpgradeValues},
    reply::{Replied, reply},
};
pub use self::{
    call::{Call, CallError, CallErrorKind, CallFuture},
    cold::{Attributes, TooManyAttributes},
    conn_ref::ConnRef,
    error::{SendError, SendErrorKind},
    handle::Conn,
    id::{ConnId, InvalidConnId},
    identity::{Identity, RefreshToken},
    raw::RawText,
};
