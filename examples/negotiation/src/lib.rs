//! Client and server negotiate the version and the features that both support.
//!
//! | path | content | rows of the checklist |
//! |---|---|---|
//! | `/ws` | `CLIENT_CAPABILITIES`, answered by `SERVER_CAPABILITIES` or refused | 002-38, 002-39 |
//!
//! ```text
//! PORT=3000 cargo run -p negotiation
//! ```
//!
//! and then, with any WebSocket client, `ws://localhost:3000/ws`:
//!
//! ```text
//! {"type":"CLIENT_CAPABILITIES","payload":{"protocolVersion":"1.2","features":["compression","encryption"],"compressionFormats":["deflate","gzip"]}}
//! {"type":"GET_NEGOTIATED","meta":{"correlationId":"1"}}
//! {"type":"CLIENT_CAPABILITIES","payload":{"protocolVersion":"2.0","features":[]}}
//! ```

mod messages;

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use switchboard::{CloseCode, Conn, WsError, WsRouter, ws_route};

use self::messages::{ClientCapabilities, Feature, GetNegotiated, Negotiated, ServerCapabilities};

/// The version that this server supports.
const VERSION: &str = "1.0";

/// The features that this server supports.
const SUPPORTED: [Feature; 2] = [Feature::Compression, Feature::Batching];

/// The compression formats, best first.
const FORMATS: [&str; 2] = ["gzip", "deflate"];

/// How long an incompatible client stays connected, so that its page can show the error.
const BEFORE_CLOSE: Duration = Duration::from_millis(100);

/// The data of a connection: the negotiated settings, if any.
#[derive(Debug, Default)]
struct Session {
    negotiated: Mutex<Option<Negotiated>>,
}

/// Returns the application.
pub fn app() -> Router {
    let ws = WsRouter::new()
        .authenticate(async || Ok::<_, Infallible>(Session::default()))
        .on(client_capabilities)
        .on(get_negotiated);
    Router::new().route("/ws", ws_route(ws))
}

async fn client_capabilities(conn: Conn<Session>, msg: ClientCapabilities) -> Result<ServerCapabilities, WsError> {
    let ClientCapabilities { protocol_version, features, compression_formats } = msg;
    if !is_compatible(&protocol_version) {
        close_soon(conn);
        let text = format!("Unsupported protocol version: {protocol_version}. Server requires 1.x");
        return Err(WsError::invalid_argument(text));
    }
    let enabled: Vec<_> = SUPPORTED.into_iter().filter(|feature| features.contains(feature)).collect();
    let offered = compression_formats.filter(|_| enabled.contains(&Feature::Compression)).unwrap_or_default();
    let format = FORMATS.into_iter().find(|format| offered.iter().any(|offer| offer == format)).map(str::to_owned);

    let negotiated = Negotiated { enabled_features: enabled.clone(), compression_format: format.clone() };
    *conn.data().negotiated.lock().unwrap_or_else(PoisonError::into_inner) = Some(negotiated);
    Ok(ServerCapabilities {
        protocol_version: VERSION.into(),
        supported_features: SUPPORTED.to_vec(),
        enabled_features: enabled,
        compression_format: format,
    })
}

/// The settings that other handlers take from the connection's data.
async fn get_negotiated(conn: Conn<Session>, _: GetNegotiated) -> Result<Negotiated, WsError> {
    let negotiated = conn.data().negotiated.lock().unwrap_or_else(PoisonError::into_inner).clone();
    negotiated.ok_or_else(|| WsError::failed_precondition("Nothing has been negotiated yet"))
}

/// Accepts `1.x` or `1.x.y`.
fn is_compatible(version: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    version.strip_prefix("1.").is_some_and(|minor| minor.split('.').all(is_number))
}

/// In a task: a handler that waits would delay the error and the client's other messages.
fn close_soon(conn: Conn<Session>) {
    tokio::spawn(async move {
        tokio::time::sleep(BEFORE_CLOSE).await;
        conn.close(CloseCode::PROTOCOL_ERROR, "Incompatible protocol version");
    });
}
