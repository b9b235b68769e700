//! The messages: writes requests, checks replies and events.

use std::{fmt::Write as _, str};

use serde::Deserialize;

/// The topic of all members.
pub(super) const TOPIC: &str = "bench";

/// The first message of each connection.
pub(super) const JOIN: &str = r#"{"type":"JOIN","meta":{"correlationId":"join"},"payload":{"topic":"bench"}}"#;

/// How many digits a sequence number has.
const DIGITS: usize = 10;

/// Writes a request, which has the same length for every id.
pub(super) fn calc(out: &mut String, id: u64) {
    out.clear();
    let id = id % 10_u64.pow(DIGITS as u32);
    _ = write!(
        out,
        r#"{{"type":"CALC","meta":{{"correlationId":"{id:010}"}},"payload":{{"a":{},"b":7,"op":"add"}}}}"#,
        term(id)
    );
}

/// A number that distinguishes replies.
fn term(id: u64) -> u64 {
    100_000 + id % 1000
}

/// Returns the id of a reply, if the result is that of its request.
pub(super) fn check_reply(text: &[u8]) -> Result<u64, String> {
    let (id, result) = quick_reply(text).or_else(|| slow_reply(text)).ok_or_else(|| unexpected(text))?;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    if result == (term(id) + 7) as f64 { Ok(id) } else { Err(format!("a wrong result: {}", shown(text))) }
}

/// Parses a reply in the form that the servers here write.
fn quick_reply(text: &[u8]) -> Option<(u64, f64)> {
    let (id, rest) =
        text.strip_prefix(br#"{"type":"CALC_RESULT","meta":{"correlationId":""#)?.split_at_checked(DIGITS)?;
    let rest = timestamp(rest.strip_prefix(b"\"")?)?.strip_prefix(br#","payload":{"result":"#)?;
    let result = str::from_utf8(rest.strip_suffix(b"}}")?).ok()?.parse().ok()?;
    Some((number(id)?, result))
}

/// Parses a reply in any other form with the same content.
fn slow_reply(text: &[u8]) -> Option<(u64, f64)> {
    #[derive(Deserialize)]
    struct Reply<'a> {
        r#type: &'a str,
        meta: Meta<'a>,
        payload: Payload,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta<'a> {
        correlation_id: &'a str,
    }
    #[derive(Deserialize)]
    struct Payload {
        result: f64,
    }
    let reply: Reply<'_> = serde_json::from_slice(text).ok()?;
    (reply.r#type == "CALC_RESULT").then_some((reply.meta.correlation_id.parse().ok()?, reply.payload.result))
}

/// Whether a text is the reply to [`JOIN`].
pub(super) fn is_joined(text: &[u8]) -> bool {
    text.starts_with(br#"{"type":"JOINED","meta":{"correlationId":"join""#)
}

/// Events with this many bytes of data, which differ only in a leading number.
#[derive(Debug, Clone)]
pub(super) struct Events {
    rest: String,
}

impl Events {
    pub(super) fn new(size: usize) -> Self {
        Self { rest: "event ".chars().cycle().take(size.saturating_sub(DIGITS)).collect() }
    }

    /// Writes a publish.
    pub(super) fn publish(&self, out: &mut String, topic: &str, number: u64) {
        out.clear();
        let rest = &self.rest;
        _ = write!(
            out,
            r#"{{"type":"PUBLISH","meta":{{}},"payload":{{"topic":"{topic}","data":"{number:010}{rest}"}}}}"#
        );
    }

    /// Returns the number of an event, whose other data must be unchanged.
    pub(super) fn check(&self, text: &[u8]) -> Result<u64, String> {
        self.quick(text).or_else(|| self.slow(text)).ok_or_else(|| unexpected(text))
    }

    fn quick(&self, text: &[u8]) -> Option<u64> {
        let rest = timestamp(text.strip_prefix(br#"{"type":"EVENT","meta":{"#)?.strip_prefix(b"\"timestamp\":")?)?;
        self.data(rest.strip_prefix(br#","payload":{"topic":"bench","data":""#)?.strip_suffix(b"\"}}")?)
    }

    fn slow(&self, text: &[u8]) -> Option<u64> {
        #[derive(Deserialize)]
        struct Event<'a> {
            r#type: &'a str,
            payload: Payload<'a>,
        }
        #[derive(Deserialize)]
        struct Payload<'a> {
            topic: &'a str,
            data: &'a str,
        }
        let event: Event<'_> = serde_json::from_slice(text).ok()?;
        let right = event.r#type == "EVENT" && event.payload.topic == TOPIC;
        right.then(|| self.data(event.payload.data.as_bytes())).flatten()
    }

    fn data(&self, data: &[u8]) -> Option<u64> {
        let (digits, rest) = data.split_at_checked(DIGITS)?;
        (rest == self.rest.as_bytes()).then(|| number(digits)).flatten()
    }
}

/// Returns the text behind the digits of a timestamp and the brace after them, with or without the
/// key in front.
fn timestamp(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b",\"timestamp\":").unwrap_or(text);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[digits..].strip_prefix(b"}")
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

fn unexpected(text: &[u8]) -> String {
    format!("unexpected: {}", shown(text))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_parsed_in_any_form() {
        for text in [
            r#"{"type":"CALC_RESULT","meta":{"correlationId":"0000000042","timestamp":1},"payload":{"result":100049.0}}"#,
            r#"{"payload":{"result":100049},"type":"CALC_RESULT","meta":{"timestamp":1,"correlationId":"0000000042"}}"#,
        ] {
            assert_eq!(check_reply(text.as_bytes()), Ok(42), "{text}");
        }
        let wrong =
            r#"{"type":"CALC_RESULT","meta":{"correlationId":"0000000042","timestamp":1},"payload":{"result":1.0}}"#;
        assert!(check_reply(wrong.as_bytes()).unwrap_err().starts_with("a wrong result: "));
        let error = r#"{"type":"RPC_ERROR","meta":{"correlationId":"0000000042"},"payload":{}}"#;
        assert!(check_reply(error.as_bytes()).unwrap_err().starts_with("unexpected: "));
    }

    #[test]
    fn the_fast_path_is_taken() {
        let reply = br#"{"type":"CALC_RESULT","meta":{"correlationId":"0000000042","timestamp":1},"payload":{"result":100049.0}}"#;
        assert_eq!(quick_reply(reply), Some((42, 100_049.0)));
        let events = Events::new(12);
        let event = br#"{"type":"EVENT","meta":{"timestamp":17},"payload":{"topic":"bench","data":"0000000007ev"}}"#;
        assert_eq!(events.quick(event), Some(7));
    }

    #[test]
    fn events_are_parsed_in_any_form() {
        let events = Events::new(12);
        let other = br#"{"payload":{"data":"0000000007ev","topic":"bench"},"type":"EVENT"}"#;
        assert_eq!(events.check(other), Ok(7));
        let changed = br#"{"type":"EVENT","meta":{"timestamp":17},"payload":{"topic":"bench","data":"0000000007eV"}}"#;
        assert!(events.check(changed).is_err());
        let mut text = String::new();
        events.publish(&mut text, TOPIC, 7);
        assert_eq!(text, r#"{"type":"PUBLISH","meta":{},"payload":{"topic":"bench","data":"0000000007ev"}}"#);
    }

    #[test]
    fn all_requests_have_the_same_length() {
        let (mut first, mut last) = (String::new(), String::new());
        calc(&mut first, 0);
        calc(&mut last, u64::MAX);
        assert_eq!(first.len(), last.len());
    }
}
