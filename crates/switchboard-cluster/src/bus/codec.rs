//! Reading and writing the fields of bus messages.

use bytes::Bytes;

/// Bytes that are no bus message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Appends an integer as LEB128: 7 bits a byte, the lowest first, the top bit set on all but the last.
pub(super) fn put_integer(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and as many bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_integer(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads fields one after the other. Payloads share the message's memory; what is read before them counts no references.
#[derive(Debug)]
pub(super) struct Reader {
    bytes: Bytes,
    at: usize,
}

impl Reader {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, at: 0 }
    }

    fn unread(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.unread().first().ok_or(Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let array = *self.unread().first_chunk().ok_or(Malformed)?;
        self.at += N;
        Ok(array)
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn integer(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    pub(super) fn integer32(&mut self) -> Result<u32, Malformed> {
        self.integer()?.try_into().map_err(|_| Malformed)
    }

    pub(super) fn text(&mut self) -> Result<&str, Malformed> {
        let length: usize = self.integer()?.try_into().map_err(|_| Malformed)?;
        let from = self.at;
        if length > self.unread().len() {
            return Err(Malformed);
        }
        self.at += length;
        std::str::from_utf8(&self.bytes[from..self.at]).map_err(|_| Malformed)
    }

    /// Reads a number of elements, each of at least `size` bytes: a number that the rest of the message cannot hold is
    /// refused before anything is allocated.
    pub(super) fn count(&mut self, size: usize) -> Result<usize, Malformed> {
        let count: usize = self.integer()?.try_into().map_err(|_| Malformed)?;
        if count > self.unread().len() / size { Err(Malformed) } else { Ok(count) }
    }

    pub(super) fn rest(self) -> Bytes {
        self.bytes.slice(self.at.min(self.bytes.len())..)
    }

    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.unread().is_empty() { Ok(()) } else { Err(Malformed) }
    }
}
