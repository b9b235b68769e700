//! The envelope: `{"type", "meta", "payload"}`.
//!
//! Reading an envelope borrows from the frame and leaves the payload raw until the route is known.
//! [`RawPayload`] hides the codec, so that others than JSON can be added.

mod fast_path;
mod inbound;
mod meta;
mod outbound;

mod wire;

pub use self::{
    inbound::{Inbound, MalformedEnvelope, extended_meta_from_json, raw_payload_of_json},
    meta::{InboundMeta, MetaProblem},
    outbound::{Head, write_control, write_error, write_progress},
    wire::{Codec, EnvelopeStyle, Wire, WireFrame},
};
pub use crate::decode::RawPayload;
