mod memory;
mod rules;

use proptest::prelude::*;

use super::*;
use crate::encode;

/// An event that owns its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into()),
            Event::Binary(bytes) => Self::Binary(bytes.into()),
            Event::Ping(bytes) => Self::Ping(bytes.into()),
            Event::Pong(bytes) => Self::Pong(bytes.into()),
            Event::Close(close) => Self::Close(close.map(|(code, reason)| (code, reason.into()))),
        }
    }
}

/// Decodes bytes in portions that end at `cuts`. Returns the events, and the violation that ended
/// it.
fn decode(role: Role, limits: Limits, bytes: &[u8], cuts: &[usize]) -> (Vec<Owned>, Option<Violation>) {
    let mut decoder = Decoder::new(role, limits);
    let mut events = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().filter(|cut| *cut < bytes.len()).chain([bytes.len()]) {
        if end < start {
            continue;
        }
        let mut portion = bytes[start..end].to_vec();
        start = end;
        let mut input = &mut portion[..];
        while !input.is_empty() {
            match decoder.decode(input) {
                Err(violation) => return (events, Some(violation)),
                Ok(Decoded { consumed, event }) => {
                    let more = event.is_some();
                    events.extend(event.map(Owned::from));
                    input = &mut input[consumed..];
                    assert!(more || input.is_empty(), "stopped early");
                }
            }
        }
    }
    (events, None)
}

fn server(bytes: &[u8]) -> (Vec<Owned>, Option<Violation>) {
    let whole = decode(Role::Server, Limits::default(), bytes, &[]);
    let all: Vec<_> = (0..bytes.len()).collect();
    assert_eq!(decode(Role::Server, Limits::default(), bytes, &all), whole, "byte by byte");
    for cut in 0..bytes.len().min(300) {
        assert_eq!(decode(Role::Server, Limits::default(), bytes, &[cut]), whole, "cut at {cut}");
    }
    whole
}

/// A masked frame.
fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::put_frame(&mut out, fin, opcode, payload, Some([7, 99, 0, 255]));
    out
}

fn violation(bytes: &[u8]) -> Option<Violation> {
    let (events, violation) = server(bytes);
    assert!(events.is_empty() || violation.is_none(), "{events:?}");
    violation
}

#[test]
fn rfc_6455_5_7_examples() {
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(server(&masked), (vec![Owned::Text("Hello".into())], None));
    let unmasked = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    let client = decode(Role::Client, Limits::default(), &unmasked, &[]);
    assert_eq!(client, (vec![Owned::Text("Hello".into())], None));
    let fragmented = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    let client = decode(Role::Client, Limits::default(), &fragmented, &[1, 4]);
    assert_eq!(client, (vec![Owned::Text("Hello".into())], None));
    let ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(decode(Role::Client, Limits::default(), &ping, &[]).0, [Owned::Ping(b"Hello".to_vec())]);
}

#[test]
fn rfc_6455_5_1_masking_is_required_of_clients_only() {
    assert_eq!(violation(b"\x81\x02hi"), Some(Violation::Mask));
    let (_, client) = decode(Role::Client, Limits::default(), &frame(true, Opcode::Text, b"hi"), &[]);
    assert_eq!(client, Some(Violation::Mask));
}

#[test]
fn rfc_6455_5_2_reserved_bits_and_opcodes() {
    for bits in [0x40, 0x20, 0x10] {
        assert_eq!(violation(&[0x81 | bits, 0x80, 0, 0, 0, 0]), Some(Violation::ReservedBits));
    }
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        assert_eq!(violation(&[0x80 | opcode, 0x80, 0, 0, 0, 0]), Some(Violation::UnknownOpcode));
    }
}

#[test]
fn rfc_6455_5_2_lengths() {
    for len in [0, 1, 125, 126, 127, 65_535, 65_536] {
        let payload = vec![b'x'; len];
        let bytes = frame(true, Opcode::Binary, &payload);
        assert_eq!(bytes.len(), encode::header_len(len, true) + len);
        assert_eq!(server(&bytes), (vec![Owned::Binary(payload)], None), "{len}");
    }
    assert_eq!(violation(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), Some(Violation::Length));
    assert_eq!(violation(&[0x82, 0xfe, 0, 125]), Some(Violation::LongLengthForm));
    assert_eq!(violation(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), Some(Violation::LongLengthForm));
}

