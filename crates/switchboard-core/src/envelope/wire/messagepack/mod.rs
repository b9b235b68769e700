//! JSON documents as MessagePack and back.

mod reading;
mod writing;

use serde::{Deserializer as _, Serialize as _};

use crate::envelope::MalformedEnvelope;

/// As serde_json's own limit.
const MAX_DEPTH: usize = 128;

/// One MessagePack value as JSON; what stands behind it is an error.
///
/// JSON has neither NaN, nor infinity, nor extension types. They become numbers that no type holds, so that they are
/// refused where they are read, with their path, and ignored where nothing reads them.
pub(super) fn to_json(frame: &[u8]) -> Result<String, MalformedEnvelope> {
    let mut rest = frame;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(MAX_DEPTH);
    let mut json = Vec::with_capacity(frame.len() * 2);
    reader.deserialize_any(reading::Value(&mut json)).map_err(|_| MalformedEnvelope)?;
    drop(reader);
    if !rest.is_empty() {
        return Err(MalformedEnvelope);
    }
    String::from_utf8(json).map_err(|_| MalformedEnvelope)
}

/// A JSON document as MessagePack. `None` if it is none, if it is nested too deeply, or if a number is
/// out of the range of `f64`.
pub(super) fn from_json(json: &str) -> Option<Vec<u8>> {
    let document = writing::Document::of(json)?;
    let mut packed = Vec::with_capacity(json.len());
    document.serialize(&mut rmp_serde::Serializer::new(&mut packed)).ok()?;
    Some(packed)
}
