//! The macros of [Switchboard](https://docs.rs/switchboard), typed realtime messaging for axum.
//!
//! Applications use them through the crate `switchboard`, which re-exports all of them.
//!
//! | macro | on | writes |
//! |---|---|---|
//! | [`ws_message`] | struct | the derives and `impl Message` |
//! | [`ws_rpc`] | struct | the same, and `impl Request` |
//! | [`ws_payload`] | struct or enum inside a message | the derives |
//! | [`ws_meta`] | struct of keys in `meta` | the derives and `impl MessageMeta` |
//! | [`WsMessage`](derive@WsMessage) | struct | `impl Message` and `impl Request`, no derives |
//! | [`WsMessages`](derive@WsMessages) | enum of messages | `impl MessageSet` and `impl MemberOf` |
//! | [`ws_handlers`] | impl block | the method `router` |
//! | [`ws_handler`] | function | nothing, but checks it with better errors |
//!
//! Everything that they generate can be written by hand. They report all mistakes at once, each at
//! the wrong token, and keep the item beside the errors.

mod attributes;
mod errors;
mod handlers;
mod krate;
mod message;
mod rules;
mod sets;
#[cfg(test)]
mod testing;
mod types;

use proc_macro::TokenStream;

use self::{
    attributes::cfg,
    handlers::function,
    krate::Krate,
    types::{meta, payload},
};

/// Makes a struct a message with a type tag.
///
/// Adds `Serialize` and `Deserialize` with camelCase names, `Validate` if there is a
/// `#[validate(…)]`, and `JsonSchema` with the feature `schema`, each unless the struct derives it
/// itself, and writes `impl Message`. The application needs none of these crates as a dependency.
///
/// # Arguments
///
/// - `"TYPE"`: the type tag, 1–128 bytes without control characters. `$ws:…`, `__…`, `ERROR` and
///   `RPC_ERROR` are reserved for the protocol.
/// - `rename_all = "…"`: the case of the wire names, with serde's values; `camelCase` by default.
///   `#[serde(rename_all = "…")]` on the struct does the same.
/// - `allow_unknown`: a server ignores keys that the struct does not have, instead of refusing
///   them.
/// - `meta = Type`: keys that the message declares in `meta`, see [`ws_meta`].
/// - `crate = path`: the path of `switchboard`, for crates that re-export it.
///
/// On a field, `#[ws(string)]` sends an integer as a string, and `#[ws(safe)]` declares that it stays below 2^53:
/// JavaScript's numbers are exact up to there, so a TypeScript client is not generated from an unbounded `u64`.
/// The same on fields of [`ws_payload`] and [`ws_meta`].
///
/// # Requirements
///
/// - A struct with named fields, or a unit struct for a message without payload. `struct X {}` has
///   an empty payload that may be left out.
/// - No generic parameters: each tag has one type.
/// - The types of fields implement the same traits; [`ws_payload`] adds them.
/// - It is above a `#[derive(…)]` of the same traits; it does not see one above itself.
///
/// # Examples
///
/// ```
/// use switchboard::{Message, ws_message};
///
/// #[ws_message("JOIN_ROOM")]
/// struct JoinRoom {
///     #[validate(length(min = 1, max = 50))]
///     room_id: String,
/// }
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// assert_eq!(JoinRoom::TYPE, "JOIN_ROOM");
/// let issues = JoinRoom { room_id: String::new() }.validate().unwrap_err();
/// assert_eq!(issues.iter().next().unwrap().path(), "roomId");
/// assert!(!Ping::HAS_PAYLOAD);
/// ```
#[proc_macro_attribute]
pub fn ws_message(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand_ws_message(Krate::Switchboard, attr.into(), item.into()).into()
}

/// Makes a struct a request: a message that is answered with one response or one error.
///
/// Alone it does everything that [`ws_message`] does. Beside `#[ws_message("TYPE")]`, in either
/// order, it adds what makes the message a request.
///
/// # Arguments
///
/// - `"TYPE"`: the type tag, unless the `ws_message` beside it has one.
/// - `response = Type`: the message that answers a call. Required.
/// - `progress = Type`: the progress that a handler may report.
/// - `rename_all`, `allow_unknown`, `meta` and `crate` as for [`ws_message`].
///
/// # Requirements
///
/// - Those of [`ws_message`].
/// - The response is a message. The progress type need not be one: [`ws_payload`] is enough.
///
/// # Examples
///
/// ```
/// use switchboard::{ws_message, ws_payload, ws_rpc};
///
/// #[ws_message("SUM")]
/// struct Sum {
///     result: f64,
/// }
///
/// #[ws_payload]
/// struct Step {
///     done: usize,
/// }
///
/// #[ws_rpc("ADD", response = Sum)]
/// struct Add {
///     a: f64,
///     b: f64,
/// }
///
/// #[ws_message("ADD_ALL")]
/// #[ws_rpc(response = Sum, progress = Step)]
/// struct AddAll {
///     values: Vec<f64>,
/// }
///
/// async fn add(msg: Add) -> Sum {
///     Sum { result: msg.a + msg.b }
/// }
/// # let _ = (switchboard::WsRouter::<(), ()>::new().on(add), |all: AddAll, step: Step| (all.values, step.done));
/// ```
#[proc_macro_attribute]
pub fn ws_rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand_ws_rpc(Krate::Switchboard, attr.into(), item.into()).into()
}