#[test]
fn rfc_6455_5_4_fragments_with_control_frames_between() {
    let bytes = [
        frame(false, Opcode::Text, "κό".as_bytes()[..3].as_ref()),
        frame(true, Opcode::Ping, b"p"),
        frame(false, Opcode::Continuation, b""),
        frame(true, Opcode::Pong, b""),
        frame(true, Opcode::Continuation, &"κόσμε".as_bytes()[3..]),
        frame(false, Opcode::Binary, b""),
        frame(true, Opcode::Continuation, b""),
    ]
    .concat();
    let expected =
        vec![Owned::Ping(b"p".to_vec()), Owned::Pong(vec![]), Owned::Text("κόσμε".into()), Owned::Binary(vec![])];
    assert_eq!(server(&bytes), (expected, None));
}

#[test]
fn rfc_6455_5_4_fragments_out_of_place() {
    assert_eq!(violation(&frame(true, Opcode::Continuation, b"x")), Some(Violation::UnexpectedContinuation));
    let bytes = [frame(false, Opcode::Text, b"a"), frame(true, Opcode::Binary, b"b")].concat();
    assert_eq!(violation(&bytes), Some(Violation::ExpectedContinuation));
}

#[test]
fn rfc_6455_5_5_control_frames() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        assert_eq!(violation(&frame(false, opcode, b"")), Some(Violation::FragmentedControlFrame));
        assert_eq!(violation(&frame(true, opcode, &[0; 126])), Some(Violation::LongControlFrame));
    }
    assert_eq!(server(&frame(true, Opcode::Ping, &[1; 125])).0, [Owned::Ping(vec![1; 125])]);
}

#[test]
fn rfc_6455_5_5_1_close_frames() {
    let close = |payload: &[u8]| server(&frame(true, Opcode::Close, payload));
    assert_eq!(close(b""), (vec![Owned::Close(None)], None));
    assert_eq!(close(b"\x03\xe8"), (vec![Owned::Close(Some((1000, String::new())))], None));
    assert_eq!(close(b"\x0f\xa0bye"), (vec![Owned::Close(Some((4000, "bye".into())))], None));
    assert_eq!(close(b"\x03").1, Some(Violation::ClosePayload));
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(close(&code.to_be_bytes()).1, Some(Violation::ClosePayload), "{code}");
    }
    assert_eq!(close(b"\x03\xe8\xff").1, Some(Violation::Utf8));
}

#[test]
fn rfc_6455_1_4_what_follows_a_close_frame_is_ignored() {
    let bytes = [frame(true, Opcode::Close, b""), frame(true, Opcode::Text, b"late"), vec![0xff; 20]].concat();
    assert_eq!(server(&bytes), (vec![Owned::Close(None)], None));
}

#[test]
fn rfc_6455_8_1_bad_text_fails_at_its_first_bad_byte() {
    assert_eq!(violation(&frame(true, Opcode::Text, b"ab\xffcd")), Some(Violation::Utf8));
    // A frame that is far from complete.
    let mut bytes = frame(true, Opcode::Text, &[b"ab\xff".as_slice(), &[b'x'; 60_000]].concat());
    bytes.truncate(8 + 3);
    let all: Vec<_> = (0..bytes.len()).collect();
    assert_eq!(decode(Role::Server, Limits::default(), &bytes, &all).1, Some(Violation::Utf8));
    assert_eq!(decode(Role::Server, Limits::default(), &bytes, &[]).1, Some(Violation::Utf8));
    // Half a character at the end of a message, but not of a fragment.
    assert_eq!(violation(&frame(true, Opcode::Text, b"\xe2\x82")), Some(Violation::Utf8));
}

