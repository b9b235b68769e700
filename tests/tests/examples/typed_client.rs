//! `examples/typed-client` over real sockets: the poll, and the built page.

use std::fs;

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};
use tempfile::TempDir;

fn start() -> Server {
    Server::start(typed_client::app())
}

/// Connects as the generated client does, and subscribes to the topic.
async fn connect(server: &Server) -> Client {
    let mut client = server.upgrade("/ws", &[("sec-websocket-protocol", "switchboard.v1.json")]).await.unwrap();
    client.expect("$ws:hello").await;
    let reply = client.request("$ws:subscribe", "s", json!({ "topic": "poll" })).await;
    assert_eq!(reply["type"], "$ws:subscribed", "{reply}");
    client
}

/// Sends a request, without a payload if that is null. Returns the message that answers it, and the states that are
/// published before it.
async fn ask(client: &mut Client, message_type: &str, payload: Value) -> (Value, Vec<Value>) {
    let mut request = json!({ "type": message_type, "meta": { "correlationId": "r" } });
    if !payload.is_null() {
        request["payload"] = payload;
    }
    client.text(request.to_string()).await;
    let mut states = Vec::new();
    loop {
        let message = client.recv().await;
        if message["meta"]["correlationId"] == "r" {
            return (message, states);
        }
        assert_eq!(message["type"], "POLL", "{message}");
        states.push(message["payload"].clone());
    }
}

/// Sends a request that succeeds. Returns its response.
async fn succeed(client: &mut Client, message_type: &str, payload: Value) -> Value {
    let (mut reply, _) = ask(client, message_type, payload).await;
    assert_ne!(reply["type"], "RPC_ERROR", "{reply}");
    reply["payload"].take()
}

/// Sends a request that fails. Returns its code.
async fn fail(client: &mut Client, message_type: &str, payload: Value) -> String {
    let (reply, states) = ask(client, message_type, payload).await;
    assert_eq!((&reply["type"], states), (&json!("RPC_ERROR"), Vec::new()), "{reply}");
    reply["payload"]["code"].as_str().unwrap().to_owned()
}

async fn join(server: &Server, name: &str) -> Client {
    let mut client = connect(server).await;
    assert_eq!(succeed(&mut client, "JOIN", json!({ "name": name })).await, json!({ "name": name }));
    client
}

/// Returns the first state for which the rule holds.
async fn state(client: &mut Client, rule: impl Fn(&Value) -> bool) -> Value {
    loop {
        let state = client.expect("POLL").await;
        if rule(&state) {
            return state;
        }
    }
}

#[tokio::test]
async fn votes_are_published_to_those_who_subscribe() {
    let server = start();
    let mut watcher = connect(&server).await;
    let first = succeed(&mut watcher, "GET_POLL", Value::Null).await;
    assert_eq!((&first["number"], &first["open"], &first["people"]), (&json!(1), &json!(true), &json!([])));
    let mut ann = join(&server, "Ann").await;
    let mut bob = join(&server, "Bob").await;
    for (name, choice) in [("Ann", 1), ("Bob", 1), ("Ann", 2)] {
        let client = if name == "Ann" { &mut ann } else { &mut bob };
        let voted = succeed(client, "VOTE", json!({ "number": 1, "choice": choice })).await;
        assert_eq!(voted["label"], first["choices"][choice]["label"]);
    }
    let last = state(&mut watcher, |state| state["choices"][2]["voters"] == json!(["Ann"])).await;
    assert_eq!(last["choices"][1]["voters"], json!(["Bob"]));
    assert_eq!(last["people"], json!(["Ann", "Bob"]));
    ann.close(1000).await;
    let last = state(&mut watcher, |state| state["people"] == json!(["Bob"])).await;
    assert_eq!(last["choices"][2]["voters"], json!([]));
}

#[tokio::test]
async fn errors_have_the_codes_of_their_requests() {
    let server = start();
    let mut ann = join(&server, "Ann").await;
    let mut bob = connect(&server).await;
    let question = json!({ "question": "Tea?", "choices": ["Yes", "No"] });
    assert_eq!(fail(&mut bob, "JOIN", json!({ "name": "Ann" })).await, "NAME_TAKEN");
    assert_eq!(fail(&mut bob, "VOTE", json!({ "number": 1, "choice": 0 })).await, "NOT_JOINED");
    assert_eq!(fail(&mut bob, "CLOSE_POLL", json!({ "number": 1 })).await, "NOT_JOINED");
    assert_eq!(fail(&mut bob, "ASK", question.clone()).await, "NOT_JOINED");
    for name in ["", " Bob", "123456789012345678901"] {
        assert_eq!(fail(&mut bob, "JOIN", json!({ "name": name })).await, "INVALID_ARGUMENT", "{name:?}");
    }
    assert_eq!(fail(&mut ann, "ASK", question).await, "POLL_OPEN");
    assert_eq!(fail(&mut ann, "VOTE", json!({ "number": 2, "choice": 0 })).await, "POLL_CLOSED");
    assert_eq!(fail(&mut ann, "VOTE", json!({ "number": 1, "choice": 9 })).await, "NOT_FOUND");
    for choices in [json!(["one"]), json!(["a", "a"]), json!(["a", " "]), json!(["a", "b", "c", "d", "e", "f", "g"])] {
        let ask = json!({ "question": "Which?", "choices": choices });
        assert_eq!(fail(&mut ann, "ASK", ask).await, "INVALID_ARGUMENT", "{choices}");
    }
}

