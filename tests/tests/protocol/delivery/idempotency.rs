//! Section 7: idempotency keys (7.9).

use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use switchboard::{Config, Hub, RouteOptions, WsRouter, ws_message, ws_rpc};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};

use crate::delivery::concurrency::{App, app, heartbeat, permit, router};

const LONG: Duration = Duration::from_secs(3600);

async fn send_with_key(client: &mut Client, message_type: &str, id: &str, key: &str, amount: u32) {
    let meta = json!({ "correlationId": id, "idempotencyKey": key });
    client.text(json!({ "type": message_type, "meta": meta, "payload": { "amount": amount } }).to_string()).await;
}

async fn pay_with_key(client: &mut Client, id: &str, key: &str, amount: u32) {
    send_with_key(client, "PAY", id, key, amount).await;
}

fn handled(reply: &Value) -> (&str, u64) {
    (reply["meta"]["correlationId"].as_str().unwrap(), reply["payload"]["handled"].as_u64().unwrap())
}

#[tokio::test]
async fn a_retry_gets_the_first_result() {
    let server = Server::start(app(Config::new(), RouteOptions::new()));
    let mut client = server.connect("/ws").await;
    permit(&mut client, 100).await;
    pay_with_key(&mut client, "a", "k", 5).await;
    assert_eq!(handled(&client.recv().await), ("a", 1));
    pay_with_key(&mut client, "b", "k", 5).await;
    assert_eq!(handled(&client.recv().await), ("b", 1));
    // Another key, another connection: another message.
    pay_with_key(&mut client, "c", "other", 5).await;
    assert_eq!(handled(&client.recv().await), ("c", 2));
    let mut stranger = server.connect("/ws").await;
    pay_with_key(&mut stranger, "d", "k", 5).await;
    assert_eq!(handled(&stranger.recv().await), ("d", 3));
    pay_with_key(&mut client, "e", "k", 6).await;
    let error = client.recv().await;
    assert_eq!((&error["type"], &error["payload"]["code"]), (&json!("RPC_ERROR"), &json!("FAILED_PRECONDITION")));
}

#[tokio::test]
async fn of_a_user_it_is_the_same_on_all_connections() {
    let server = Server::start(app(Config::new(), RouteOptions::new()));
    let (mut one, mut two) = (server.connect("/ws").await, server.connect("/ws").await);
    for client in [&mut one, &mut two] {
        client.send("AM", json!({ "user": "ann" })).await;
    }
    // The second joins the first, which still runs.
    pay_with_key(&mut one, "a", "k", 5).await;
    pay_with_key(&mut two, "b", "k", 5).await;
    for client in [&mut one, &mut two] {
        heartbeat(client).await;
    }
    permit(&mut server.connect("/ws").await, 1).await;
    assert_eq!(handled(&one.recv().await), ("a", 1));
    assert_eq!(handled(&two.recv().await), ("b", 1));
}

#[tokio::test]
async fn a_joined_retry_takes_over_from_a_closed_connection() {
    let server = Server::start(app(Config::new(), RouteOptions::new()));
    let (mut one, mut two) = (server.connect("/ws").await, server.connect("/ws").await);
    for client in [&mut one, &mut two] {
        client.send("AM", json!({ "user": "ann" })).await;
    }
    pay_with_key(&mut one, "a", "k", 5).await;
    heartbeat(&mut one).await;
    pay_with_key(&mut two, "b", "k", 5).await;
    heartbeat(&mut two).await;
    drop(one);
    permit(&mut server.connect("/ws").await, 1).await;
    assert_eq!(handled(&two.recv().await), ("b", 1));
}

#[tokio::test]
async fn errors_that_may_pass_are_not_remembered() {
    let server = Server::start(app(Config::new(), RouteOptions::new()));
    let mut client = server.connect("/ws").await;
    permit(&mut client, 100).await;
    for (round, (amount, code)) in [(0, "UNAVAILABLE"), (1, "NOT_FOUND")].into_iter().enumerate() {
        for id in ["a", "b"] {
            pay_with_key(&mut client, id, code, amount).await;
            let error = client.recv().await;
            assert_eq!((&error["meta"]["correlationId"], &error["payload"]["code"]), (&json!(id), &json!(code)));
        }
        // The first kind was handled twice, the second once.
        client.send_request("RELEASE", "r", json!({ "count": 0 })).await;
        assert_eq!(client.expect("DONE").await["handled"], [2, 3][round]);
    }
}

