//! What the outbox synchronises with: another implementation stands here where a model checker
//! tries all interleavings of it (`crates/switchboard-loom`).

pub(crate) use std::sync::atomic::AtomicBool;

pub(crate) use parking_lot::{Mutex, MutexGuard};
