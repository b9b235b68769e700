//! Envelopes as clients mostly write them, read without a parser: `type`, `meta`, `payload`, in
//! this order, without white space or escapes. It takes half the time; everything else is left to
//! the parser, which gives the same for these, too.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Inbound, InboundMeta, RawPayload};

/// As long as a number of milliseconds stays exact.
const MAX_DIGITS: usize = 15;

impl<'a> Inbound<'a> {
    /// `None` for what is not so plain, or not an envelope at all.
    pub(super) fn from_plain(frame: &'a str) -> Option<Self> {
        let rest = frame.strip_prefix(r#"{"type":""#)?.strip_suffix('}')?;
        let (message_type, rest) = plain_text(rest)?;
        let (meta, rest) = match rest.strip_prefix(r#","meta":{"#) {
            Some(rest) => plain_meta(rest)?,
            None => (InboundMeta::default(), rest),
        };
        let payload = match rest.strip_prefix(r#","payload":"#) {
            // Whatever else follows makes it no single value.
            Some(rest) if rest.starts_with('{') => Some(serde_json::from_str::<&RawValue>(rest).ok()?.get()),
            None if rest.is_empty() => None,
            _ => return None,
        };
        Some(Self { message_type: Cow::Borrowed(message_type), meta, payload: payload.map(RawPayload::Json) })
    }
}

/// The rest of a string in which nothing is escaped, and what is behind it.
fn plain_text(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
    let (plain, rest) = text.split_at(end);
    Some((plain, rest.strip_prefix('"')?))
}

/// The rest of a `meta` of plain keys, each there once, and what is behind it.
fn plain_meta(mut text: &str) -> Option<(InboundMeta<'_>, &str)> {
    let mut meta = InboundMeta::default();
    if let Some(rest) = text.strip_prefix('}') {
        return Some((meta, rest));
    }
    loop {
        if let Some(rest) = text.strip_prefix(r#""correlationId":""#).filter(|_| meta.correlation_id.is_none()) {
            let (id, rest) = plain_text(rest).filter(|(id, _)| (1..=128).contains(&id.len()))?;
            meta.correlation_id = Some(Cow::Borrowed(id));
            text = rest;
        } else {
            let rest = text.strip_prefix(r#""timestamp":"#).filter(|_| meta.timestamp.is_none())?;
            let (timestamp, rest) = plain_number(rest)?;
            meta.timestamp = Some(timestamp);
            text = rest;
        }
        match text.split_at_checked(1)? {
            (",", rest) => text = rest,
            ("}", rest) => return Some((meta, rest)),
            _ => return None,
        }
    }
}

/// A whole number without sign, and what is behind it.
fn plain_number(text: &str) -> Option<(f64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if digits == 0 || digits > MAX_DIGITS || (digits > 1 && number.starts_with('0')) {
        return None;
    }
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser makes of it, and what the plain way does, if it is one.
    fn both(frame: &str) -> (Option<String>, Option<String>) {
        let show = |inbound: Inbound<'_>| format!("{inbound:?}");
        (Inbound::parse(frame).ok().map(show), Inbound::from_plain(frame).map(show))
    }

    #[test]
    fn plain_envelopes_are_what_the_parser_makes_of_them() {
        for frame in [
            r#"{"type":"A"}"#,
            r#"{"type":"A","meta":{}}"#,
            r#"{"type":"A","payload":{}}"#,
            r#"{"type":"é","meta":{"correlationId":"é"},"payload":{"a":[{}," }",1e3]}}"#,
            r#"{"type":"A","meta":{"correlationId":"c","timestamp":1700000000000},"payload":{"a":1}}"#,
            r#"{"type":"A","meta":{"timestamp":0,"correlationId":"c"}}"#,
            r#"{"type":"","meta":{"timestamp":999999999999999},"payload":{ } }"#,
        ] {
            let (parsed, plain) = both(frame);
            assert!(plain.is_some() && plain == parsed, "{frame}: {plain:?} {parsed:?}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        let long = format!(r#"{{"type":"A","meta":{{"correlationId":"{}"}}}}"#, "x".repeat(129));
        for frame in [
            "",
            "{}",
            r#"{"type":"A""#,
            r#"{"type":"A"}}"#,
            r#"{"type":"A"} "#,
            r#"{"type": "A"}"#,
            r#"{"type":"\u0041"}"#,
            "{\"type\":\"A\u{1}\"}",
            r#"{"type":"A","type":"B"}"#,
            r#"{"type":"A","x":1}"#,
            r#"{"type":"A","meta":null}"#,
            r#"{"type":"A","meta":{"x":1}}"#,
            r#"{"type":"A","meta":{"timestamp":01}}"#,
            r#"{"type":"A","meta":{"timestamp":1.5}}"#,
            r#"{"type":"A","meta":{"timestamp":1e3}}"#,
            r#"{"type":"A","meta":{"timestamp":-1}}"#,
            r#"{"type":"A","meta":{"timestamp":1,"timestamp":2}}"#,
            r#"{"type":"A","meta":{"correlationId":"a","correlationId":"b"}}"#,
            r#"{"type":"A","meta":{"correlationId":""}}"#,
            r#"{"type":"A","meta":{"correlationId":1}}"#,
            r#"{"type":"A","meta":{"correlationId":"a",}}"#,
            r#"{"type":"A","meta":{},"meta":{}}"#,
            r#"{"type":"A","payload":1}"#,
            r#"{"type":"A","payload":{"a":1},"x":{}}"#,
            r#"{"type":"A","payload":{},"payload":{}}"#,
            r#"{"type":"A","payload":{"a":}}"#,
            r#"{"type":"A","payload":{}"#,
            &long,
        ] {
            assert_eq!(both(frame).1, None, "{frame}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_read_in_two_ways(pieces in proptest::collection::vec(0..PIECES.len(), 0..12)) {
            let frame: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
            for frame in [&frame, &format!(r#"{{"type":"{frame}}}"#)] {
                let (parsed, plain) = both(frame);
                proptest::prop_assert!(plain.is_none() || plain == parsed, "{frame}: {plain:?} {parsed:?}");
            }
        }
    }

    const PIECES: &[&str] = &[
        r#"{"type":""#,
        "A",
        "\"",
        r#"","meta":{"#,
        r#"},"payload":{"#,
        r#","payload":"#,
        r#""correlationId":""#,
        "{",
        "}",
        r#""timestamp":"#,
        "12",
        "0",
        ",",
        ":",
        "\\",
        "é",
        "[",
        "]",
        " ",
        "null",
        r#""x":1"#,
    ];
}
