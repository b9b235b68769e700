//! Publishing in large pieces, by members: on axum's transport nothing is written before the publisher waits.

use axum::Router;
use serde_json::json;
use switchboard::{Config, Conn, Hub, WsError, WsRouter, ws_message, ws_route};
use switchboard_tests::client::{Client, Server};

use crate::Pad;

#[ws_message("JOIN")]
struct Join {}

#[ws_message("JOINED")]
struct Joined {}

/// Publishes messages of these sizes in one go, and answers.
#[ws_message("BURST")]
struct Burst {
    sizes: Vec<usize>,
}

async fn join(conn: Conn, _: Join) -> Result<Joined, WsError> {
    conn.subscribe("t").await?;
    Ok(Joined {})
}

async fn burst(conn: Conn, burst: Burst) -> Result<Joined, WsError> {
    for (n, size) in (0..).zip(burst.sizes) {
        conn.publish("t", Pad { n, pad: "x".repeat(size) }).await?;
    }
    Ok(Joined {})
}

fn serve(config: Config, hub: &Hub) -> Server {
    let ws = WsRouter::new().config(config).hub(hub.clone()).on(join).on(burst);
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

async fn joined(server: &Server) -> Client {
    let mut client = server.connect("/ws").await;
    client.send("JOIN", json!({})).await;
    client.expect("JOINED").await;
    client
}

async fn expect_all(client: &mut Client, sizes: &[usize]) {
    for (n, size) in sizes.iter().enumerate() {
        let pad = client.expect("PAD").await;
        assert_eq!((&pad["n"], pad["pad"].as_str().map(str::len)), (&json!(n), Some(*size)));
    }
}

/// What members that read get of bursts, the publisher being one of them.
async fn assert_complete(config: Config, sizes: &[usize]) {
    let server = serve(config, &Hub::new());
    let mut publisher = joined(&server).await;
    let mut member = joined(&server).await;
    publisher.send("BURST", json!({ "sizes": sizes })).await;
    tokio::join!(expect_all(&mut publisher, sizes), expect_all(&mut member, sizes));
    publisher.expect("JOINED").await;
}

#[tokio::test]
async fn a_publisher_that_is_a_member_keeps_up_with_itself() {
    assert_complete(Config::new(), &[60_000; 40]).await;
}

#[tokio::test]
async fn a_run_of_messages_that_fit_overflows_no_queue() {
    assert_complete(Config::new().max_outbound_bytes(16 * 1024), &[1000; 60]).await;
}

#[tokio::test]
async fn a_message_as_large_as_the_queue_and_small_ones() {
    assert_complete(Config::new(), &[1_000_000, 60_000, 10, 1_000_000, 10]).await;
}
