//! Extractors: the arguments of handlers and hooks.
//!
//! A handler takes up to eight extractors and then its message; a hook up to eight extractors.
//!
//! | extractor | value | in hooks |
//! |---|---|---|
//! | [`Conn<D>`](crate::Conn) | the connection | yes |
//! | [`Hub`](crate::Hub) | topics, users and connections | yes |
//! | [`State<T>`](axum::extract::State) | the application's state, or a part of it by `FromRef` | yes |
//! | [`Path<T>`](axum::extract::Path), [`Query<T>`](axum::extract::Query) | from the upgrade request | yes |
//! | [`Extension<T>`](axum::Extension) | a value inserted by middleware, else from the upgrade request | yes |
//! | [`FromUpgrade<T>`] | any other axum extractor, run at the upgrade | yes |
//! | [`Meta`] | the message's `meta` | |
//! | [`ReceivedAt`](crate::ReceivedAt) | when the message arrived | |
//! | [`Deadline`](crate::Deadline) | when the handler is dropped | |
//! | [`Cancelled`](crate::Cancelled) | signals a spawned task that the request is over | |
//! | [`Progress<P>`](crate::Progress) | sends steps of progress of a request | |
//! | [`RawPayload`] | the payload as JSON text | |
//! | your own | [`FromConnParts`] or [`FromMessageParts`] | the former |

mod axum_types;
mod meta;
mod parts;
mod raw_payload;
mod scope;
mod setup;

pub use self::{
    axum_types::FromUpgrade,
    meta::Meta,
    parts::{ConnParts, MessageParts},
    raw_payload::RawPayload,
    setup::Setup,
};
pub(crate) use self::{
    parts::{OptionalParts, Timing},
    scope::StateScope,
    setup::{RequiredExtension, Step, add_steps_of_layer, collect_steps_of_layers},
};

use switchboard_core::WsError;

/// An extractor that needs only the connection: an argument of handlers and hooks.
///
/// ```
/// use switchboard::{Conn, ConnParts, FromConnParts, WsError, ws_message};
///
/// # struct User { roles: Vec<String> }
/// /// Refuses all users but administrators.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be extracted from a connection",
    label = "not an extractor here, with the state `{S}` and the connection data `{D}`",
    note = "hooks and middleware take extractors that need no message: see the table in `switchboard::extract`",
    note = "axum's extractors other than `State`, `Path`, `Query` and `Extension` go into `FromUpgrade<T>`",
    note = "`Conn<D>` must have the connection data `{D}`; `WsRequest` and `Next` are the last arguments of a middleware"
)]
pub trait FromConnParts<S, D>: Sized + Send {
    /// The error that the client gets if extraction fails.
    type Rejection: Into<WsError>;

    /// Extracts the value.
    fn from_conn_parts(parts: &ConnParts<D>, state: &S) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Declares the values to keep from the upgrade. Called when a handler with this argument is added.
    fn setup(_: &mut Setup<S>) {}
}

/// An extractor that needs the message's envelope: an argument of handlers.
///
/// A type implements this or [`FromConnParts`], not both.
pub trait FromMessageParts<S, D>: Sized + Send {
    /// The error that the client gets if extraction fails.
    type Rejection: Into<WsError>;

    /// Extracts the value.
    fn from_message_parts(
        parts: &mut MessageParts<D>,
        state: &S,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Declares the values to keep from the upgrade. Called when a handler with this argument is added.
    fn setup(_: &mut Setup<S>) {}
}
