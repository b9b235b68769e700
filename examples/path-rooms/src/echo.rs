//! `/ws/echo`: the smallest route.

use std::sync::Arc;

use switchboard::{EnvelopeStyle, WsMessages, WsRouter, ws_message};

use crate::{now_ms, occupancy::Occupancy};

#[ws_message("echo")]
struct Echo {
    message: String,
}

#[ws_message("message")]
pub(crate) struct Message {
    content: String,
    timestamp: u64,
}

/// The messages that this route may send.
#[derive(WsMessages)]
pub(crate) enum ServerMessage {
    Message(Message),
}

pub(crate) fn ws() -> WsRouter<Arc<Occupancy>, (), ServerMessage> {
    WsRouter::<_, ()>::sending::<ServerMessage>().envelope(EnvelopeStyle::Flat).on(echo)
}

async fn echo(msg: Echo) -> Message {
    Message { content: msg.message, timestamp: now_ms() }
}
