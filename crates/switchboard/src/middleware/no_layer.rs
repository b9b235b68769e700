//! The layer that adds nothing.

use tower::Layer;

/// The default layer of [`RouteOptions`](crate::RouteOptions), which adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoLayer;

impl<S> Layer<S> for NoLayer {
    type Service = S;

    fn layer(&self, inner: S) -> S {
        inner
    }
}
