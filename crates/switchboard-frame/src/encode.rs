//! Writes frames, and iterates over frames that were written.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

use crate::{MAX_HEADER_LEN, Opcode, apply_mask, header::Header, is_sendable_close_code};

/// Encodes a whole, unmasked frame as a server sends it: header and payload in one shared
/// allocation.
///
/// ```
/// use switchboard_frame::{Opcode, encode};
///
/// assert_eq!(&encode::frame(Opcode::Text, b"hi")[..], b"\x81\x02hi");
/// ```
#[must_use]
pub fn frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(header_len(payload.len(), false) + payload.len());
    put_header(&mut out, true, opcode, payload.len(), None);
    out.put_slice(payload);
    out.freeze()
}

/// Appends a frame, masked with `mask` as a client must.
pub fn put_frame(out: &mut impl BufMut, fin: bool, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    put_header(out, fin, opcode, payload.len(), mask);
    match mask {
        None => out.put_slice(payload),
        Some(key) => {
            let mut offset = 0;
            for portion in payload.chunks(4096) {
                let mut masked = [0; 4096];
                let masked = &mut masked[..portion.len()];
                masked.copy_from_slice(portion);
                apply_mask(masked, key, offset);
                out.put_slice(masked);
                offset += portion.len();
            }
        }
    }
}

/// Appends a frame's header in its shortest form.
pub fn put_header(out: &mut impl BufMut, fin: bool, opcode: Opcode, len: usize, mask: Option<[u8; 4]>) {
    let mut header = [0; MAX_HEADER_LEN];
    let masked = if mask.is_some() { 0x80 } else { 0 };
    header[0] = if fin { 0x80 | opcode as u8 } else { opcode as u8 };
    let mut end = match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => {
            header[1] = masked | len;
            2
        }
        (_, Ok(len)) => {
            header[1] = masked | 126;
            header[2..4].copy_from_slice(&len.to_be_bytes());
            4
        }
        _ => {
            header[1] = masked | 127;
            header[2..10].copy_from_slice(&(len as u64).to_be_bytes());
            10
        }
    };
    if let Some(mask) = mask {
        header[end..end + 4].copy_from_slice(&mask);
        end += 4;
    }
    out.put_slice(&header[..end]);
}

/// Returns the opcode of the first frame in `bytes` and the range of its payload. The frames must be
/// whole and unmasked, as a server writes them. Returns `None` at the end.
///
/// ```
/// use switchboard_frame::{Opcode, encode};
///
/// let frames = [encode::frame(Opcode::Text, b"hi"), encode::frame(Opcode::Pong, b"")].concat();
/// let (opcode, payload) = encode::first(&frames).unwrap();
/// assert_eq!((opcode, &frames[payload]), (Opcode::Text, &b"hi"[..]));
/// ```
#[must_use]
pub fn first(bytes: &[u8]) -> Option<(Opcode, Range<usize>)> {
    let (header, start) = Header::parse_plain(bytes)?;
    let end = start.checked_add(usize::try_from(header.len).ok()?)?;
    (end <= bytes.len()).then_some((header.opcode, start..end))
}

/// Returns the length of the header of a frame whose payload has `len` bytes.
#[must_use]
pub const fn header_len(payload: usize, masked: bool) -> usize {
    let length = if payload < 126 {
        2
    } else if payload < 0x1_0000 {
        4
    } else {
        10
    };
    if masked { length + 4 } else { length }
}

/// Encodes the payload of a close frame: the code, and as much of the reason as fits into 123 bytes.
/// Returns `None` for a code that may not be sent.
///
/// ```
/// use switchboard_frame::encode;
///
/// assert_eq!(encode::close_payload(1000, "bye"), b"\x03\xe8bye");
/// assert!(encode::close_payload(1005, "").is_empty());
/// ```
#[must_use]
pub fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    if !is_sendable_close_code(code) {
        return Vec::new();
    }
    let end = (0..=reason.len().min(123)).rev().find(|&i| reason.is_char_boundary(i)).unwrap_or(0);
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_its_header_and_payload() {
        assert_eq!(&frame(Opcode::Text, b"hi")[..], b"\x81\x02hi");
        let long = vec![b'x'; 300];
        assert_eq!(&frame(Opcode::Binary, &long)[..], &[&[0x82, 126, 1, 44], &long[..]].concat());
        let longest = frame(Opcode::Binary, &vec![b'x'; 0x1_0000]);
        assert_eq!(&longest[..11], &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, b'x']);
    }

    #[test]
    fn a_masked_frame_is_masked_to_its_end() {
        let (key, payload) = ([1, 2, 3, 4], vec![0; 10_001]);
        let mut out = Vec::new();
        put_frame(&mut out, false, Opcode::Text, &payload, Some(key));
        assert_eq!(&out[..8], &[0x01, 0x80 | 126, 0x27, 0x11, 1, 2, 3, 4]);
        assert!(out[8..].iter().enumerate().all(|(index, byte)| *byte == key[index % 4]));
        assert_eq!(out.len(), 8 + payload.len());
    }

    #[test]
    fn frames_are_found_one_by_one() {
        let mut frames = Vec::new();
        put_frame(&mut frames, false, Opcode::Text, b"be", None);
        put_frame(&mut frames, true, Opcode::Continuation, b"gun", None);
        put_frame(&mut frames, true, Opcode::Pong, b"", None);
        let mut rest = &frames[..];
        let mut found = Vec::new();
        while let Some((opcode, payload)) = first(rest) {
            found.push((opcode, &rest[payload.clone()]));
            rest = &rest[payload.end..];
        }
        let expected = [(Opcode::Text, &b"be"[..]), (Opcode::Continuation, b"gun"), (Opcode::Pong, b"")];
        assert_eq!(found, expected);
        // An incomplete frame.
        assert_eq!(first(&frames[..3]), None);
    }
}
