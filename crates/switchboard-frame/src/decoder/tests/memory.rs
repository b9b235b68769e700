//! Attacks on other decoders: memory and work that grow faster than the input.

use super::*;

/// Feeds portions and watches the buffer of the incomplete message.
struct Watched {
    decoder: Decoder,
    arrived: usize,
    /// How often the buffer was reallocated, which copies its content.
    grown: usize,
    capacity: usize,
}

impl Watched {
    fn new(limits: Limits) -> Self {
        Self { decoder: Decoder::new(Role::Server, limits), arrived: 0, grown: 0, capacity: 0 }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<bool, Violation> {
        let mut bytes = bytes.to_vec();
        self.arrived += bytes.len();
        let len = bytes.len();
        let decoded = self.decoder.decode(&mut bytes)?;
        assert_eq!(decoded.consumed, len);
        let whole = decoded.event.is_some();
        let capacity = self.decoder.partial.as_ref().map_or(0, |partial| partial.capacity());
        assert!(capacity <= (2 * self.arrived).max(256), "{capacity} bytes for {}", self.arrived);
        self.grown += usize::from(capacity > self.capacity);
        self.capacity = capacity;
        assert!(self.decoder.buffered() <= self.arrived);
        Ok(whole)
    }
}

/// tungstenite, CVE-2023-43669; ws, issue 2331.
#[test]
fn single_bytes_of_a_long_frame_cost_the_same_each() {
    let bytes = frame(true, Opcode::Text, &[b'x'; 1 << 20]);
    let mut watched = Watched::new(Limits::default().max_message_bytes(1 << 20));
    let (last, bytes) = bytes.split_last().unwrap();
    for byte in bytes {
        assert!(!watched.feed(&[*byte]).unwrap());
    }
    assert!(watched.grown <= 20, "grown {} times", watched.grown);
    assert!(watched.feed(&[*last]).unwrap());
    assert!(watched.decoder.partial.is_none());
}

/// ws, CVE-2026-48779; Bandit, CVE-2026-65623.
#[test]
fn fragments_of_one_byte_are_stored_as_bytes() {
    let limits = Limits::default().max_message_bytes(1 << 20).max_fragments(200_000);
    let mut watched = Watched::new(limits);
    watched.feed(&frame(false, Opcode::Binary, b"x")).unwrap();
    for n in 2..=131_072usize {
        watched.feed(&frame(false, Opcode::Continuation, b"x")).unwrap();
        assert_eq!(watched.decoder.buffered(), n);
        assert!(watched.capacity <= (2 * n).max(256), "{} bytes for {n}", watched.capacity);
    }
    assert!(watched.grown <= 18, "grown {} times", watched.grown);
}

#[test]
fn empty_fragments_count_against_the_limit() {
    for payload in [&b"x"[..], b""] {
        let mut watched = Watched::new(Limits::default());
        watched.feed(&frame(false, Opcode::Binary, payload)).unwrap();
        for _ in 2..=1024 {
            watched.feed(&frame(false, Opcode::Continuation, payload)).unwrap();
            // Control frames between fragments do not count, and leave nothing behind.
            assert!(watched.feed(&frame(true, Opcode::Ping, &[0; 125])).unwrap());
        }
        assert!(watched.capacity <= 2048 && watched.grown <= 8);
        let error = watched.feed(&frame(false, Opcode::Continuation, payload)).unwrap_err();
        assert_eq!((error, error.close_code()), (Violation::TooManyFragments, 1009));
        assert_eq!(watched.decoder.buffered(), 0);
    }
}

/// undici, CVE-2026-1528; gorilla, CVE-2020-27813.
#[test]
fn declared_lengths_allocate_nothing() {
    let header = |fin: u8, len: u64| [&[fin, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat();
    for max in [65_536, usize::MAX] {
        for len in [65_536, 65_537, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX] {
            let mut watched = Watched::new(Limits::default().max_message_bytes(max));
            let result = watched.feed(&header(0x82, len));
            let expected = match len {
                len if len >> 63 == 1 => Err(Violation::Length),
                len if len > max as u64 => Err(Violation::MessageTooLong),
                _ => Ok(false),
            };
            assert_eq!(result, expected, "{len} of {max}");
            assert_eq!(watched.capacity, 0);
        }
    }
    // The sum of two lengths must not wrap around.
    let mut watched = Watched::new(Limits::default().max_message_bytes(usize::MAX));
    watched.feed(&frame(false, Opcode::Binary, &[0; 300])).unwrap();
    assert_eq!(watched.feed(&header(0x80, (1 << 63) - 1)), Ok(false));
    let mut watched = Watched::new(Limits::default().max_message_bytes(1 << 40));
    watched.feed(&frame(false, Opcode::Binary, &[0; 300])).unwrap();
    assert_eq!(watched.feed(&header(0x80, 1 << 40)), Err(Violation::MessageTooLong));
}

#[test]
fn control_frames_keep_at_most_125_bytes() {
    let mut watched = Watched::new(Limits::default());
    for _ in 0..1000 {
        let ping = frame(true, Opcode::Ping, &[7; 125]);
        for byte in &ping[..ping.len() - 1] {
            watched.feed(&[*byte]).unwrap();
            assert!(watched.capacity <= 256);
        }
        assert!(watched.feed(&ping[ping.len() - 1..]).unwrap());
        assert!(watched.decoder.partial.is_none());
    }
}

#[test]
fn a_close_frame_or_a_violation_frees_an_incomplete_message() {
    let begun = frame(false, Opcode::Binary, &[0; 60_000]);
    for last in [frame(true, Opcode::Close, b""), frame(true, Opcode::Close, b"x"), frame(true, Opcode::Text, b"")] {
        let mut watched = Watched::new(Limits::default());
        watched.feed(&begun).unwrap();
        assert!(watched.decoder.is_midway());
        let _ = watched.feed(&last);
        assert!(!watched.decoder.is_midway() && watched.decoder.payload_buffer().is_none());
    }
}
