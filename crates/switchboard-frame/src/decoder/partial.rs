//! Frames and messages that do not arrive in one piece.

use bytes::{Bytes, BytesMut};

use super::Limits;
use crate::{
    Opcode, Role, Violation, apply_mask,
    header::{Header, MAX_HEADER_LEN},
    utf8::Utf8,
};

/// The received part of an incomplete frame or message.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The start of a header.
    begun: [u8; MAX_HEADER_LEN],
    begun_len: usize,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The data message that is arriving, in one frame or several.
    message: Option<Message>,
    /// The payload of `message` so far.
    data: BytesMut,
    /// The payload so far of a control frame, which may come between fragments.
    control: BytesMut,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    header: Header,
    received: u64,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    opcode: Opcode,
    fragments: u32,
    utf8: Utf8,
}

/// A message or control frame that is complete.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) opcode: Opcode,
    pub(super) payload: Bytes,
}

impl Partial {
    pub(super) fn is_idle(&self) -> bool {
        self.begun_len == 0 && self.frame.is_none() && self.message.is_none()
    }

    pub(super) fn buffered(&self) -> usize {
        self.begun_len + self.data.len() + self.control.len()
    }

    /// Returns the capacity behind [`buffered`](Self::buffered).
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.data.capacity() + self.control.capacity()
    }

    /// Consumes bytes until a message or control frame is complete or none are left. Returns how
    /// many it consumed.
    pub(super) fn feed(
        &mut self,
        role: Role,
        limits: Limits,
        input: &mut [u8],
    ) -> Result<(usize, Option<Done>), Violation> {
        let mut consumed = 0;
        loop {
            if self.frame.is_none() {
                consumed += self.feed_header(role, limits, &input[consumed..])?;
            }
            let Some(frame) = self.frame else { return Ok((consumed, None)) };
            let rest = &mut input[consumed..];
            let missing = usize::try_from(frame.header.len - frame.received).unwrap_or(usize::MAX);
            let portion = missing.min(rest.len());
            if frame.header.opcode.is_control() {
                self.control.extend_from_slice(&rest[..portion]);
            } else {
                self.data.extend_from_slice(&rest[..portion]);
            }
            consumed += portion;
            let done = self.appended(portion)?;
            if done.is_some() || consumed == input.len() {
                return Ok((consumed, done));
            }
        }
    }

    /// Consumes the bytes of a header and returns their number. Afterwards `frame` is set, or all
    /// input was consumed.
    fn feed_header(&mut self, role: Role, limits: Limits, input: &[u8]) -> Result<usize, Violation> {
        let had = self.begun_len;
        let more = input.len().min(MAX_HEADER_LEN - had);
        self.begun[had..had + more].copy_from_slice(&input[..more]);
        let have = &self.begun[..had + more];
        let Some((header, len)) = Header::parse(have, role, self.message.is_some())? else {
            self.begun_len = had + more;
            return Ok(more);
        };
        self.begun_len = 0;
        self.accept(header, limits)?;
        self.frame = Some(Frame { header, received: 0 });
        // The header was incomplete before, so it ends within the input.
        Ok(len - had)
    }

    /// Checks a header against the message that it belongs to, and the limits.
    fn accept(&mut self, header: Header, limits: Limits) -> Result<(), Violation> {
        if header.opcode.is_control() {
            return Ok(());
        }
        let message = match &mut self.message {
            Some(message) => {
                message.fragments += 1;
                message
            }
            none => none.insert(Message { opcode: header.opcode, fragments: 1, utf8: Utf8::default() }),
        };
        let room = limits.max_message_bytes.saturating_sub(self.data.len());
        if header.len > room as u64 {
            return Err(Violation::MessageTooLong);
        }
        if message.fragments > limits.max_fragments {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    pub(super) fn payload_buffer(&mut self) -> Option<(&mut BytesMut, usize)> {
        let frame = self.frame.filter(|frame| !frame.header.opcode.is_control())?;
        let missing = usize::try_from(frame.header.len - frame.received).ok()?;
        Some((&mut self.data, missing))
    }

    /// Accounts for `len` bytes appended to the buffer of the incomplete frame.
    pub(super) fn appended(&mut self, len: usize) -> Result<Option<Done>, Violation> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let header = frame.header;
        let buffer = if header.opcode.is_control() { &mut self.control } else { &mut self.data };
        let start = buffer.len().saturating_sub(len);
        let portion = &mut buffer[start..];
        if let Some(key) = header.mask {
            // Only the offset modulo 4 matters.
            apply_mask(portion, key, (frame.received % 4) as usize);
        }
        frame.received += portion.len() as u64;
        let whole = frame.received >= header.len;
        if header.opcode.is_control() {
            if !whole {
                return Ok(None);
            }
            self.frame = None;
            let payload = std::mem::take(&mut self.control).freeze();
            return Ok(Some(Done { opcode: header.opcode, payload }));
        }
        let Some(message) = &mut self.message else { return Ok(None) };
        if message.opcode == Opcode::Text {
            message.utf8.push(portion)?;
        }
        if !whole {
            return Ok(None);
        }
        self.frame = None;
        if !header.fin {
            return Ok(None);
        }
        let Message { opcode, utf8, .. } = *message;
        utf8.finish()?;
        self.message = None;
        Ok(Some(Done { opcode, payload: std::mem::take(&mut self.data).freeze() }))
    }
}
