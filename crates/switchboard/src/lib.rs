//! Typed realtime messaging for axum.

#![forbid(unsafe_code)]

mod clock;
mod config;
mod conn;
mod encode;
mod engine;
pub mod extract;
mod handler;
mod hub;
mod router;
mod transport;
mod upgrade;

#[doc(inline)]
pub use self::{
    config::Config,
    conn::{Conn, ConnId, SendError, SendErrorKind},
    extract::{ConnParts, FromConnParts, FromMessageParts, MessageParts, Meta, Setup, Upgrade},
    handler::{
        Argument, Arguments, CloseReason, ClosedBy, Failure, Handler, HandlerFn, Hook, HookArgument, HookArguments,
        HookOutput, RawText,
    },
    hub::{Hub, HubStats, Matched, Publish, PublishError, PublishErrorKind, Published, TopicError, TopicErrorKind},
    router::{Endpoint, MountedRouter, WsRouter, ws_route},
    upgrade::{
        Authenticated, Authenticator, BearerToken, BearerTokenRejection, Open, OriginPolicy, Produces, TokenSources,
    },
};
pub use switchboard_core::{
    AnyMessage, BoxError, CloseCode, ErrorCode, Event, Issue, Issues, Kind, MemberOf, Message, MessageMeta, MessageSet,
    Reply, Request, Rpc, WsError,
};
pub use switchboard_macros::{WsMessage, WsMessages, ws_handler, ws_handlers, ws_message, ws_meta, ws_payload, ws_rpc};

/// What the macros refer to. Not API: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use switchboard_core::{
        __private::*, AnyMessage, Event, Issues, MemberOf, Message, MessageMeta, MessageSet, RESERVED_META_KEYS, Reply,
        Request, Rpc, check_type_tag, validate,
    };

    pub use crate::{Argument, WsRouter};
}
