//! The examples of the macros' documentation, as tests.
//!
//! They and the tests beside them are not in `switchboard-macros`: what the tests of a crate of macros need is built as
//! for a build script, so `switchboard` and all that it needs would be built a second time, with other features.

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_handler.md")]
mod ws_handler {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_handlers.md")]
mod ws_handlers {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_message.md")]
mod ws_message {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_message_derive.md")]
mod ws_message_derive {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_messages_derive.md")]
mod ws_messages_derive {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_meta.md")]
mod ws_meta {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_payload.md")]
mod ws_payload {}

#[cfg(doctest)]
#[doc = include_str!("../../../crates/switchboard-macros/docs/ws_rpc.md")]
mod ws_rpc {}
