//! The messages between client and server.

use switchboard::ws_message;

/// Sent to all who have joined `global`, who get the same message.
#[ws_message("CHAT_MESSAGE")]
pub(crate) struct ChatMessage {
    #[validate(length(min = 1, max = 200))]
    pub(crate) text: String,
}

/// Joins a channel.
#[ws_message("JOIN_CHANNEL")]
pub(crate) struct JoinChannel {
    pub(crate) channel: String,
}

/// The answer.
#[ws_message("JOIN_SUCCESS")]
pub(crate) struct JoinSuccess {
    pub(crate) channel: String,
}

/// A client started typing: to all others in `global`.
#[ws_message("TYPING_START")]
pub(crate) struct TypingStart;

/// A client stopped typing.
#[ws_message("TYPING_STOP")]
pub(crate) struct TypingStop;
