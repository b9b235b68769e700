//! Writing envelopes.

use serde::Serialize;

use crate::{Message, MessageMeta, WsError};

/// The parts of an outgoing envelope other than the message.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The correlation id of the message that this answers.
    pub correlation_id: Option<&'a str>,
    /// The server's clock in milliseconds since 1970.
    pub timestamp_ms: u64,
}

impl Head<'_> {
    /// Appends the JSON envelope of a message.
    ///
    /// ```
    /// # use switchboard_core::{Event, Message, envelope::Head};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Pong { text: String }
    /// # impl Message for Pong { type Kind = Event; type Meta = (); const TYPE: &'static str = "PONG"; }
    /// let mut out = Vec::new();
    /// let head = Head { correlation_id: Some("c1"), timestamp_ms: 5 };
    /// head.write(&mut out, &Pong { text: "hi".into() }).unwrap();
    /// assert_eq!(out, br#"{"type":"PONG","meta":{"correlationId":"c1","timestamp":5},"payload":{"text":"hi"}}"#);
    /// ```
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the message does not serialise; `out` is then unchanged.
    pub fn write<M: Message>(&self, out: &mut Vec<u8>, message: &M) -> Result<(), WsError> {
        self.write_with_meta::<M>(out, message, None)
    }

    /// The same, with the keys that the type declares in `meta`.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the message or its meta does not serialise; `out` is then unchanged.
    pub fn write_with_meta<M: Message>(
        &self,
        out: &mut Vec<u8>,
        message: &M,
        meta: Option<&M::Meta>,
    ) -> Result<(), WsError> {
        let start = out.len();
        let written = self.try_write(out, message, meta);
        if let Err(error) = written {
            out.truncate(start);
            return Err(WsError::internal(format!("{} does not serialise: {error}", M::TYPE)));
        }
        Ok(())
    }

    /// Appends the envelope of a message whose payload is JSON already.
    pub fn write_raw(&self, out: &mut Vec<u8>, message_type: &str, payload: Option<&str>) {
        let start = out.len();
        if self.open(out, message_type).is_err() {
            // Only a `Vec` is written to.
            return out.truncate(start);
        }
        out.push(b'}');
        if let Some(payload) = payload {
            out.extend_from_slice(br#","payload":"#);
            out.extend_from_slice(payload.as_bytes());
        }
        out.push(b'}');
    }

    fn try_write<M: Message>(&self, out: &mut Vec<u8>, message: &M, meta: Option<&M::Meta>) -> serde_json::Result<()> {
        self.open(out, M::TYPE)?;
        if let Some(meta) = meta.filter(|_| M::Meta::DECLARED) {
            // An object's text without its braces continues ours.
            let keys = serde_json::to_vec(meta)?;
            if let Some(inner) = keys.strip_prefix(b"{").and_then(|keys| keys.strip_suffix(b"}"))
                && !inner.is_empty()
            {
                out.push(b',');
                out.extend_from_slice(inner);
            }
        }
        out.push(b'}');
        if M::HAS_PAYLOAD {
            out.extend_from_slice(br#","payload":"#);
            serde_json::to_writer(&mut *out, message)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// Writes everything before the brace that closes `meta`.
    fn open(&self, out: &mut Vec<u8>, message_type: &str) -> serde_json::Result<()> {
        out.extend_from_slice(br#"{"type":"#);
        write_str(out, message_type)?;
        out.extend_from_slice(br#","meta":{"#);
        if let Some(id) = self.correlation_id {
            out.extend_from_slice(br#""correlationId":"#);
            write_str(out, id)?;
            out.push(b',');
        }
        out.extend_from_slice(br#""timestamp":"#);
        serde_json::to_writer(&mut *out, &self.timestamp_ms)
    }
}

/// Appends an `ERROR` or, for a request, an `RPC_ERROR`.
pub fn write_error(out: &mut Vec<u8>, head: Head<'_>, is_rpc: bool, error: &WsError) {
    let start = out.len();
    if write_any(out, head, if is_rpc { "RPC_ERROR" } else { "ERROR" }, error).is_err() {
        // Only a `Vec` is written to and an error's parts are plain JSON; nothing half-written may leave.
        out.truncate(start);
    }
}

/// Appends a message of the protocol's own, such as `$ws:hello`.
///
/// # Errors
///
/// `INTERNAL` if the payload does not serialise; `out` is then unchanged.
pub fn write_control(
    out: &mut Vec<u8>,
    head: Head<'_>,
    message_type: &str,
    payload: &impl Serialize,
) -> Result<(), WsError> {
    let start = out.len();
    write_any(out, head, message_type, payload).map_err(|error| {
        out.truncate(start);
        WsError::internal(format!("{message_type} does not serialise: {error}"))
    })
}

/// Appends the progress of a request: the same value under two keys, since older clients read the
/// other one.
///
/// # Errors
///
/// `INTERNAL` if the value does not serialise; `out` is then unchanged.
pub fn write_progress(out: &mut Vec<u8>, correlation_id: &str, value: &impl Serialize) -> Result<(), WsError> {
    let start = out.len();
    let mut write = || -> serde_json::Result<()> {
        out.extend_from_slice(br#"{"type":"$ws:rpc-progress","meta":{"correlationId":"#);
        write_str(out, correlation_id)?;
        out.extend_from_slice(br#"},"data":"#);
        let data = out.len();
        serde_json::to_writer(&mut *out, value)?;
        let end = out.len();
        out.extend_from_slice(br#","payload":"#);
        out.extend_from_within(data..end);
        out.push(b'}');
        Ok(())
    };
    write().map_err(|error| {
        out.truncate(start);
        WsError::internal(format!("the progress does not serialise: {error}"))
    })
}

fn write_any(
    out: &mut Vec<u8>,
    head: Head<'_>,
    message_type: &str,
    payload: &impl Serialize,
) -> serde_json::Result<()> {
    head.open(out, message_type)?;
    out.extend_from_slice(br#"},"payload":"#);
    serde_json::to_writer(&mut *out, payload)?;
    out.push(b'}');
    Ok(())
}

/// A JSON string. Most ids and all common tags need no escapes.
fn write_str(out: &mut Vec<u8>, text: &str) -> serde_json::Result<()> {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        Ok(())
    } else {
        serde_json::to_writer(out, text)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Event;

    #[derive(Serialize, Deserialize)]
    struct Empty;

    impl Message for Empty {
        type Kind = Event;
        type Meta = ();
        const TYPE: &'static str = "EMPTY";
        const HAS_PAYLOAD: bool = false;
    }

    #[derive(Serialize, Deserialize)]
    struct Room {
        room: String,
    }

    impl MessageMeta for Room {}

    #[derive(Serialize, Deserialize)]
    struct Noted {
        text: String,
    }

    impl Message for Noted {
        type Kind = Event;
        type Meta = Room;
        const TYPE: &'static str = "NO\"TED";
    }

    const HEAD: Head<'static> = Head { correlation_id: None, timestamp_ms: 1 };

    #[test]
    fn a_message_without_payload_has_no_payload_key() {
        let mut out = Vec::new();
        HEAD.write(&mut out, &Empty).unwrap();
        assert_eq!(out, br#"{"type":"EMPTY","meta":{"timestamp":1}}"#);
    }

    #[test]
    fn extended_meta_and_escapes() {
        let mut out = Vec::new();
        let head = Head { correlation_id: Some("a\\\u{1}"), timestamp_ms: 1 };
        head.write_with_meta(&mut out, &Noted { text: "x".into() }, Some(&Room { room: "r".into() })).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"type":"NO\"TED","meta":{"correlationId":"a\\\u0001","timestamp":1,"room":"r"},"payload":{"text":"x"}}"#
        );
    }

    #[test]
    fn progress_has_both_keys() {
        let mut out = Vec::new();
        write_progress(&mut out, "c\"1", &[1]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"type":"$ws:rpc-progress","meta":{"correlationId":"c\"1"},"data":[1],"payload":[1]}"#
        );
    }

    #[test]
    fn errors() {
        let mut out = Vec::new();
        write_error(&mut out, HEAD, false, &WsError::not_found("no"));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"type":"ERROR","meta":{"timestamp":1},"payload":{"code":"NOT_FOUND","message":"no","retryable":false}}"#
        );
    }
}
