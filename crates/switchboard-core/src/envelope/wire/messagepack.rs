//! JSON documents as MessagePack and back.

use crate::envelope::MalformedEnvelope;

/// As serde_json's own limit.
const MAX_DEPTH: usize = 128;

/// One MessagePack value as JSON; what stands behind it is an error.
pub(super) fn to_json(frame: &[u8]) -> Result<String, MalformedEnvelope> {
    let mut rest = frame;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(MAX_DEPTH);
    let mut json = Vec::with_capacity(frame.len() * 2);
    serde_transcode::transcode(&mut reader, &mut serde_json::Serializer::new(&mut json))
        .map_err(|_| MalformedEnvelope)?;
    drop(reader);
    if !rest.is_empty() {
        return Err(MalformedEnvelope);
    }
    String::from_utf8(json).map_err(|_| MalformedEnvelope)
}

/// A JSON document as MessagePack. `None` if it is none.
pub(super) fn from_json(json: &str) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(json.len());
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_transcode::transcode(&mut reader, &mut rmp_serde::Serializer::new(&mut packed)).ok()?;
    Some(packed)
}
