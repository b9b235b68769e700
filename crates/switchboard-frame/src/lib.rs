//! WebSocket frames (RFC 6455) without I/O: bytes in, frames out, and the reverse.
//!
//! [`Decoder`] accepts bytes in portions of any size and returns the same frames for each split.
//! It checks everything that the RFC asks of a receiver, and the limits of [`Limits`], as early as
//! possible: a message that is too long is refused at its header, text that is not UTF-8 at its first
//! invalid byte. [`encode`] writes frames.
//!
//! ```
//! use switchboard_frame::{Decoder, Event, Limits, Role};
//!
//! let mut decoder = Decoder::new(Role::Server, Limits::default());
//! let mut input = *b"\x81\x82\x00\x00\x00\x00hi";
//! let decoded = decoder.decode(&mut input)?;
//! assert_eq!(decoded.consumed, 8);
//! assert!(matches!(decoded.event, Some(Event::Text("hi"))));
//! # Ok::<(), switchboard_frame::Violation>(())
//! ```

mod close;
mod decoder;
pub mod encode;
pub mod handshake;
mod header;
mod mask;
mod utf8;
mod violation;

pub use self::{
    close::is_sendable_close_code,
    decoder::{Decoded, Decoder, Event, Limits},
    header::{MAX_HEADER_LEN, Opcode},
    mask::apply_mask,
    violation::Violation,
};

/// The side of the connection that decodes: a server receives masked frames and sends unmasked
/// ones, a client the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Accepts connections.
    Server,
    /// Opens connections.
    Client,
}
