//! Rules of the RFC for receivers that the other test modules do not cover.

use super::*;

#[test]
fn rfc_6455_5_2_reserved_bits_of_fragments_and_control_frames() {
    for bits in [0x40, 0x20, 0x10] {
        for first in [0x01u8, 0x88, 0x89, 0x8a] {
            assert_eq!(violation(&[first | bits, 0x80, 0, 0, 0, 0]), Some(Violation::ReservedBits), "{first:x}");
        }
        let mut last = frame(true, Opcode::Continuation, b"");
        last[0] |= bits;
        let bytes = [frame(false, Opcode::Text, b"a"), last].concat();
        assert_eq!(violation(&bytes), Some(Violation::ReservedBits));
    }
}

#[test]
fn rfc_6455_5_3_each_frame_has_its_own_mask() {
    let mut bytes = Vec::new();
    encode::put_frame(&mut bytes, false, Opcode::Text, b"Hel", Some([0x37, 0xfa, 0x21, 0x3d]));
    encode::put_frame(&mut bytes, true, Opcode::Ping, b"ping", Some([1, 2, 3, 4]));
    encode::put_frame(&mut bytes, true, Opcode::Continuation, b"lo", Some([0; 4]));
    assert_eq!(server(&bytes), (vec![Owned::Ping(b"ping".to_vec()), Owned::Text("Hello".into())], None));
}

#[test]
fn rfc_6455_5_4_reserved_opcodes_between_fragments() {
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        let bytes = [frame(false, Opcode::Text, b"a"), vec![0x80 | opcode, 0x80, 0, 0, 0, 0]].concat();
        assert_eq!(violation(&bytes), Some(Violation::UnknownOpcode));
    }
}

#[test]
fn rfc_6455_5_4_a_message_is_the_same_however_it_is_fragmented() {
    let text = "κόσμε 😀";
    for a in 0..=text.len() {
        for b in a..=text.len() {
            let bytes = [
                frame(false, Opcode::Text, &text.as_bytes()[..a]),
                frame(false, Opcode::Continuation, &text.as_bytes()[a..b]),
                frame(true, Opcode::Continuation, &text.as_bytes()[b..]),
            ]
            .concat();
            let decoded = decode(Role::Server, Limits::default(), &bytes, &[]);
            assert_eq!(decoded, (vec![Owned::Text(text.into())], None), "{a} {b}");
        }
    }
}

#[test]
fn rfc_6455_5_4_a_close_frame_may_come_between_fragments() {
    let bytes = [
        frame(false, Opcode::Text, b"a"),
        frame(true, Opcode::Close, b"\x03\xe8"),
        frame(true, Opcode::Continuation, b""),
    ]
    .concat();
    assert_eq!(server(&bytes), (vec![Owned::Close(Some((1000, String::new())))], None));
}

#[test]
fn rfc_6455_5_5_2_and_5_5_3_pings_and_pongs_carry_any_bytes() {
    let payload: Vec<u8> = (131..=255).collect();
    let bytes = [frame(true, Opcode::Ping, &payload), frame(true, Opcode::Pong, &payload)].concat();
    // The pong was not requested, which is allowed.
    assert_eq!(server(&bytes), (vec![Owned::Ping(payload.clone()), Owned::Pong(payload)], None));
    let bytes = [frame(true, Opcode::Ping, b""), frame(true, Opcode::Pong, b"")].concat();
    assert_eq!(server(&bytes), (vec![Owned::Ping(vec![]), Owned::Pong(vec![])], None));
}

#[test]
fn rfc_6455_5_6_binary_data_may_be_anything() {
    let payload: Vec<u8> = (0..=255).rev().collect();
    let bytes = [
        frame(true, Opcode::Binary, &payload),
        frame(false, Opcode::Binary, &payload[..1]),
        frame(true, Opcode::Continuation, &payload[1..]),
    ]
    .concat();
    assert_eq!(server(&bytes), (vec![Owned::Binary(payload.clone()), Owned::Binary(payload)], None));
}

#[test]
fn rfc_6455_5_7_the_other_examples() {
    let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(server(&pong), (vec![Owned::Pong(b"Hello".to_vec())], None));
    for (header, len) in [(&[0x82, 0x7e, 0x01, 0x00][..], 256), (&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], 65_536)] {
        let bytes = [header, &vec![5; len]].concat();
        for cuts in [&[][..], &[1], &[3], &[9], &[10, 11, 200]] {
            let decoded = decode(Role::Client, Limits::default(), &bytes, cuts);
            assert_eq!(decoded, (vec![Owned::Binary(vec![5; len])], None), "{cuts:?}");
        }
    }
}

