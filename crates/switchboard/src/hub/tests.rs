//! What concerns the hub as a whole.

mod locks;
mod memory;
mod scaling;
