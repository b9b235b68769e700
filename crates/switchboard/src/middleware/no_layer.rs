//! The layer of routes without one.

use tower::Layer;

/// Nothing around a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoLayer;

impl<S> Layer<S> for NoLayer {
    type Service = S;

    fn layer(&self, inner: S) -> S {
        inner
    }
}
