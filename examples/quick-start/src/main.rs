//! Everyone on the page sees what anyone says: http://127.0.0.1:3000

use axum::{Router, response::Html, routing::get};
use switchboard::{Conn, Hub, WsError, WsRouter, ws_message, ws_route, ws_rpc};

#[ws_message("SAY")]
struct Say {
    #[validate(length(min = 1, max = 200))]
    text: String,
}

#[ws_message("SAID")]
struct Said {
    text: String,
    listener_count: usize,
}

#[ws_message("SUM")]
struct Sum {
    result: f64,
}

#[ws_rpc("ADD", response = Sum)]
struct Add {
    a: f64,
    b: f64,
}

async fn enter(conn: Conn) -> Result<(), WsError> {
    conn.subscribe("lobby").await?;
    Ok(())
}

async fn say(conn: Conn, hub: Hub, say: Say) -> Result<(), WsError> {
    let listener_count = hub.topic("lobby").local_subscriber_count();
    conn.publish("lobby", Said { text: say.text, listener_count }).await?;
    Ok(())
}

async fn add(add: Add) -> Sum {
    Sum { result: add.a + add.b }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let ws = WsRouter::new().on_open(enter).on(say).on(add);
    let app = Router::new().route("/", get(Html(PAGE))).route("/ws", ws_route(ws));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    switchboard::serve(listener, app).await
}

const PAGE: &str = r#"<!doctype html><meta name="viewport" content="width=device-width"><title>Quick start</title>
<style>body { font: 1rem/1.6 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>
<form><input id="text" maxlength="200" aria-label="Text"> <button>Say</button></form><ul id="log"></ul>
<script>
  const ws = new WebSocket(`ws://${location.host}/ws`);
  ws.onmessage = ({ data }) => {
    const { type, payload } = JSON.parse(data);
    log.append(Object.assign(document.createElement("li"), { textContent: `${type} ${JSON.stringify(payload)}` }));
  };
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    ws.send(JSON.stringify({ type: "SAY", payload: { text: text.value } }));
  };
</script>"#;