#[test]
fn rfc_6455_5_8_and_9_without_an_extension_nothing_is_given_a_meaning() {
    // As permessage-deflate would send it.
    let mut bytes = frame(true, Opcode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    bytes[0] |= 0x40;
    let error = violation(&bytes).unwrap();
    assert_eq!((error, error.close_code()), (Violation::ReservedBits, 1002));
}

#[test]
fn rfc_6455_6_2_messages_come_in_their_order() {
    let bytes = [
        frame(true, Opcode::Text, b"1"),
        frame(false, Opcode::Binary, b"2"),
        frame(true, Opcode::Pong, b"3"),
        frame(true, Opcode::Continuation, b"4"),
        frame(true, Opcode::Text, b""),
    ]
    .concat();
    let expected = vec![
        Owned::Text("1".into()),
        Owned::Pong(b"3".to_vec()),
        Owned::Binary(b"24".to_vec()),
        Owned::Text(String::new()),
    ];
    assert_eq!(server(&bytes), (expected, None));
}

#[test]
fn rfc_6455_7_1_5_and_7_1_6_code_and_reason() {
    let reason = "κ".repeat(61) + "x";
    let payload = encode::close_payload(1001, &reason);
    assert_eq!(payload.len(), 125);
    assert_eq!(server(&frame(true, Opcode::Close, &payload)).0, [Owned::Close(Some((1001, reason)))]);
}

#[test]
fn rfc_6455_7_1_7_nothing_is_decoded_after_a_violation() {
    let next = frame(true, Opcode::Text, b"late");
    for bad in [
        b"\xc1".to_vec(),
        b"\x81\x02".to_vec(),
        frame(true, Opcode::Text, b"\xff"),
        frame(true, Opcode::Close, b"x"),
        frame(false, Opcode::Text, b"\xff"),
        frame(true, Opcode::Binary, &[0; 65_537])[..14].to_vec(),
    ] {
        for portion in [1, bad.len()] {
            let mut decoder = Decoder::new(Role::Server, Limits::default());
            let results: Vec<_> = bad.chunks(portion).map(|bytes| decoder.decode(&mut bytes.to_vec()).err()).collect();
            assert_eq!(results.iter().filter(|result| result.is_some()).count(), 1, "{bad:x?}");
            let decoded = decoder.decode(&mut next.clone()).map(|decoded| (decoded.consumed, decoded.event.is_none()));
            assert_eq!(decoded, Ok((next.len(), true)), "{bad:x?}");
        }
    }
}

#[test]
fn rfc_6455_7_4_and_protocol_6_codes_of_a_close_frame() {
    for code in 0..=u16::MAX {
        let allowed = match code {
            // 7.4.1, and codes registered since then.
            1000..=1003 | 1007..=1014 => true,
            // 7.4.1: never in a frame.
            1004..=1006 | 1015 => false,
            // 7.4.2: for libraries and applications.
            3000..=4999 => true,
            _ => false,
        };
        let result = decode(Role::Server, Limits::default(), &frame(true, Opcode::Close, &code.to_be_bytes()), &[]);
        let expected = if allowed {
            (vec![Owned::Close(Some((code, String::new())))], None)
        } else {
            (vec![], Some(Violation::ClosePayload))
        };
        assert_eq!(result, expected, "{code}");
    }
}

#[test]
fn rfc_6455_7_4_1_the_code_of_each_violation() {
    for (bytes, code) in [
        (frame(true, Opcode::Text, b"\xff"), 1007),
        (frame(true, Opcode::Close, b"\x03\xe8\xff"), 1007),
        (frame(true, Opcode::Close, b"\x00\x00"), 1002),
        (frame(true, Opcode::Binary, &[0; 65_537]), 1009),
        (frame(true, Opcode::Continuation, b""), 1002),
    ] {
        assert_eq!(violation(&bytes).map(Violation::close_code), Some(code));
    }
}

#[test]
fn rfc_6455_8_1_text_is_checked_across_fragments() {
    let text = |parts: &[&[u8]]| {
        let (last, first) = parts.split_last().unwrap();
        let mut bytes = Vec::new();
        for (i, part) in first.iter().enumerate() {
            bytes.extend(frame(false, if i == 0 { Opcode::Text } else { Opcode::Continuation }, part));
        }
        bytes.extend(frame(true, if first.is_empty() { Opcode::Text } else { Opcode::Continuation }, last));
        server(&bytes)
    };
    assert_eq!(text(&[b"\xe2", b"\x82", b"", b"\xac"]), (vec![Owned::Text("€".into())], None));
    // Half a character, a surrogate, an overlong form, beyond U+10FFFF.
    for parts in [
        &[&b"\xe2\x82"[..], b""][..],
        &[b"\xe2", b"x"],
        &[b"\xed", b"\xa0\x80"],
        &[b"\xc0", b"\x80"],
        &[b"\xf4", b"\x90", b"\x80\x80"],
        &[b"\xf0\x9f", b"\x98", b""],
    ] {
        assert_eq!(text(parts), (vec![], Some(Violation::Utf8)), "{parts:x?}");
    }
}

#[test]
fn a_limit_of_zero_fragments_means_one() {
    let limits = Limits::default().max_fragments(0);
    let bytes = frame(true, Opcode::Text, b"hi");
    for cuts in [&[][..], &[1], &[7]] {
        assert_eq!(decode(Role::Server, limits, &bytes, cuts), (vec![Owned::Text("hi".into())], None));
    }
}
