//! A compressed message inside another one.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use switchboard::{Message, WsError, ws_message, ws_payload};

/// The maximum size of an unpacked message. A few bytes of gzip can become gigabytes.
pub(crate) const MAX_UNPACKED: u64 = 256 * 1024;

#[ws_message("COMPRESSED")]
pub(crate) struct Compressed {
    encoding: Encoding,
    /// In base64.
    data: String,
}

#[ws_payload]
enum Encoding {
    Gzip,
}

/// The message inside.
#[derive(Deserialize)]
pub(crate) struct Envelope {
    #[serde(rename = "type")]
    message_type: String,
    payload: Option<Box<RawValue>>,
}

/// The same, to be written.
#[derive(Serialize)]
struct EnvelopeOf<'a, M> {
    #[serde(rename = "type")]
    message_type: &'static str,
    payload: &'a M,
}

impl Compressed {
    pub(crate) fn pack<M: Message>(message: &M) -> Result<Self, WsError> {
        let json =
            serde_json::to_vec(&EnvelopeOf { message_type: M::TYPE, payload: message }).map_err(WsError::internal)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&json).map_err(WsError::internal)?;
        let bytes = encoder.finish().map_err(WsError::internal)?;
        Ok(Self { encoding: Encoding::Gzip, data: BASE64_STANDARD.encode(bytes) })
    }

    /// Unpacks on this thread: up to the limit, that takes about a millisecond.
    pub(crate) fn unpack(&self) -> Result<Envelope, WsError> {
        let Encoding::Gzip = self.encoding;
        let bytes = BASE64_STANDARD.decode(&self.data).map_err(|_| invalid("data is not base64"))?;
        let mut json = Vec::new();
        // Reads one byte above the limit, to detect a larger message.
        let mut decoder = GzDecoder::new(&*bytes).take(MAX_UNPACKED + 1);
        decoder.read_to_end(&mut json).map_err(|_| invalid("data is not gzip"))?;
        if json.len() as u64 > MAX_UNPACKED {
            let error = WsError::resource_exhausted("The message is too large when it is unpacked");
            return Err(error.with_detail("limit", MAX_UNPACKED).never_retry());
        }
        serde_json::from_slice(&json).map_err(|_| invalid("data is not a message"))
    }
}

impl Envelope {
    pub(crate) fn message_type(&self) -> &str {
        &self.message_type
    }

    /// Returns the message, checked as if it had arrived by itself.
    pub(crate) fn decode<M: Message>(&self) -> Result<M, WsError> {
        let payload = self.payload.as_deref().map_or("{}", RawValue::get);
        let message: M = serde_json::from_str(payload).map_err(|_| invalid("the payload inside is not valid"))?;
        message.validate().map_err(|issues| WsError::invalid_payload(&issues))?;
        Ok(message)
    }
}

fn invalid(text: &'static str) -> WsError {
    WsError::invalid_argument(text)
}
