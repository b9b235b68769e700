//! The errors of axum's `WebSocket` are recognised by their type, which is tungstenite's.

use std::time::Duration;

use axum::{Router, extract::ws::WebSocketUpgrade, routing::any};
use futures_util::SinkExt as _;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_tungstenite::{connect_async, tungstenite::Message};

#[tokio::test]
async fn attack_b17_axum_uses_the_tungstenite_version_of_the_workspace() {
    let (sender, mut errors) = mpsc::channel(1);
    let handler = async move |upgrade: WebSocketUpgrade| {
        upgrade.max_message_size(8).on_upgrade(async move |mut socket| {
            sender.send(socket.recv().await.unwrap().unwrap_err().into_inner()).await.unwrap();
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(switchboard::serve(listener, Router::new().route("/", any(handler))).into_future());
    let (mut client, _) = connect_async(format!("ws://{addr}/")).await.unwrap();
    client.send(Message::text("more than eight bytes")).await.unwrap();
    let error = timeout(Duration::from_secs(10), errors.recv()).await.unwrap().unwrap();
    assert!(
        matches!(error.downcast_ref::<tungstenite::Error>(), Some(tungstenite::Error::Capacity(_))),
        "axum uses another version of tungstenite than `workspace.dependencies` in Cargo.toml names: change \
         `tungstenite` and `tokio-tungstenite` there to axum's, else its transport closes with wrong codes ({error})",
    );
    server.abort();
}
