use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const STANDARD: &str =
    r#"{"type":"A","meta":{"correlationId":"c1","timestamp":1},"payload":{"n":1.0,"text":"ü\"","list":[null,-3]}}"#;

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn flat_envelopes() {
    let flat = Wire::json(EnvelopeStyle::Flat);
    let Some(WireFrame::Text(text)) = flat.from_standard(STANDARD) else { panic!("no text") };
    let expected = json!({
        "type": "A", "meta": { "correlationId": "c1", "timestamp": 1 }, "n": 1.0, "text": "ü\"", "list": [null, -3]
    });
    assert_eq!(value(&text), expected);
    assert_eq!(value(&flat.text_to_standard(&text).unwrap()), value(STANDARD));
    // No other key, no payload.
    assert_eq!(flat.text_to_standard(r#"{"type":"A"}"#).unwrap(), r#"{"type":"A"}"#);
    for bad in ["x", "[]", r#"{"type":"A","a":1,"a":2}"#, r#"{"type":"A","a":1,"\u0061":2}"#] {
        assert_eq!(flat.text_to_standard(bad), Err(MalformedEnvelope), "{bad}");
    }
}

#[test]
fn another_payload_key() {
    let data = Wire::json(EnvelopeStyle::PayloadKey("data".into()));
    let Some(WireFrame::Text(text)) = data.from_standard(r#"{"type":"A","meta":{},"payload":{"a":1}}"#) else {
        panic!("no text")
    };
    assert_eq!(text, r#"{"type":"A","meta":{},"data":{"a":1}}"#);
    let back = data.text_to_standard(r#"{"data":{"a":1},"type":"A","payload":{"b":2}}"#).unwrap();
    assert_eq!(back, r#"{"type":"A","payload":{"a":1}}"#);
}

#[test]
fn messagepack_is_the_same_document() {
    let packed = Wire::messagepack(EnvelopeStyle::Standard);
    let Some(WireFrame::Binary(bytes)) = packed.from_standard(STANDARD) else { panic!("no bytes") };
    assert_eq!(value(&packed.messagepack_to_standard(&bytes).unwrap()), value(STANDARD));
    // Byte strings are arrays of numbers.
    let bytes = [0x81, 0xa1, b'a', 0xc4, 2, 1, 255];
    assert_eq!(packed.messagepack_to_standard(&bytes).unwrap(), r#"{"a":[1,255]}"#);
}

#[test]
fn what_json_does_not_have_becomes_a_number_out_of_range() {
    let packed = Wire::messagepack(EnvelopeStyle::Standard);
    for (bytes, json) in [
        (&[0x81, 0xa1, b'a', 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0][..], r#"{"a":1e999}"#),
        (&[0x81, 0xa1, b'a', 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], r#"{"a":1e999}"#),
        (&[0x81, 0xa1, b'a', 0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0], r#"{"a":-1e999}"#),
        (&[0x81, 0xa1, b'a', 0xca, 0x7f, 0xc0, 0, 0], r#"{"a":1e999}"#),
        (&[0x81, 0xa1, b'a', 0xca, 0xff, 0x80, 0, 0], r#"{"a":-1e999}"#),
        (&[0x81, 0xa1, b'a', 0xca, 0x3d, 0xcc, 0xcc, 0xcd], r#"{"a":0.1}"#),
        // Extension types: one byte of the application's own, timestamps of 4, 8 and 12 bytes, none.
        (&[0x81, 0xa1, b'a', 0xd4, 5, 1], r#"{"a":1e999}"#),
        (&[0x82, 0xa1, b'a', 0xd6, 0xff, 0, 0, 0, 9, 0xa1, b'b', 1], r#"{"a":1e999,"b":1}"#),
        (&[0x81, 0xa1, b'a', 0x92, 0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 9, 2], r#"{"a":[1e999,2]}"#),
        (&[0x81, 0xa1, b'a', 0xc7, 12, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], r#"{"a":1e999}"#),
        (&[0x81, 0xa1, b'a', 0xc7, 0, 7], r#"{"a":1e999}"#),
        // Keys are strings in JSON.
        (&[0x83, 1, 2, 0xff, 3, 0xc3, 4], r#"{"1":2,"-1":3,"true":4}"#),
    ] {
        assert_eq!(packed.messagepack_to_standard(bytes).as_deref(), Ok(json));
    }
    for bad in [
        &[0x81, 0xc0, 1][..],
        &[0x81, 0x90, 1],
        &[0x81, 0xd4, 5, 1, 1],
        &[0x81, 0xa1, b'a', 0xd6, 0xff, 0, 0],
        &[0x81, 0xca, 0x3d, 0xcc, 0xcc, 0xcd, 1],
    ] {
        assert_eq!(packed.messagepack_to_standard(bad), Err(MalformedEnvelope), "{bad:x?}");
    }
}

#[test]
fn numbers_stay_numbers_in_messagepack() {
    let packed = Wire::messagepack(EnvelopeStyle::Standard);
    let bytes = |json: &str| match packed.from_standard(json) {
        Some(WireFrame::Binary(bytes)) => Some(bytes),
        _ => None,
    };
    assert_eq!(bytes("3.5"), Some(vec![0xcb, 0x40, 0x0c, 0, 0, 0, 0, 0, 0]));
    assert_eq!(bytes("[1,-1,300]"), Some(vec![0x93, 1, 0xff, 0xcd, 1, 0x2c]));
    assert_eq!(bytes("1e1"), Some(vec![0xcb, 0x40, 0x24, 0, 0, 0, 0, 0, 0]));
    assert_eq!(bytes("18446744073709551615"), Some([&[0xcf_u8][..], &[0xff; 8]].concat()));
    assert_eq!(bytes("-9223372036854775808"), Some(vec![0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(bytes(r#"{"a":{},"b":[[],"\n"]}"#), Some(b"\x82\xa1a\x80\xa1b\x92\x90\xa1\n".to_vec()));
    assert_eq!(bytes("1e999"), None);
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(bytes(&nested(128)).is_some());
    assert_eq!(bytes(&nested(129)), None);
}

#[test]
fn messagepack_that_declares_more_than_it_has_is_malformed() {
    let packed = Wire::messagepack(EnvelopeStyle::Standard);
    for bad in [
        &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff, b'x'],
        &[0xc6, 0xff, 0xff, 0xff, 0xff, 1],
        &[0xc1],
        &[0x80, 0x80],
        &[],
        &[0x91; 100_000],
    ] {
        assert_eq!(packed.messagepack_to_standard(bad), Err(MalformedEnvelope), "{:?}", &bad[..bad.len().min(8)]);
    }
}

#[test]
fn values_without_a_place_in_a_flat_envelope_are_refused() {
    let flat = Wire::json(EnvelopeStyle::Flat);
    for payload in ["1", "null", "[1]", r#""x""#, r#"{"a":1,"type":"x"}"#, r#"{"meta":{}}"#] {
        assert_eq!(flat.from_standard(&format!(r#"{{"type":"A","meta":{{}},"payload":{payload}}}"#)), None);
    }
    assert!(flat.from_standard(r#"{"type":"A","meta":{},"payload":{}}"#).is_some());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let packed = Wire::messagepack(EnvelopeStyle::Flat);
        let _ = packed.messagepack_to_standard(&bytes);
    }

    #[test]
    fn every_style_and_codec_comes_back(
        keys in proptest::collection::btree_map("[a-z\"\\\\ü]{1,6}", any::<i64>(), 1..6),
        flat in any::<bool>(),
        packed in any::<bool>(),
    ) {
        prop_assume!(!keys.contains_key("type") && !keys.contains_key("meta"));
        let envelope = json!({ "type": "A", "meta": { "timestamp": 5 }, "payload": keys });
        let style = if flat { EnvelopeStyle::Flat } else { EnvelopeStyle::PayloadKey("d".into()) };
        let wire = Wire { style, codec: if packed { Codec::MessagePack } else { Codec::Json } };
        let back = match wire.from_standard(&envelope.to_string()).unwrap() {
            WireFrame::Text(text) => wire.text_to_standard(&text).unwrap().into_owned(),
            WireFrame::Binary(bytes) => wire.messagepack_to_standard(&bytes).unwrap(),
        };
        prop_assert_eq!(value(&back), envelope);
    }
}
