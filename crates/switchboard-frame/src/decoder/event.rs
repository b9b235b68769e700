//! Events of a decoder.

use crate::{Opcode, Violation, is_sendable_close_code};

/// A complete message or control frame, unmasked. Data borrows from the input if it arrived in one
/// piece, otherwise from the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping. Answer it with a pong of the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// The close frame, with code and reason if it has any. No frame may follow it.
    Close(Option<(u16, &'a str)>),
}

impl<'a> Event<'a> {
    /// Creates the event of a whole, unmasked message or control frame.
    pub(super) fn new(opcode: Opcode, payload: &'a [u8]) -> Result<Self, Violation> {
        Ok(match opcode {
            Opcode::Text => Self::Text(text(payload)?),
            Opcode::Binary | Opcode::Continuation => Self::Binary(payload),
            Opcode::Ping => Self::Ping(payload),
            Opcode::Pong => Self::Pong(payload),
            Opcode::Close => match payload.split_first_chunk::<2>() {
                Some((code, reason)) => {
                    let code = u16::from_be_bytes(*code);
                    if !is_sendable_close_code(code) {
                        return Err(Violation::ClosePayload);
                    }
                    Self::Close(Some((code, text(reason)?)))
                }
                None if payload.is_empty() => Self::Close(None),
                None => return Err(Violation::ClosePayload),
            },
        })
    }
}

fn text(bytes: &[u8]) -> Result<&str, Violation> {
    std::str::from_utf8(bytes).map_err(|_| Violation::Utf8)
}