#[test]
fn limits_are_decided_at_the_header() {
    let header = |len: u64| [&[0x82, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(violation(&header(65_537)), Some(Violation::MessageTooLong));
    assert_eq!(violation(&header((1 << 63) - 1)), Some(Violation::MessageTooLong));
    let bytes = [frame(false, Opcode::Binary, &[0; 60_000]), frame(true, Opcode::Continuation, &[0; 6_000])].concat();
    assert_eq!(decode(Role::Server, Limits::default(), &bytes, &[]).1, Some(Violation::MessageTooLong));
    let limits = Limits::default().max_fragments(3);
    let fragments = |n: usize| {
        let between = frame(false, Opcode::Continuation, b"").repeat(n - 2);
        [frame(false, Opcode::Text, b""), between, frame(true, Opcode::Continuation, b"")].concat()
    };
    assert_eq!(decode(Role::Server, limits, &fragments(3), &[]), (vec![Owned::Text(String::new())], None));
    assert_eq!(decode(Role::Server, limits, &fragments(4), &[]).1, Some(Violation::TooManyFragments));
}

#[test]
fn memory_grows_with_received_bytes_and_is_freed_when_idle() {
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    let bytes = frame(true, Opcode::Binary, &[1; 60_000]);
    decoder.decode(&mut bytes[..1000].to_vec()).unwrap();
    assert!(decoder.is_midway() && decoder.buffered() < 1000);
    decoder.decode(&mut bytes[1000..].to_vec()).unwrap();
    assert!(!decoder.is_midway());
    assert_eq!(decoder.buffered(), 0);
    assert_eq!(decoder.take_delivered().map(|payload| payload.len()), Some(60_000));
}

#[test]
fn large_messages_may_be_read_in_place() {
    let payload: Vec<u8> = (0..60_000u32).map(|i| b'a' + u8::try_from(i % 26).unwrap()).collect();
    let bytes = frame(true, Opcode::Text, &payload);
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    assert!(decoder.payload_buffer().is_none());
    decoder.decode(&mut bytes[..100].to_vec()).unwrap();
    let mut at = 100;
    loop {
        let (buffer, missing) = decoder.payload_buffer().unwrap();
        assert_eq!(missing, bytes.len() - at);
        let len = missing.min(7777);
        buffer.extend_from_slice(&bytes[at..at + len]);
        at += len;
        if let Some(event) = decoder.appended(len).unwrap() {
            assert_eq!(Owned::from(event), Owned::Text(String::from_utf8(payload).unwrap()));
            break;
        }
    }
    assert!(!decoder.is_midway());
}

fn opcode() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0x1u8), 3 => Just(0x2), 4 => Just(0x0), 1 => Just(0x8), 2 => Just(0x9), 1 => Just(0xa), 1 => Just(0x3)]
}

/// Streams of frames that are mostly valid.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        4 => "[a-zé€😀]{0,40}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
        1 => Just(vec![0x03, 0xe8]),
    ];
    let frame =
        (any::<bool>(), opcode(), payload, any::<[u8; 4]>(), 0..40u8).prop_map(|(fin, opcode, payload, key, odd)| {
            let control = opcode >= 0x8;
            let mut payload = payload;
            if control {
                payload.truncate(125);
            }
            let mut out = Vec::new();
            encode::put_frame(&mut out, fin || control, Opcode::Text, &payload, Some(key));
            out[0] = (out[0] & 0xf0) | opcode;
            if odd == 0 {
                out[0] ^= 0x40;
            }
            out
        });
    proptest::collection::vec(frame, 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_portions_give_the_same_events(bytes in stream(), cuts in proptest::collection::vec(0..600usize, 0..20)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let whole = decode(Role::Server, Limits::default(), &bytes, &[]);
        prop_assert_eq!(&decode(Role::Server, Limits::default(), &bytes, &cuts), &whole);
        let all: Vec<_> = (0..bytes.len()).collect();
        prop_assert_eq!(&decode(Role::Server, Limits::default(), &bytes, &all), &whole);
    }

    #[test]
    fn mutated_streams_never_panic(bytes in stream(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = bytes;
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let all: Vec<_> = (0..bytes.len()).collect();
        let whole = decode(Role::Server, Limits::default(), &bytes, &[]);
        prop_assert_eq!(decode(Role::Server, Limits::default(), &bytes, &all), whole);
    }
}
