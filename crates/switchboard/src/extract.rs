//! Extractors: what handlers and hooks may take as arguments.
//!
//! | argument | what it is | hooks too |
//! |---|---|---|
//! | [`Conn<D>`](crate::Conn) | the connection | yes |
//! | [`State<T>`](axum::extract::State) | the application's state, or a part of it by `FromRef` | yes |
//! | [`Extension<T>`](axum::Extension) | an extension of the upgrade's request | yes |
//! | [`Path<T>`](axum::extract::Path), [`Query<T>`](axum::extract::Query) | parameters of the upgrade's request | yes |
//! | [`FromUpgrade<T>`] | any other axum extractor, run at the upgrade | yes |
//! | [`Hub`](crate::Hub) | topics | yes |
//! | [`Meta`] | the `meta` of the message | |
//! | [`ReceivedAt`](crate::ReceivedAt) | when the message came | |
//! | [`Deadline`](crate::Deadline) | when the handler will be dropped | |
//! | [`Cancelled`](crate::Cancelled) | tells spawned work that nobody waits for it | |
//! | [`Progress<P>`](crate::Progress) | reports how far a request has come; `P` as it declares | |
//! | [`RawPayload`] | the payload as it came | |
//! | your own | see [`FromConnParts`] and [`FromMessageParts`] | the first |
//! | the message | last, required in handlers | |
//!
//! A handler takes up to eight of these and then the message.

mod axum_types;
mod from_middleware;
mod meta;
mod parts;
mod raw_payload;
mod scope;
mod setup;

pub use self::{
    axum_types::FromUpgrade,
    from_middleware::FromMiddleware,
    meta::Meta,
    parts::{ConnParts, MessageParts},
    raw_payload::RawPayload,
    setup::Setup,
};
pub(crate) use self::{
    parts::{Special, Timing},
    scope::StateScope,
    setup::Step,
};

use switchboard_core::WsError;

/// Something that can be made from a connection: an argument of handlers and of hooks.
///
/// This is how an application extends what its handlers see:
///
/// ```
/// use switchboard::{Conn, ConnParts, FromConnParts, WsError, ws_message};
///
/// # struct User { roles: Vec<String> }
/// /// Only for administrators.
/// struct Admin;
///
/// impl<S: Sync> FromConnParts<S, User> for Admin {
///     type Rejection = WsError;
///
///     async fn from_conn_parts(parts: &ConnParts<User>, _: &S) -> Result<Self, WsError> {
///         if parts.data().roles.iter().any(|role| role == "admin") {
///             Ok(Self)
///         } else {
///             Err(WsError::permission_denied("Admin access required"))
///         }
///     }
/// }
///
/// # #[ws_message("BAN")] struct Ban { user: String }
/// async fn ban(_: Admin, conn: Conn<User>, ban: Ban) { /* … */ }
/// # let _ = switchboard::WsRouter::<(), User>::new().on(ban);
/// ```
///
/// A type implements this or [`FromMessageParts`], not both.
pub trait FromConnParts<S, D>: Sized + Send {
    /// What is sent instead of calling the handler.
    type Rejection: Into<WsError>;

    /// Makes the value.
    fn from_conn_parts(parts: &ConnParts<D>, state: &S) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Called once, when a handler with this argument is added: says what to keep of the upgrade.
    fn setup(_: &mut Setup<S>) {}
}

/// Something that can be made from a message's envelope: an argument of handlers only.
///
/// A type implements this or [`FromConnParts`], not both.
pub trait FromMessageParts<S, D>: Sized + Send {
    /// What is sent instead of calling the handler.
    type Rejection: Into<WsError>;

    /// Makes the value.
    fn from_message_parts(
        parts: &mut MessageParts<D>,
        state: &S,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Called once, when a handler with this argument is added: says what to keep of the upgrade.
    fn setup(_: &mut Setup<S>) {}
}
