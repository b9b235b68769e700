//! Section 2: whatever wants the last word on a request, exactly one has it.

use axum::Router;
use serde_json::json;
use switchboard::{RouteOptions, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, Server, masked},
    serve::ws_route,
};

#[ws_message("DONE")]
struct Done {}

/// Takes so many steps, beside the connection's task or within it.
#[ws_rpc("WORK", response = Done)]
struct Work {
    steps: u32,
    apart: bool,
}

async fn work(work: Work) -> Done {
    let steps = async move {
        for _ in 0..work.steps {
            tokio::task::yield_now().await;
        }
    };
    if work.apart {
        tokio::spawn(steps).await.unwrap()
    } else {
        steps.await
    }
    Done {}
}

/// How many requests were aborted in time, of many; each has had one terminal.
async fn race(client: &mut Client, rounds: u32) -> u32 {
    let mut aborted = 0;
    for round in 0..rounds {
        let id = round.to_string();
        let payload = json!({ "steps": round * 37 % 400, "apart": round % 2 == 0 });
        let request = json!({ "type": "WORK", "meta": { "correlationId": id }, "payload": payload }).to_string();
        let abort = json!({ "type": "$ws:abort", "meta": { "correlationId": id } }).to_string();
        let (request, abort) = (masked(0x81, request.as_bytes()), masked(0x81, abort.as_bytes()));
        if round % 3 == 0 {
            // Both are read in one turn.
            client.raw(&[request, abort].concat()).await;
        } else {
            client.raw(&request).await;
            client.raw(&abort).await;
        }
        client.text(r#"{"type":"__heartbeat"}"#).await;
        let terminal = client.recv().await;
        assert_eq!(terminal["meta"]["correlationId"], id, "{terminal}");
        match terminal["type"].as_str() {
            Some("DONE") => {}
            _ => {
                assert_eq!(terminal["payload"]["code"], "CANCELLED", "{terminal}");
                aborted += 1;
            }
        }
        // The abort was handled by now: nothing more can come.
        assert_eq!(client.recv().await["type"], "__heartbeat_ack");
    }
    aborted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_2_fault_29_abort_races_the_reply() {
    for options in
        [RouteOptions::new(), RouteOptions::new().concurrent(4), RouteOptions::new().run_to_completion().concurrent(4)]
    {
        let ws = WsRouter::<()>::new().on_with(work, options);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)));
        let mut client = server.connect("/ws").await;
        let aborted = race(&mut client, 500).await;
        assert!((1..500).contains(&aborted), "one of the two always won: {aborted}");
    }
}