#[tokio::test]
async fn keys_belong_to_a_type_and_a_route() {
    let hub = Hub::new();
    let ws = || ws_route(router(Config::new(), RouteOptions::new()).hub(hub.clone()));
    let routes = Router::new().route("/ws", ws()).route("/other", ws());
    let server = Server::start(routes.with_state(App::new()));
    let (mut one, mut two) = (server.connect("/ws").await, server.connect("/other").await);
    permit(&mut one, 100).await;
    for client in [&mut one, &mut two] {
        client.send("AM", json!({ "user": "ann" })).await;
    }
    pay_with_key(&mut one, "a", "k", 5).await;
    assert_eq!(handled(&one.recv().await), ("a", 1));
    send_with_key(&mut one, "REFUND", "b", "k", 5).await;
    assert_eq!(handled(&one.recv().await), ("b", 2));
    pay_with_key(&mut two, "c", "k", 5).await;
    assert_eq!(handled(&two.recv().await), ("c", 3));
    // Each of them is remembered.
    pay_with_key(&mut one, "d", "k", 5).await;
    assert_eq!(handled(&one.recv().await), ("d", 1));
    pay_with_key(&mut two, "e", "k", 5).await;
    assert_eq!(handled(&two.recv().await), ("e", 3));
}

#[ws_message("WEIGHED")]
struct Weighed {
    weights: Vec<f64>,
}

#[ws_rpc("WEIGH", response = Weighed)]
struct Weigh {
    weights: Vec<f64>,
    unit: String,
}

