//! Outgoing frames: messages are encoded once, and converted once per other envelope.

pub(crate) mod encode;
mod frame;
mod variants;

pub(crate) use self::{
    frame::{Frame, frame_start},
    variants::{Variants, encode_for},
};