/// Gives a type inside a message what the message itself gets from [`ws_message`]: `Serialize` and
/// `Deserialize` with camelCase names, `Validate` if there is a `#[validate(…)]`, `JsonSchema` with
/// the feature `schema`, each unless the type derives it itself.
///
/// # Arguments
///
/// - `rename_all = "…"`: the case of the wire names, with serde's values; `camelCase` by default.
///   For an enum, of its variants and their fields.
/// - `crate = path`: the path of `switchboard`.
///
/// # Requirements
///
/// - A struct or an enum.
/// - The rules of a nested type are checked if the field has `#[validate(nested)]`.
///
/// # Examples
///
/// ```
/// use switchboard::{Message, ws_message, ws_payload};
///
/// #[ws_message("POST")]
/// struct Post {
///     kind: Kind,
///     #[validate(nested)]
///     attachment: Attachment,
/// }
///
/// #[ws_payload]
/// struct Attachment {
///     #[validate(range(min = 1))]
///     byte_length: u64,
/// }
///
/// #[ws_payload]
/// enum Kind {
///     Note,
///     Question,
/// }
///
/// let post = Post { kind: Kind::Note, attachment: Attachment { byte_length: 0 } };
/// let issues = post.validate().unwrap_err();
/// assert_eq!(issues.iter().next().unwrap().path(), "attachment.byteLength");
/// # let _ = Kind::Question;
/// ```
#[proc_macro_attribute]
pub fn ws_payload(attr: TokenStream, item: TokenStream) -> TokenStream {
    payload::expand_ws_payload(Krate::Switchboard, attr.into(), item.into()).into()
}

/// Makes a struct the keys that a message declares in `meta`.
///
/// Adds the same derives as [`ws_payload`] and writes `impl MessageMeta`.
///
/// # Arguments
///
/// - `rename_all = "…"` and `crate = path` as for [`ws_payload`].
///
/// # Requirements
///
/// - A struct with named fields and without generic parameters.
/// - No field whose wire name is `clientId` or `receivedAt`, which the server sets, or `timestamp`,
///   `correlationId`, `timeoutMs` or `idempotencyKey`, which belong to the protocol.
///
/// # Examples
///
/// ```
/// use switchboard::{ws_message, ws_meta};
///
/// #[ws_meta]
/// struct RoomMeta {
///     #[validate(length(min = 1))]
///     room_id: String,
/// }
///
/// #[ws_message("NOTE", meta = RoomMeta)]
/// struct Note {
///     text: String,
/// }
/// # let _ = |note: Note, meta: RoomMeta| (note.text, meta.room_id);
/// ```
#[proc_macro_attribute]
pub fn ws_meta(attr: TokenStream, item: TokenStream) -> TokenStream {
    meta::expand_ws_meta(Krate::Switchboard, attr.into(), item.into()).into()
}

#[doc = include_str!("../docs/ws_message_derive.md")]
#[proc_macro_derive(WsMessage, attributes(ws, validate))]
pub fn derive_ws_message(item: TokenStream) -> TokenStream {
    message::expand_derive_ws_message(Krate::Switchboard, item.into()).into()
}

/// Makes an enum the set of messages that may be sent to a connection.
///
/// Each variant holds one message. With `WsRouter::sending::<ServerMessage>()`, sending a message
/// that is not in the set does not compile. The enum itself is only a list and is never sent.
///
/// # Arguments
///
/// In `#[ws(…)]` on the enum:
///
/// - `crate = path`: the path of `switchboard`.
///
/// # Requirements
///
/// - An enum without generic parameters, whose variants have the form `Name(Message)`.
/// - No message twice.
///
/// # Examples
///
/// ```
/// use switchboard::{MemberOf, WsMessages, ws_message};
///
/// #[ws_message("USER_JOINED")]
/// struct UserJoined {
///     username: String,
/// }
///
/// #[ws_message("USER_LEFT")]
/// struct UserLeft;
///
/// #[derive(WsMessages)]
/// enum ServerMessage {
///     UserJoined(UserJoined),
///     UserLeft(UserLeft),
/// }
///
/// fn send(_: impl MemberOf<ServerMessage>) {}
/// send(UserLeft);
/// # let _ = |joined: UserJoined| joined.username;
/// ```
#[proc_macro_derive(WsMessages, attributes(ws))]
pub fn derive_ws_messages(item: TokenStream) -> TokenStream {
    sets::expand_derive_ws_messages(Krate::Switchboard, item.into()).into()
}

