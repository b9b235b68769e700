//! Arbitrary bytes to the decoder, in arbitrary portions.
//!
//! Input: a byte of settings, four bytes that say how long the portions are, and the stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_frame::{Decoded, Decoder, Event, Limits, Opcode, Role, Violation, encode};

/// An event that owns its payload.
#[derive(Debug, PartialEq, Eq)]
struct Owned {
    opcode: Opcode,
    payload: Vec<u8>,
}

impl Owned {
    fn new(event: Event<'_>) -> Self {
        let (opcode, payload) = match event {
            Event::Text(text) => (Opcode::Text, text.as_bytes().to_vec()),
            Event::Binary(bytes) => (Opcode::Binary, bytes.to_vec()),
            Event::Ping(bytes) => (Opcode::Ping, bytes.to_vec()),
            Event::Pong(bytes) => (Opcode::Pong, bytes.to_vec()),
            Event::Close(None) => (Opcode::Close, Vec::new()),
            Event::Close(Some((code, reason))) => (Opcode::Close, encode::close_payload(code, reason)),
        };
        Self { opcode, payload }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    events: Vec<Owned>,
    violation: Option<Violation>,
}

#[derive(Clone, Copy)]
struct Setting {
    role: Role,
    limits: Limits,
    max_message_bytes: usize,
}

/// Feeds a decoder and looks at what it keeps.
struct Fed {
    setting: Setting,
    decoder: Decoder,
    arrived: usize,
    found: Found,
}

impl Fed {
    fn new(setting: Setting) -> Self {
        let decoder = Decoder::new(setting.role, setting.limits);
        Self { setting, decoder, arrived: 0, found: Found { events: Vec::new(), violation: None } }
    }

    fn feed(&mut self, portion: &[u8]) {
        let mut portion = portion.to_vec();
        let mut input = &mut portion[..];
        while !input.is_empty() {
            let len = input.len();
            let (consumed, more) = match self.decoder.decode(input) {
                Ok(Decoded { consumed, event }) => {
                    let more = event.is_some();
                    self.found.events.extend(event.map(Owned::new));
                    (consumed, more)
                }
                Err(violation) => return self.fail(violation),
            };
            assert!(consumed <= len && (more || consumed == len), "took {consumed} of {len}");
            self.arrived += consumed;
            self.check();
            input = &mut input[consumed..];
        }
    }

    /// The same, but what may be read in place is.
    fn feed_in_place(&mut self, mut portion: &[u8]) {
        while !portion.is_empty() && self.found.violation.is_none() {
            let Some((buffer, missing)) = self.decoder.payload_buffer() else {
                // A single byte, so that no payload gets past the buffer but one of a single byte.
                self.feed(&portion[..1]);
                portion = &portion[1..];
                continue;
            };
            let len = missing.min(portion.len());
            assert!(len > 0, "an empty frame waits");
            buffer.extend_from_slice(&portion[..len]);
            portion = &portion[len..];
            self.arrived += len;
            match self.decoder.appended(len) {
                Ok(event) => self.found.events.extend(event.map(Owned::new)),
                Err(violation) => return self.fail(violation),
            }
            self.check();
        }
    }

    fn check(&mut self) {
        let kept = self.decoder.buffered();
        assert!(kept <= self.arrived, "{kept} bytes of {}", self.arrived);
        assert!(kept <= self.setting.max_message_bytes + 125 + 14, "{kept} bytes, more than the limit");
        assert!(self.decoder.is_midway() || kept == 0, "{kept} bytes of nothing");
        if let Some((buffer, _)) = self.decoder.payload_buffer() {
            let capacity = buffer.capacity();
            assert!(capacity <= (2 * self.arrived).max(64), "{capacity} bytes of memory for {}", self.arrived);
        }
    }

    fn fail(&mut self, violation: Violation) {
        assert!(self.found.violation.is_none(), "nothing is found after a violation");
        self.found.violation = Some(violation);
        assert!(matches!(violation.close_code(), 1002 | 1007 | 1009));
        assert!(!self.decoder.is_midway() && self.decoder.buffered() == 0, "kept after a violation");
        let decoded = self.decoder.decode(&mut [0x89, 0x80, 0, 0, 0, 0]).map(|decoded| decoded.event.is_some());
        assert_eq!(decoded, Ok(false), "decoded after a violation");
    }
}

fn found(setting: Setting, stream: &[u8], lens: &mut dyn Iterator<Item = usize>, in_place: bool) -> Found {
    let mut fed = Fed::new(setting);
    let mut rest = stream;
    while !rest.is_empty() && fed.found.violation.is_none() {
        let len = lens.next().filter(|len| *len > 0).unwrap_or(usize::MAX).min(rest.len());
        let (portion, after) = rest.split_at(len);
        if in_place {
            fed.feed_in_place(portion)
        } else {
            fed.feed(portion)
        }
        rest = after;
    }
    fed.found
}

fuzz_target!(|data: &[u8]| {
    let Some((&[settings, ref portions @ ..], stream)) = data.split_first_chunk::<5>() else { return };
    let role = if settings & 1 == 0 { Role::Server } else { Role::Client };
    let max_message_bytes = [0, 10, 130, 65_536, usize::MAX / 2, usize::MAX][usize::from(settings >> 1 & 7) % 6];
    let max_fragments = [0, 1, 3, 1024][usize::from(settings >> 4 & 3)];
    let limits = Limits::default().max_message_bytes(max_message_bytes).max_fragments(max_fragments);
    // So that sums with it do not overflow here.
    let setting = Setting { role, limits, max_message_bytes: max_message_bytes.min(1 << 40) };

    let whole = found(setting, stream, &mut std::iter::empty(), false);
    let mut lens = portions.iter().copied().cycle().map(usize::from);
    assert_eq!(found(setting, stream, &mut lens, false), whole, "portions {portions:?}");
    assert_eq!(found(setting, stream, &mut std::iter::repeat(1), false), whole, "byte by byte");
    let mut lens = portions.iter().copied().cycle().map(usize::from);
    assert_eq!(found(setting, stream, &mut lens, true), whole, "in place, portions {portions:?}");

    // What was found, written and read again.
    let mask = (role == Role::Server).then_some([1, 2, 3, 4]);
    let mut written = Vec::new();
    for event in &whole.events {
        encode::put_frame(&mut written, true, event.opcode, &event.payload, mask);
    }
    let again = found(setting, &written, &mut std::iter::empty(), false);
    assert_eq!(again.violation, None);
    assert_eq!(again.events, whole.events);
});
