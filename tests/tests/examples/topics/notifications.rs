//! `examples/notifications` over real sockets, one test per row of the checklist.

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

fn server() -> Server {
    Server::start(notifications::app())
}

/// Returns a client and its id.
async fn connect(server: &Server) -> (Client, String) {
    let mut client = server.connect("/ws").await;
    let id = client.expect("WELCOME").await["clientId"].as_str().unwrap().to_owned();
    assert_eq!(id, client.headers["x-client-id"].to_str().unwrap());
    (client, id)
}

async fn subscribe(client: &mut Client, topics: &[&str]) {
    client.send("SUBSCRIBE", json!({ "topics": topics })).await;
    assert_eq!(client.expect("SUBSCRIBE_SUCCESS").await, json!({ "topics": topics }));
}

/// Publishes a notification and returns its id.
async fn notify(server: &Server, body: Value) -> String {
    let (status, page) = server.http("POST", "/api/notify", Some(body)).await;
    assert_eq!((status, &page["success"], page.as_object().unwrap().len()), (200, &json!(true), 2), "{page}");
    page["id"].as_str().unwrap().to_owned()
}

fn note(text: &str, key: &str, name: &str) -> Value {
    json!({ "title": "News", "message": text, key: name })
}

#[tokio::test]
async fn each_client_has_its_own_topic_until_it_disconnects() {
    let server = server();
    let ((mut ann, ann_id), (mut bob, bob_id)) = (connect(&server).await, connect(&server).await);
    notify(&server, note("for ann", "userId", &ann_id)).await;
    notify(&server, note("for bob", "userId", &bob_id)).await;
    assert_eq!(ann.expect("NOTIFICATION").await["message"], "for ann");
    assert_eq!(bob.expect("NOTIFICATION").await["message"], "for bob");
    // A topic with the name of a client's topic is another topic.
    subscribe(&mut bob, &[&format!("user:{ann_id}"), "deploys"]).await;
    notify(&server, note("again for ann", "userId", &ann_id)).await;
    notify(&server, note("done", "topic", "deploys")).await;
    assert_eq!(bob.expect("NOTIFICATION").await["message"], "done");
    let (_, stats) = server.http("GET", "/stats", None).await;
    assert_eq!(stats, json!({ "connections": 2, "topics": 4, "subscriptions": 4 }));
    ann.close(1000).await;
    bob.close(1000).await;
    server.wait_for("/stats", "connections", &json!(0)).await;
    let (_, stats) = server.http("GET", "/stats", None).await;
    assert_eq!(stats, json!({ "connections": 0, "topics": 0, "subscriptions": 0 }));
}

#[tokio::test]
async fn clients_subscribe_to_topics_and_unsubscribe() {
    let server = server();
    let (mut client, _) = connect(&server).await;
    subscribe(&mut client, &["a", "b"]).await;
    subscribe(&mut client, &["b"]).await;
    client.send("UNSUBSCRIBE", json!({ "topics": ["a", "never"] })).await;
    assert_eq!(client.expect("UNSUBSCRIBE_SUCCESS").await, json!({ "topics": ["a", "never"] }));
    notify(&server, note("a", "topic", "a")).await;
    notify(&server, note("b", "topic", "b")).await;
    assert_eq!(client.expect("NOTIFICATION").await["message"], "b");
    for topics in
        [json!([]), json!([""]), json!(["a b"]), json!(["*"]), json!(["x".repeat(101)]), json!([1]), json!("a")]
    {
        for message_type in ["SUBSCRIBE", "UNSUBSCRIBE"] {
            client.send(message_type, json!({ "topics": topics })).await;
            client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        }
    }
    // If there are too many, none is subscribed: only the previous ones remain.
    for batch in 0..2 {
        let topics: Vec<_> = (0..50).map(|n| format!("t{batch}-{n}")).collect();
        client.send("SUBSCRIBE", json!({ "topics": topics })).await;
        client.expect("SUBSCRIBE_SUCCESS").await;
    }
    let (_, before) = server.http("GET", "/stats", None).await;
    client.send("SUBSCRIBE", json!({ "topics": (0..50).map(|n| format!("more-{n}")).collect::<Vec<_>>() })).await;
    client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    let (_, after) = server.http("GET", "/stats", None).await;
    assert_eq!((&before, &before["subscriptions"]), (&after, &json!(102)));
}

#[tokio::test]
async fn a_notification_has_an_id_a_kind_and_a_time() {
    let server = server();
    let (mut client, _) = connect(&server).await;
    subscribe(&mut client, &["deploys"]).await;
    for kind in ["info", "warning", "error", "success"] {
        let data = json!({ "version": 42, "by": { "name": "ann" } });
        let body = json!({ "type": kind, "title": "Deployed", "message": "v42", "data": data, "topic": "deploys" });
        let id = notify(&server, body).await;
        let mut notification = client.expect("NOTIFICATION").await;
        assert!(notification["timestamp"].take().as_u64().unwrap() > 1_700_000_000_000);
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
        let expected = json!({
            "id": id, "type": kind, "title": "Deployed", "message": "v42", "data": data, "timestamp": null
        });
        assert_eq!(notification, expected);
    }
    notify(&server, note("plain", "topic", "deploys")).await;
    let notification = client.expect("NOTIFICATION").await;
    assert_eq!((&notification["type"], notification.get("data")), (&json!("info"), None));
}

#[tokio::test]
async fn http_publishes_valid_notifications_to_topics_and_clients() {
    let server = server();
    let ((mut ann, ann_id), (mut bob, _)) = (connect(&server).await, connect(&server).await);
    subscribe(&mut bob, &["deploys"]).await;
    let both = json!({ "title": "News", "message": "for both", "topic": "deploys", "userId": ann_id });
    let id = notify(&server, both).await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect("NOTIFICATION").await["id"], id);
    }
    // Without subscribers, it succeeds, too.
    notify(&server, note("unheard", "topic", "nothing")).await;
    for (body, status) in [
        (json!({ "title": "News", "message": "to nobody" }), 400),
        (note("bad name", "topic", "a b"), 400),
        (note("bad name", "userId", ""), 400),
        (json!({ "title": "", "message": "no title", "topic": "deploys", "userId": ann_id }), 422),
        (json!({ "title": "News", "message": "x".repeat(2001), "topic": "deploys" }), 422),
        (json!({ "title": "News", "topic": "deploys" }), 422),
        (json!({ "type": "panic", "title": "News", "message": "bad type", "topic": "deploys" }), 422),
        (json!({ "title": "News", "message": "bad data", "topic": "deploys", "data": [1] }), 422),
    ] {
        let (found, page) = server.http("POST", "/api/notify", Some(body.clone())).await;
        assert_eq!(found, status, "{body}: {page}");
        assert_ne!(page["success"], true);
    }
    // None of them was published.
    notify(&server, json!({ "title": "News", "message": "last", "topic": "deploys", "userId": ann_id })).await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect("NOTIFICATION").await["message"], "last");
    }
}