#[doc = include_str!("../docs/ws_handlers.md")]
#[proc_macro_attribute]
pub fn ws_handlers(attr: TokenStream, item: TokenStream) -> TokenStream {
    handlers::expand_ws_handlers(attr.into(), item.into()).into()
}

/// Checks that a function is a handler, with errors that point at the cause.
///
/// Without it, the compiler reports at `router.on(function)` that the function is not a handler,
/// often without the reason. The function is not changed and has no cost at run time.
///
/// # Arguments
///
/// - `state = Type`, `data = Type`: the router's state and the data of its connections. With either
///   of them, the extractors are checked, too; the other one is `()` by default.
/// - `out = Type`: the set of messages that may be sent; any message by default.
/// - `crate = path`: the path of `switchboard`.
///
/// # Requirements
///
/// - An `async fn` without `self` and generic parameters.
/// - At most eight extractors, and the message as the last argument.
/// - A future that is `Send`.
///
/// # Examples
///
/// ```
/// use switchboard::{Conn, WsError, ws_handler, ws_message};
///
/// struct User;
///
/// #[ws_message("SAY")]
/// struct Say {
///     text: String,
/// }
///
/// #[ws_handler(data = User)]
/// async fn say(conn: Conn<User>, msg: Say) -> Result<(), WsError> {
///     conn.send(msg)?;
///     Ok(())
/// }
/// # let _ = |say: Say| say.text;
/// ```
#[proc_macro_attribute]
pub fn ws_handler(attr: TokenStream, item: TokenStream) -> TokenStream {
    function::expand_ws_handler(attr.into(), item.into()).into()
}

/// [`macro@ws_message`] for crates that depend only on `switchboard-core`, which re-exports it
/// under that name. Same arguments, same requirements.
#[proc_macro_attribute]
pub fn core_ws_message(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand_ws_message(Krate::Core, attr.into(), item.into()).into()
}

/// [`macro@ws_rpc`] for crates that depend only on `switchboard-core`, which re-exports it under
/// that name. Same arguments, same requirements.
#[proc_macro_attribute]
pub fn core_ws_rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand_ws_rpc(Krate::Core, attr.into(), item.into()).into()
}

/// [`macro@ws_payload`] for crates that depend only on `switchboard-core`, which re-exports it
/// under that name. Same arguments, same requirements.
#[proc_macro_attribute]
pub fn core_ws_payload(attr: TokenStream, item: TokenStream) -> TokenStream {
    payload::expand_ws_payload(Krate::Core, attr.into(), item.into()).into()
}

/// [`macro@ws_meta`] for crates that depend only on `switchboard-core`, which re-exports it under
/// that name. Same arguments, same requirements.
#[proc_macro_attribute]
pub fn core_ws_meta(attr: TokenStream, item: TokenStream) -> TokenStream {
    meta::expand_ws_meta(Krate::Core, attr.into(), item.into()).into()
}

/// [`derive@WsMessage`] for crates that depend only on `switchboard-core`, which re-exports it
/// under that name. Same arguments, same requirements.
#[proc_macro_derive(CoreWsMessage, attributes(ws, validate))]
pub fn derive_core_ws_message(item: TokenStream) -> TokenStream {
    message::expand_derive_ws_message(Krate::Core, item.into()).into()
}

/// [`derive@WsMessages`] for crates that depend only on `switchboard-core`, which re-exports it
/// under that name. Same arguments, same requirements.
#[proc_macro_derive(CoreWsMessages, attributes(ws))]
pub fn derive_core_ws_messages(item: TokenStream) -> TokenStream {
    sets::expand_derive_ws_messages(Krate::Core, item.into()).into()
}

/// Evaluates `#[cfg]` and `#[cfg_attr]` inside items for the attribute macros. Not API.
#[doc(hidden)]
#[proc_macro_derive(Evaluate, attributes(__switchboard))]
pub fn derive_evaluate(item: TokenStream) -> TokenStream {
    cfg::expand_evaluate(item.into()).into()
}