/// A client may be written in another language after an update, and then write numbers and texts in another way.
#[tokio::test]
async fn attack_a7_a_retry_may_be_written_differently() {
    let ws = WsRouter::<()>::new().on(async |weigh: Weigh| Weighed { weights: weigh.weights });
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let mut client = server.connect("/ws").await;
    let mut weigh = async |payload: &str| {
        let meta = json!({ "correlationId": "w", "idempotencyKey": "k" });
        client.text(format!(r#"{{"type":"WEIGH","meta":{meta},"payload":{payload}}}"#)).await;
        let reply = client.recv().await;
        reply["payload"]["code"].as_str().unwrap_or_else(|| reply["type"].as_str().unwrap()).to_owned()
    };
    let first = r#"{"weights":[1,100,0.5],"unit":"kg"}"#;
    assert_eq!(weigh(first).await, "WEIGHED");
    for same in [
        first,
        r#"{"weights":[1.0,1e2,5e-1],"unit":"kg"}"#,
        r#"{ "unit" : "\u006bg", "weights" : [1.00, 100.0, 0.50] }"#,
    ] {
        assert_eq!(weigh(same).await, "WEIGHED", "{same}");
    }
    for other in [
        r#"{"weights":[1,100,0.25],"unit":"kg"}"#,
        r#"{"weights":[100,1,0.5],"unit":"kg"}"#,
        r#"{"weights":[1,100,0.5],"unit":"Kg"}"#,
        r#"{"weights":[1,100,0.5,0],"unit":"kg"}"#,
    ] {
        assert_eq!(weigh(other).await, "FAILED_PRECONDITION", "{other}");
    }
}

/// Pays under a key; how many payments had been made then, or when this one was.
async fn pay_once(client: &mut Client, key: &str) -> u64 {
    pay_with_key(client, "p", key, 5).await;
    handled(&client.recv().await).1
}

#[tokio::test]
async fn remembered_results_are_bounded_in_entries_and_bytes() {
    // Keys of 128 bytes, of which the second limit has room for two and the third for none.
    for (config, remembers) in [
        (Config::new().idempotency(2, 1 << 20, LONG), 2),
        (Config::new().idempotency(100, 1200, LONG), 2),
        (Config::new().idempotency(100, 100, LONG), 0),
    ] {
        let server = Server::start(app(config, RouteOptions::new()));
        let mut client = server.connect("/ws").await;
        permit(&mut client, 100).await;
        let keys = ["1", "2", "3"].map(|key| key.repeat(128));
        for (n, key) in (1..).zip(&keys) {
            assert_eq!(pay_once(&mut client, key).await, n);
        }
        // The oldest is forgotten, and handled again.
        let last = pay_once(&mut client, &keys[2]).await;
        assert_eq!(last, if remembers > 0 { 3 } else { 4 });
        assert_eq!(pay_once(&mut client, &keys[0]).await, last.max(3) + 1);
    }
}

#[tokio::test]
async fn remembered_results_are_bounded_in_age() {
    let server =
        Server::start(app(Config::new().idempotency(100, 1 << 20, Duration::from_millis(50)), RouteOptions::new()));
    let mut client = server.connect("/ws").await;
    permit(&mut client, 1_000_000).await;
    let first = pay_once(&mut client, "k").await;
    let forgotten = async {
        while pay_once(&mut client, "k").await == first {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, forgotten).await.unwrap();
}

#[tokio::test]
async fn attack_a7_many_keys_of_one_client_push_out_nothing_of_another() {
    let server = Server::start(app(Config::new(), RouteOptions::new()));
    let (mut ann, mut eve) = (server.connect("/ws").await, server.connect("/ws").await);
    permit(&mut ann, 10_000).await;
    assert_eq!(pay_once(&mut ann, "k").await, 1);
    for chunk in (0..4200).collect::<Vec<_>>().chunks(50) {
        for n in chunk {
            pay_with_key(&mut eve, &n.to_string(), &n.to_string(), 5).await;
        }
        for _ in chunk {
            assert_eq!(eve.recv().await["type"], "DONE");
        }
    }
    assert_eq!(pay_once(&mut ann, "k").await, 1);
    // Of its own, the first are forgotten, and the last are not.
    assert_eq!(pay_once(&mut eve, "0").await, 4202);
    assert!(pay_once(&mut eve, "4199").await < 4202);
}

#[tokio::test]
async fn many_owners_leave_those_that_have_less_what_they_have() {
    let config = Config::new().idempotency(40, 1 << 20, LONG).idempotency_per_user(30, 1 << 20, 8);
    let server = Server::start(app(config, RouteOptions::new()));
    let mut ann = server.connect("/ws").await;
    permit(&mut ann, 10_000).await;
    for (n, key) in (1..).zip(["1", "2", "3"]) {
        assert_eq!(pay_once(&mut ann, key).await, n);
    }
    for _ in 0..8 {
        // Not kept: what an ended connection had is forgotten, and gives way to nobody.
        let mut eve = server.connect("/ws").await;
        for n in 0..30 {
            pay_once(&mut eve, &n.to_string()).await;
        }
    }
    let mut eves = Vec::new();
    for _ in 0..8 {
        let mut eve = server.connect("/ws").await;
        for n in 0..30 {
            pay_once(&mut eve, &n.to_string()).await;
        }
        eves.push(eve);
    }
    for (n, key) in (1..).zip(["1", "2", "3"]) {
        assert_eq!(pay_once(&mut ann, key).await, n);
    }
}

#[tokio::test]
async fn attack_a7_slow_requests_with_keys_do_not_starve_others() {
    let config = Config::new().idempotency(16, 1 << 20, LONG);
    let server = Server::start(app(config, RouteOptions::new()));
    let mut eves = Vec::new();
    for _ in 0..8 {
        let mut eve = server.connect("/ws").await;
        for n in 0..8 {
            pay_with_key(&mut eve, &n.to_string(), &n.to_string(), 5).await;
        }
        heartbeat(&mut eve).await;
        eves.push(eve);
    }
    let mut ann = server.connect("/ws").await;
    pay_with_key(&mut ann, "a", "k", 5).await;
    heartbeat(&mut ann).await;
    permit(&mut server.connect("/ws").await, 65).await;
    let (id, first) = (&ann.recv().await, 65);
    assert_eq!(id["type"], "DONE", "{id}");
    for eve in &mut eves {
        for _ in 0..8 {
            assert_eq!(eve.recv().await["type"], "DONE");
        }
    }
    assert!(pay_once(&mut ann, "k").await <= first);
}

#[tokio::test]
async fn running_requests_with_keys_are_bounded_per_user() {
    let config = Config::new().idempotency_per_user(100, 1 << 20, 3);
    let server = Server::start(app(config, RouteOptions::new()));
    let mut clients = Vec::new();
    for user in ["eve", "eve", "ann"] {
        let mut client = server.connect("/ws").await;
        client.send("AM", json!({ "user": user })).await;
        clients.push(client);
    }
    for (client, ids) in clients.iter_mut().zip([["1", "2"], ["3", "4"], ["5", "6"]]) {
        for id in ids {
            pay_with_key(client, id, id, 5).await;
        }
        if ids[1] != "4" {
            heartbeat(client).await;
        }
    }
    // The fourth of the same user, whatever connection it is on.
    let error = clients[1].recv().await;
    assert_eq!(
        (&error["meta"]["correlationId"], &error["payload"]["code"]),
        (&json!("4"), &json!("RESOURCE_EXHAUSTED"))
    );
    assert_eq!(error["payload"]["details"], json!({ "limit": 3 }));
    // A retry of what runs is none of them.
    pay_with_key(&mut clients[1], "again", "3", 5).await;
    heartbeat(&mut clients[1]).await;
    permit(&mut server.connect("/ws").await, 5).await;
    for (client, replies) in clients.iter_mut().zip([2, 2, 2]) {
        for _ in 0..replies {
            assert_eq!(client.recv().await["type"], "DONE");
        }
    }
}
