//! Tests of the hub as a whole.

mod locks;
mod memory;
mod scaling;
pub(super) mod testing;
