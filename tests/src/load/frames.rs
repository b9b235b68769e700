//! WebSocket frames, as far as a client of well-behaved servers needs them.

use std::{io, ops::Range};

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// An arbitrary mask, which the server has to remove.
const KEY: [u8; 4] = [0x5a, 0x0f, 0xc3, 0x96];

/// Received bytes that were not consumed yet.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    taken: usize,
}

/// A complete frame from the server, and the position of its payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Text(Range<usize>),
    Ping(Range<usize>),
    Close,
}

impl Incoming {
    /// Returns the buffer to read into, with free capacity.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.taken == self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..self.taken);
        }
        self.taken = 0;
        self.bytes.reserve(4096);
        &mut self.bytes
    }

    /// Returns received bytes that are not frames: the response to the upgrade.
    pub(super) fn raw(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub(super) fn skip(&mut self, len: usize) {
        self.taken = self.bytes.len().min(self.taken + len);
    }

    /// Returns the payload of the last frame.
    pub(super) fn payload(&self, at: Range<usize>) -> &[u8] {
        &self.bytes[at]
    }

    /// Returns the next frame that is complete.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let rest = &self.bytes[self.taken..];
            let Some((opcode, start, len)) = header(rest)? else { return Ok(None) };
            if rest.len() - start < len {
                return Ok(None);
            }
            let start = self.taken + start;
            self.taken = start + len;
            let payload = start..self.taken;
            match opcode {
                PONG => {}
                TEXT => return Ok(Some(Frame::Text(payload))),
                PING => return Ok(Some(Frame::Ping(payload))),
                CLOSE => return Ok(Some(Frame::Close)),
                other => return Err(invalid(&format!("a frame with opcode {other}"))),
            }
        }
    }
}

/// Returns the opcode, the start of the payload, and its length.
fn header(bytes: &[u8]) -> io::Result<Option<(u8, usize, usize)>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        return Err(invalid("a frame that is a fragment, masked or has reserved bits"));
    }
    let (start, len) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(len) => (4, u64::from(u16::from_be_bytes(*len))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (10, u64::from_be_bytes(*len)),
            None => return Ok(None),
        },
        len => (2, u64::from(len)),
    };
    let len = usize::try_from(len).map_err(|_| invalid("a frame that is too long"))?;
    Ok(Some((first & 0x0f, start, len)))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the server sent {what}"))
}

/// Appends a text frame.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, TEXT, text.as_bytes());
}

/// Appends a pong.
pub(super) fn put_pong(out: &mut Vec<u8>, payload: &[u8]) {
    put(out, PONG, payload);
}

fn put(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len), _) if len < 126 => out.push(0x80 | len),
        (_, Ok(len)) => {
            out.push(0x80 | 126);
            out.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&KEY);
    let (words, rest) = payload.as_chunks::<4>();
    for word in words {
        out.extend_from_slice(&(u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(KEY)).to_ne_bytes());
    }
    out.extend(rest.iter().zip(KEY).map(|(byte, key)| byte ^ key));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_whole_for_any_portions() {
        let mut bytes = b"\x81\x02hi\x8a\x00\x89\x01p\x81\x7e\x00\x80".to_vec();
        bytes.extend([b'x'; 128]);
        bytes.extend(b"\x88\x02\x03\xe8");
        let mut incoming = Incoming::default();
        let mut seen = Vec::<String>::new();
        for byte in bytes {
            incoming.room().push(byte);
            while let Some(frame) = incoming.next().unwrap() {
                seen.push(match frame {
                    Frame::Text(at) => String::from_utf8_lossy(incoming.payload(at)).into_owned(),
                    Frame::Ping(at) => format!("ping {}", String::from_utf8_lossy(incoming.payload(at))),
                    Frame::Close => "close".to_owned(),
                });
            }
        }
        assert_eq!(seen, ["hi", "ping p", &"x".repeat(128), "close"]);
    }

    #[test]
    fn invalid_frames_of_a_server_are_errors() {
        for bad in [&b"\x01\x00"[..], b"\x81\x80", b"\xc1\x00", b"\x82\x00"] {
            let mut incoming = Incoming::default();
            incoming.room().extend_from_slice(bad);
            assert!(incoming.next().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn frames_are_masked() {
        for len in [0, 1, 5, 125, 126, 70_000] {
            let mut out = Vec::new();
            put_text(&mut out, &"x".repeat(len));
            let start = out.len() - len;
            assert_eq!(out[start - 4..start], KEY);
            assert!(out[start..].iter().enumerate().all(|(i, byte)| byte ^ KEY[i % 4] == b'x'), "{len}");
        }
    }
}
