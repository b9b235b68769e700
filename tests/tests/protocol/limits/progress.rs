//! Section 8: how much progress waits for a client that does not read.

use axum::{Router, extract::State};
use futures_util::FutureExt as _;
use serde_json::json;
use switchboard::{Config, Conn, Progress, SendError, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{PATIENCE, Server},
    serve::ws_route,
};
use tokio::sync::mpsc;

const STEP: usize = 8 * 1024;

#[ws_message("DONE")]
struct Done {}

#[ws_rpc("WORK", response = Done, progress = String)]
struct Work {}

/// Reports until it would wait, however often it tries, and says what waits to be written then.
async fn work(
    State(buffered): State<mpsc::Sender<usize>>,
    conn: Conn,
    mut progress: Progress<String>,
    _: Work,
) -> Result<Done, SendError> {
    let mut waits = 0;
    while waits < 50 {
        // Dropped where it waits: the next attempt must wait as well.
        match progress.send("x".repeat(STEP)).now_or_never() {
            Some(sent) => {
                sent?;
                waits = 0;
            }
            None => {
                waits += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    buffered.send(conn.buffered()).await.expect("somebody waits");
    Ok(Done {})
}

#[tokio::test]
async fn progress_that_waits_is_bounded_also_if_sending_it_is_cancelled() {
    for (config, queued) in [(Config::new(), 16), (Config::new().max_queued_progress(2), 2)] {
        let (send, mut buffered) = mpsc::channel(1);
        let ws = WsRouter::new().config(config).on(work);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(send));
        let mut client = server.connect("/ws").await;
        client.send_request("WORK", "w", json!({})).await;
        let buffered = tokio::time::timeout(PATIENCE, buffered.recv()).await.unwrap().unwrap();
        // Each step holds its text twice; part of the first may have left.
        let (least, most) = ((queued - 1) * 2 * STEP, queued * (2 * STEP + 256));
        assert!((least..=most).contains(&buffered), "{buffered} is not in {least}..={most}");
        let mut steps = 0;
        loop {
            let message = client.recv().await;
            if message["type"] == "DONE" {
                break;
            }
            assert_eq!(message["type"], "$ws:rpc-progress");
            steps += 1;
        }
        assert!(steps > queued, "{steps}");
    }
}
