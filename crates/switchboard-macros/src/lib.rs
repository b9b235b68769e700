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

// The examples are tested by `tests/macros`, because they need `switchboard`, which depends on this crate.

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

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_message.md"))]
#[proc_macro_attribute]
pub fn ws_message(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand_ws_message(Krate::Switchboard, attr.into(), item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_rpc.md"))]
#[proc_macro_attribute]
pub fn ws_rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    message::expand_ws_rpc(Krate::Switchboard, attr.into(), item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_payload.md"))]
#[proc_macro_attribute]
pub fn ws_payload(attr: TokenStream, item: TokenStream) -> TokenStream {
    payload::expand_ws_payload(Krate::Switchboard, attr.into(), item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_meta.md"))]
#[proc_macro_attribute]
pub fn ws_meta(attr: TokenStream, item: TokenStream) -> TokenStream {
    meta::expand_ws_meta(Krate::Switchboard, attr.into(), item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_message_derive.md"))]
#[proc_macro_derive(WsMessage, attributes(ws, validate))]
pub fn derive_ws_message(item: TokenStream) -> TokenStream {
    message::expand_derive_ws_message(Krate::Switchboard, item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_messages_derive.md"))]
#[proc_macro_derive(WsMessages, attributes(ws))]
pub fn derive_ws_messages(item: TokenStream) -> TokenStream {
    sets::expand_derive_ws_messages(Krate::Switchboard, item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_handlers.md"))]
#[proc_macro_attribute]
pub fn ws_handlers(attr: TokenStream, item: TokenStream) -> TokenStream {
    handlers::expand_ws_handlers(attr.into(), item.into()).into()
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/ws_handler.md"))]
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
