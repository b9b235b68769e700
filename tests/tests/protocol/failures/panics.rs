//! Section 2: replies that panic while they are written.

use axum::Router;
use serde::{Serialize, Serializer};
use serde_json::json;
use switchboard::{WsRouter, ws_message, ws_payload, ws_rpc};
use switchboard_tests::{
    client::{Server, masked},
    serve::ws_route,
};

#[ws_rpc("ECHO", response = Echoed)]
struct Echo {
    n: u32,
}

#[ws_message("ECHOED")]
struct Echoed {
    n: Odd,
    pad: String,
}

/// Panics at 13, while it is written.
#[ws_payload]
#[derive(Clone, Copy)]
#[serde(transparent)]
struct Odd {
    #[serde(serialize_with = "unlucky")]
    n: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn unlucky<S: Serializer>(n: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    assert!(*n != 13, "unlucky");
    n.serialize(serializer)
}

async fn echo(echo: Echo) -> Echoed {
    Echoed { n: Odd { n: echo.n }, pad: "x".repeat(100) }
}

#[tokio::test]
async fn a_reply_that_panics_while_it_is_written_costs_no_other() {
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::new().on(echo))));
    let mut client = server.connect("/ws").await;
    let request = |n: u32| {
        let text = json!({ "type": "ECHO", "meta": { "correlationId": n.to_string() }, "payload": { "n": n } });
        masked(0x81, text.to_string().as_bytes())
    };
    client.raw(&(0..20).flat_map(request).collect::<Vec<_>>()).await;
    for n in 0..20 {
        let reply = client.recv().await;
        assert_eq!(reply["meta"]["correlationId"], n.to_string(), "{reply}");
        let expected = if n == 13 { "RPC_ERROR" } else { "ECHOED" };
        assert_eq!(reply["type"], expected, "{reply}");
    }
}
