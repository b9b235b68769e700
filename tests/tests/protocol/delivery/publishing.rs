//! Section 7: publishing that is given up half-way (7.5).

use axum::Router;
use serde_json::json;
use switchboard::{Conn, Hub, WsRouter, ws_message};
use switchboard_tests::{client::Server, serve::ws_route};

#[ws_message("NOTE")]
struct Note {
    n: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_whose_runtime_ends_leaves_nobody_behind() {
    const MEMBERS: usize = 600;
    let hub = Hub::new();
    let open = async |conn: Conn| {
        conn.subscribe("t").await?;
        conn.send(Note { n: 100 }).map_err(switchboard::WsError::from)
    };
    let ws = WsRouter::<()>::new().hub(hub.clone()).on_open(open);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut members = Vec::new();
    for _ in 0..MEMBERS {
        let mut member = server.connect("/ws").await;
        assert_eq!(member.expect("NOTE").await, json!({ "n": 100 }));
        members.push(member);
    }
    let elsewhere = std::thread::spawn(move || {
        for n in 0..2 {
            // It ends with all that it spawned.
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let published = runtime.block_on(async { hub.publish("t", Note { n }).await }).unwrap();
            assert_eq!(published.count(), Some(MEMBERS));
        }
    });
    for member in &mut members {
        for n in 0..2 {
            assert_eq!(member.expect("NOTE").await, json!({ "n": n }));
        }
    }
    elsewhere.join().unwrap();
}
