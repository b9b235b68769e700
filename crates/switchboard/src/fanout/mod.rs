//! Topics and their members, and the output of one turn of a connection's task.
//!
//! Members are generic over [`Subscriber`]: this module does not know connections or hubs.

mod chunked;
mod flush;
mod selective;
mod slab;
#[cfg(test)]
mod slab_tests;
mod subscriber;
mod topic;
pub(crate) mod turn;

pub(crate) use self::{
    chunked::{ChunkedPublish, Delivery},
    flush::Flush,
    selective::Selective,
    slab::Slab,
    subscriber::Subscriber,
    topic::{IterGuard, PUSH_CHUNK, Reached, Removed, Topic},
};
