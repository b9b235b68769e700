//! The two kinds of message: events and requests.

use std::{fmt, marker::PhantomData};

mod sealed {
    pub trait Sealed {}
}

/// Whether a message is an [`Event`] or an [`Rpc`] with a reply.
///
/// Sealed: there are no other kinds.
pub trait Kind: sealed::Sealed + 'static {
    /// `true` for [`Rpc`]: its errors travel as `RPC_ERROR` and it must carry a correlation id.
    const IS_RPC: bool;
}

/// The kind of a message that expects no reply.
#[derive(Debug)]
pub enum Event {}

/// The kind of a request that is answered with exactly one `R` or one error.
pub struct Rpc<R>(PhantomData<fn() -> R>);

impl<R> fmt::Debug for Rpc<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rpc")
    }
}

impl sealed::Sealed for Event {}
impl<R: 'static> sealed::Sealed for Rpc<R> {}

impl Kind for Event {
    const IS_RPC: bool = false;
}

impl<R: 'static> Kind for Rpc<R> {
    const IS_RPC: bool = true;
}
