//! The choice of a transport.

/// What carries the frames of a route: see [`WsRouter::transport`](crate::WsRouter::transport).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TransportKind {
    /// Our own, on the socket that HTTP was spoken on. It costs the least.
    #[default]
    Native,
    /// axum's [`WebSocket`](axum::extract::ws::WebSocket), on tungstenite. Needs the feature `axum-ws`.
    #[cfg(feature = "axum-ws")]
    Axum,
}
