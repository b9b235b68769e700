//! Frame headers.

use crate::{Role, Violation};

/// The longest header: two bytes, eight of length, four of mask.
pub const MAX_HEADER_LEN: usize = 14;

/// The type of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation = 0x0,
    /// Text, or its first fragment.
    Text = 0x1,
    /// Bytes, or their first fragment.
    Binary = 0x2,
    /// The last frame.
    Close = 0x8,
    /// A ping, which the peer answers with a pong.
    Ping = 0x9,
    /// The answer to a ping, or an unsolicited pong.
    Pong = 0xa,
}

impl Opcode {
    /// Returns whether this is a close, ping or pong frame.
    #[must_use]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }
}

/// A frame's header, checked without its context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    pub(crate) len: u64,
    pub(crate) mask: Option<[u8; 4]>,
}

impl Header {
    /// Reads a header that this crate wrote, without checking it against earlier frames.
    pub(crate) fn parse_plain(bytes: &[u8]) -> Option<(Self, usize)> {
        let continues = bytes.first().is_some_and(|first| first & 0x0f == 0);
        Self::parse(bytes, Role::Client, continues).ok().flatten()
    }

    /// Reads the header at the start of `bytes`, and its length. Returns `None` if bytes are
    /// missing. A violation is returned as early as the bytes show it, so that portions make no
    /// difference. `mid_message`: whether a data message has begun and not ended.
    #[inline]
    pub(crate) fn parse(bytes: &[u8], role: Role, mid_message: bool) -> Result<Option<(Self, usize)>, Violation> {
        let [first, rest @ ..] = bytes else { return Ok(None) };
        let fin = first & 0x80 != 0;
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(Violation::UnknownOpcode)?;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControlFrame);
        }
        match (opcode, mid_message) {
            (Opcode::Continuation, false) => return Err(Violation::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, true) => return Err(Violation::ExpectedContinuation),
            _ => {}
        }
        let [second, rest @ ..] = rest else { return Ok(None) };
        let masked = second & 0x80 != 0;
        if masked != (role == Role::Server) {
            return Err(Violation::Mask);
        }
        let short = second & 0x7f;
        if opcode.is_control() && short > 125 {
            return Err(Violation::LongControlFrame);
        }
        let (len, rest) = match short {
            126 => {
                let Some((bytes, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*bytes)), rest)
            }
            127 => {
                let Some((bytes, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
                (u64::from_be_bytes(*bytes), rest)
            }
            short => (u64::from(short), rest),
        };
        if len >> 63 != 0 {
            return Err(Violation::Length);
        }
        // RFC 6455, section 5.2: the minimal number of bytes must be used.
        if (short == 126 && len < 126) || (short == 127 && len < 0x1_0000) {
            return Err(Violation::LongLengthForm);
        }
        let (mask, rest) = if masked {
            let Some((mask, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
            (Some(*mask), rest)
        } else {
            (None, rest)
        };
        Ok(Some((Self { fin, opcode, len, mask }, bytes.len() - rest.len())))
    }
}
