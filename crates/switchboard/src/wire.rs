//! Frames on the wire: messages encoded once for all, and the forms that connections take them in.

pub(crate) mod encode;
mod frame;
mod variants;

pub(crate) use self::{
    frame::{Frame, frame_start},
    variants::{Variants, encode_for},
};
