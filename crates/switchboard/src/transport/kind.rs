//! The choice of a transport.

/// The WebSocket implementation of a route. See
/// [`WsRouter::transport`](crate::WsRouter::transport).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TransportKind {
    /// This library's own, directly on the connection's socket. It uses the least memory and CPU.
    #[default]
    Native,
    /// axum's [`WebSocket`](axum::extract::ws::WebSocket), based on tungstenite. Requires the
    /// feature `axum-ws`.
    #[cfg(feature = "axum-ws")]
    Axum,
}
