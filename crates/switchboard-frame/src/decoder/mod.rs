//! Decodes bytes into events.

mod event;
mod partial;

use bytes::{Bytes, BytesMut};

pub use self::event::Event;
use self::partial::{Done, Partial};
use crate::{Opcode, Role, Violation, apply_mask, header::Header};

/// Limits on what a peer may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    max_message_bytes: usize,
    max_fragments: u32,
}

/// 64 KiB in at most 1024 fragments.
impl Default for Limits {
    fn default() -> Self {
        Self { max_message_bytes: 64 * 1024, max_fragments: 1024 }
    }
}

impl Limits {
    /// Sets the most bytes of one message, all fragments together.
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// Sets the most frames of one message, empty ones included. At least one.
    pub const fn max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = if fragments == 0 { 1 } else { fragments };
        self
    }
}

/// The result of one call of [`Decoder::decode`].
#[derive(Debug)]
pub struct Decoded<'a> {
    /// How many bytes of the input were consumed: all, if there is no event.
    pub consumed: usize,
    /// The event that these bytes completed. `None` if more bytes are needed.
    pub event: Option<Event<'a>>,
}

/// An incremental decoder. The same bytes give the same events and violations, however they are split.
///
/// Between frames it holds no memory. A frame that is complete in the input is neither copied nor
/// allocated for. For an incomplete one, memory grows with the bytes that arrive, not with the length
/// in its header. After a close frame or a violation, all input is ignored.
///
/// Time is linear in the bytes that arrive, and memory at most twice their number, for portions and
/// fragments of any size.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    limits: Limits,
    closed: bool,
    partial: Option<Box<Partial>>,
    /// The data that the last event borrows; freed at the next call.
    delivered: Option<Bytes>,
}

impl Decoder {
    /// Creates a decoder for a new connection.
    #[must_use]
    pub fn new(role: Role, limits: Limits) -> Self {
        Self { role, limits, closed: false, partial: None, delivered: None }
    }

    /// Returns whether a frame or a fragmented message is incomplete. The caller limits its age.
    #[must_use]
    pub fn is_midway(&self) -> bool {
        self.partial.is_some()
    }

    /// Returns how many bytes of an incomplete message are buffered.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.buffered())
    }

    /// Decodes up to one event. Call it again with the rest of the input until none is left.
    ///
    /// The input is unmasked in place.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke. The decoder then drops its buffer and ignores all input.
    pub fn decode<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Decoded<'a>, Violation> {
        self.delivered = None;
        if self.closed {
            return Ok(Decoded { consumed: input.len(), event: None });
        }
        if self.partial.is_none() {
            let parsed = Header::parse(input, self.role, false).map_err(|violation| self.fail(violation))?;
            let Some((header, start)) = parsed else { return self.decode_portion(input) };
            let whole = usize::try_from(header.len).ok().and_then(|len| start.checked_add(len));
            let whole = whole.filter(|end| header.fin && *end <= input.len());
            if !header.opcode.is_control() && header.len > self.limits.max_message_bytes as u64 {
                return Err(self.fail(Violation::MessageTooLong));
            }
            let Some(end) = whole else { return self.decode_portion(input) };
            let payload = &mut input[start..end];
            if let Some(key) = header.mask {
                apply_mask(payload, key, 0);
            }
            self.closed = header.opcode == Opcode::Close;
            let event = Event::new(header.opcode, payload).map_err(|violation| self.fail(violation))?;
            return Ok(Decoded { consumed: end, event: Some(event) });
        }
        self.decode_portion(input)
    }

    /// Decodes a frame that is not complete in the input.
    fn decode_portion(&mut self, input: &mut [u8]) -> Result<Decoded<'_>, Violation> {
        if input.is_empty() {
            return Ok(Decoded { consumed: 0, event: None });
        }
        let partial = self.partial.get_or_insert_default();
        let fed = partial.feed(self.role, self.limits, input);
        let (consumed, done) = fed.map_err(|violation| self.fail(violation))?;
        self.finish(consumed, done)
    }

    /// Returns the buffer that the rest of an incomplete data frame can be read into, and how many bytes
    /// to read. This saves the copy of [`decode`](Self::decode) for large messages. Call
    /// [`appended`](Self::appended) afterwards.
    pub fn payload_buffer(&mut self) -> Option<(&mut BytesMut, usize)> {
        self.partial.as_mut()?.payload_buffer()
    }

    /// Reports that `len` bytes were appended to the [`payload_buffer`](Self::payload_buffer), at most as
    /// many as it asked for. Returns the message if it is complete.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn appended(&mut self, len: usize) -> Result<Option<Event<'_>>, Violation> {
        self.delivered = None;
        let Some(partial) = &mut self.partial else { return Ok(None) };
        let appended = partial.appended(len);
        let done = appended.map_err(|violation| self.fail(violation))?;
        self.finish(0, done).map(|decoded| decoded.event)
    }

    /// Takes the payload of the last event, if the decoder owns it.
    pub fn take_delivered(&mut self) -> Option<Bytes> {
        self.delivered.take()
    }

    fn finish(&mut self, consumed: usize, done: Option<Done>) -> Result<Decoded<'_>, Violation> {
        // Also if the close frame is invalid. Data that arrived in portions has passed all checks.
        self.closed = done.as_ref().is_some_and(|done| done.opcode == Opcode::Close);
        if self.closed || self.partial.as_ref().is_some_and(|partial| partial.is_idle()) {
            self.partial = None;
        }
        let Some(Done { opcode, payload }) = done else { return Ok(Decoded { consumed, event: None }) };
        let payload = self.delivered.insert(payload);
        Ok(Decoded { consumed, event: Some(Event::new(opcode, payload)?) })
    }

    /// RFC 6455, section 7.1.7: nothing is processed after the connection failed.
    fn fail(&mut self, violation: Violation) -> Violation {
        self.closed = true;
        self.partial = None;
        violation
    }
}

#[cfg(test)]
mod tests;
