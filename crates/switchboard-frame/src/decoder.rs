//! From bytes to frames.

mod event;
mod partial;

use bytes::{Bytes, BytesMut};

pub use self::event::Event;
use self::partial::{Done, Partial};
use crate::{Opcode, Role, Violation, apply_mask, header::Header};

/// What a peer may send at most.
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
    /// The bytes of one message, all fragments together.
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// The frames that one message may come in, empty ones included. At least one.
    pub const fn max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = if fragments == 0 { 1 } else { fragments };
        self
    }
}

/// What one call of [`Decoder::decode`] did.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// How many bytes of the input are done with. All, if there is no event.
    pub consumed: usize,
    /// What was completed. `None` if more bytes are needed.
    pub event: Option<Event<'a>>,
}

/// An incremental decoder: any portions of the same bytes give the same events, and the same
/// violation after the same events.
///
/// It keeps nothing while no frame is half-way. A frame that is whole in the input is neither
/// copied nor allocated for. Of one that is not, what has arrived is kept, never room for what its
/// header announces. After a close frame or a violation everything is ignored.
///
/// Its work is linear in the bytes that arrive, and what it keeps is at most the double of them, in
/// portions and fragments of whatever size.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    limits: Limits,
    closed: bool,
    partial: Option<Box<Partial>>,
    /// What the last event borrows from here; given back at the next call.
    delivered: Option<Bytes>,
}

impl Decoder {
    /// A decoder at the start of a connection.
    #[must_use]
    pub fn new(role: Role, limits: Limits) -> Self {
        Self { role, limits, closed: false, partial: None, delivered: None }
    }

    /// Whether a frame or a fragmented message is half-way: its age is to be watched.
    #[must_use]
    pub fn is_midway(&self) -> bool {
        self.partial.is_some()
    }

    /// How many bytes are kept of what is half-way.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.buffered())
    }

    /// Decodes up to one event. Call it again with the rest of the input until it has none.
    ///
    /// The input is unmasked in place.
    ///
    /// # Errors
    ///
    /// What the peer did wrong. Nothing is kept any more then, and what follows is ignored.
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

    /// Decodes something that is not whole in the input.
    fn decode_portion(&mut self, input: &mut [u8]) -> Result<Decoded<'_>, Violation> {
        if input.is_empty() {
            return Ok(Decoded { consumed: 0, event: None });
        }
        let partial = self.partial.get_or_insert_default();
        let fed = partial.feed(self.role, self.limits, input);
        let (consumed, done) = fed.map_err(|violation| self.fail(violation))?;
        self.finish(consumed, done)
    }

    /// The buffer that the rest of a half-way data frame may be read into instead of being passed
    /// to [`decode`](Self::decode), and how many bytes of it: saves a copy of large messages. To
    /// be followed by [`appended`](Self::appended).
    pub fn payload_buffer(&mut self) -> Option<(&mut BytesMut, usize)> {
        self.partial.as_mut()?.payload_buffer()
    }

    /// Says that `len` bytes were appended to the [`payload_buffer`](Self::payload_buffer), no more
    /// than it said. May complete the message.
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

    /// The payload of the last event as its owner, if it had been put together here.
    pub fn take_delivered(&mut self) -> Option<Bytes> {
        self.delivered.take()
    }

    fn finish(&mut self, consumed: usize, done: Option<Done>) -> Result<Decoded<'_>, Violation> {
        // Also if the close frame turns out to be wrong; data that came in portions has passed all checks.
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