#[tokio::test]
async fn a_poll_closes_after_a_countdown_that_may_be_aborted() {
    let server = start();
    let mut ann = join(&server, "Ann").await;
    ann.send_request("CLOSE_POLL", "c", json!({ "number": 1 })).await;
    let step = ann.recv().await;
    assert_eq!((&step["meta"]["correlationId"], &step["payload"]["secondsLeft"]), (&json!("c"), &json!(5)), "{step}");
    ann.text(r#"{"type":"$ws:abort","meta":{"correlationId":"c"}}"#).await;
    // On a slow machine there are more steps before.
    let reply = loop {
        let message = ann.recv().await;
        if message["payload"]["secondsLeft"].is_null() {
            break message;
        }
    };
    assert_eq!((&reply["type"], &reply["payload"]["code"]), (&json!("RPC_ERROR"), &json!("CANCELLED")));
    let voted = succeed(&mut ann, "VOTE", json!({ "number": 1, "choice": 0 })).await;
    assert_eq!(voted["label"], "Noodle soup");
}

#[tokio::test]
async fn the_result_stays_and_the_next_question_is_asked() {
    let server = start();
    let (mut ann, mut bob) = (join(&server, "Ann").await, join(&server, "Bob").await);
    succeed(&mut bob, "VOTE", json!({ "number": 1, "choice": 2 })).await;
    ann.send_request("CLOSE_POLL", "c", json!({ "number": 1 })).await;
    let mut steps = Vec::new();
    let closed = loop {
        let message = ann.recv().await;
        match message["type"].as_str().unwrap() {
            "POLL" => {}
            "CLOSED" => break message,
            _ => steps.push(message["payload"]["secondsLeft"].clone()),
        }
    };
    assert_eq!(closed["payload"]["winners"], json!(["Falafel"]));
    assert_eq!(Value::from(steps), json!([5, 4, 3, 2, 1]));
    state(&mut bob, |state| state["open"] == json!(false)).await;
    assert_eq!(fail(&mut bob, "VOTE", json!({ "number": 1, "choice": 0 })).await, "POLL_CLOSED");
    bob.close(1000).await;
    let left = state(&mut ann, |state| state["people"] == json!(["Ann"])).await;
    assert_eq!((&left["open"], &left["choices"][2]["voters"]), (&json!(false), &json!(["Bob"])));
    let next = json!({ "question": "Tea?", "choices": ["Yes", "No"] });
    assert_eq!(succeed(&mut ann, "ASK", next).await, json!({ "number": 2 }));
    let poll = succeed(&mut ann, "GET_POLL", Value::Null).await;
    assert_eq!((&poll["question"], &poll["open"]), (&json!("Tea?"), &json!(true)));
    assert_eq!(poll["choices"], json!([{ "label": "Yes", "voters": [] }, { "label": "No", "voters": [] }]));
}

#[tokio::test]
async fn the_built_page_is_served_or_how_to_build_it() {
    let dist = TempDir::new().unwrap();
    let get = async |server: &Server, path: &str| {
        let response = reqwest::get(format!("http://{}{path}", server.addr)).await.unwrap();
        let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), content_type.unwrap_or_default(), response.text().await.unwrap())
    };
    let server = Server::start(typed_client::app_with_pages(dist.path()));
    let (status, _, text) = get(&server, "/").await;
    assert_eq!(status, 503);
    assert!(text.contains("npm --prefix examples/typed-client/web install"), "{text}");

    fs::create_dir(dist.path().join("assets")).unwrap();
    fs::write(dist.path().join("index.html"), "<!doctype html>").unwrap();
    fs::write(dist.path().join("assets/index-1.js"), "let a;").unwrap();
    fs::write(dist.path().join("secret.txt"), "secret").unwrap();
    let server = Server::start(typed_client::app_with_pages(dist.path()));
    assert_eq!(get(&server, "/").await, (200, "text/html; charset=utf-8".into(), "<!doctype html>".into()));
    let script = get(&server, "/assets/index-1.js").await;
    assert_eq!(script, (200, "text/javascript; charset=utf-8".into(), "let a;".into()));
    for path in ["/secret.txt", "/assets/", "/assets/..%2fsecret.txt", "/assets/index-2.js"] {
        assert_eq!(get(&server, path).await.0, 404, "{path}");
    }
    connect(&server).await;
}
