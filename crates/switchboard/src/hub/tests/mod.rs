//! Tests of the hub as a whole.

mod locks;
mod memory;
mod polled_again;
mod scaling;
pub(super) mod testing;
