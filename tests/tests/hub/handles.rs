//! What hangs on a topic, a user and a connection of a hub: calls, several topics at once, exceptions.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, response::IntoResponse as _};
use serde_json::{Value, json};
use switchboard::{
    CallErrorKind, Conn, Hub, Matched, PublishErrorKind, TopicOptions, WsMessages, WsRouter, ws_message, ws_rpc,
};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};
use tokio::{sync::Notify, time::timeout};

use crate::{Notice, connect, id, join_topic, request, serve, until};

#[ws_message("ANSWER")]
#[derive(Debug)]
struct Answer {
    n: u32,
}

#[ws_rpc("ASK", response = Answer)]
struct Ask {}

/// The id of a question.
async fn asked(client: &mut Client) -> Value {
    let ask = client.recv().await;
    assert_eq!(ask["type"], "ASK", "{ask}");
    ask["meta"]["correlationId"].clone()
}

async fn answer(client: &mut Client, id: &Value, n: u32) {
    let answer = json!({ "type": "ANSWER", "meta": { "correlationId": id }, "payload": { "n": n } });
    client.text(answer.to_string()).await;
}

async fn refuse(client: &mut Client, id: &Value) {
    let error = json!({
        "type": "RPC_ERROR",
        "meta": { "correlationId": id },
        "payload": { "code": "NOT_FOUND", "message": "no" },
    });
    client.text(error.to_string()).await;
}

/// Several clients in one topic.
async fn members(server: &Server, topic: &str, users: &[&str]) -> Vec<Client> {
    let mut clients = Vec::new();
    for user in users {
        let mut client = connect(server, user).await;
        join_topic(&mut client, topic).await;
        clients.push(client);
    }
    clients
}

#[tokio::test]
async fn a_call_of_a_user_takes_the_first_response() {
    let hub = Hub::new();
    let server = serve(&hub);
    let [mut phone, mut tablet] = [connect(&server, "ann").await, connect(&server, "ann").await];
    let ann = hub.user("ann");
    let call = tokio::spawn(async move { ann.call(Ask {}).await });
    let ids = [asked(&mut phone).await, asked(&mut tablet).await];
    // An error is no response while another may come.
    refuse(&mut phone, &ids[0]).await;
    answer(&mut tablet, &ids[1], 7).await;
    assert_eq!(timeout(PATIENCE, call).await.unwrap().unwrap().unwrap().n, 7);
    let ann = hub.user("ann");
    let call = tokio::spawn(async move { ann.call(Ask {}).await });
    for client in [&mut phone, &mut tablet] {
        let id = asked(client).await;
        refuse(client, &id).await;
    }
    let error = timeout(PATIENCE, call).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), CallErrorKind::Refused);
    assert_eq!(hub.user("cat").call(Ask {}).await.unwrap_err().kind(), CallErrorKind::Closed);
    let error = hub.user("ann").call(Ask {}).timeout(Duration::from_millis(5)).await.unwrap_err();
    assert_eq!(error.kind(), CallErrorKind::TimedOut);
}

#[tokio::test]
async fn a_call_of_a_topic_collects_the_answers_that_come_in_time() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut clients = members(&server, "game", &["ann", "bob", "cat"]).await;
    let ids: Vec<_> = clients.iter().map(id).collect();
    let game = hub.topic("game");
    let call = tokio::spawn(async move { game.call_all(Ask {}).timeout(Duration::from_millis(300)).await });
    let questions = [asked(&mut clients[0]).await, asked(&mut clients[1]).await, asked(&mut clients[2]).await];
    answer(&mut clients[0], &questions[0], 1).await;
    refuse(&mut clients[1], &questions[1]).await;
    let answers = timeout(PATIENCE, call).await.unwrap().unwrap();
    let of = |id| answers.iter().find(|(other, _)| *other == id).map(|(_, answer)| answer).unwrap();
    assert_eq!(of(ids[0]).as_ref().unwrap().n, 1);
    assert_eq!(of(ids[1]).as_ref().unwrap_err().kind(), CallErrorKind::Refused);
    assert_eq!(of(ids[2]).as_ref().unwrap_err().kind(), CallErrorKind::TimedOut);
    assert_eq!(answers.len(), 3);
    // An empty topic has no subscribers to ask.
    assert!(hub.topic("empty").call_all(Ask {}).await.is_empty());
}

/// Whether the next message is a notice of this text.
async fn notice(client: &mut Client, text: &str) {
    let message = client.recv().await;
    assert_eq!((&message["type"], &message["payload"]["text"]), (&json!("NOTICE"), &json!(text)), "{message}");
}

#[tokio::test]
async fn a_publish_to_several_topics_comes_once() {
    let hub = Hub::builder().topic("closed*", TopicOptions::new().allow_names(|_| false)).build();
    let server = serve(&hub);
    let mut clients = members(&server, "a", &["ann", "bob"]).await;
    join_topic(&mut clients[0], "b").await;
    clients.extend(members(&server, "b", &["cat"]).await);
    let published = hub.publish_many(["a", "b", "nobody"], Notice::new("1")).await.unwrap();
    assert_eq!(published.matched(), Matched::Exact(3));
    let but_cat = hub.publish_many(["b", "a"], Notice::new("2")).except([id(&clients[2])]).await.unwrap();
    assert_eq!(but_cat.count(), Some(2));
    hub.publish_many(["a", "b"], Notice::new("3")).await.unwrap();
    for (client, expected) in clients.iter_mut().zip([&["1", "2", "3"][..], &["1", "2", "3"], &["1", "3"]]) {
        for text in expected {
            notice(client, text).await;
        }
    }
    let error = hub.publish_many(["a", "closed"], Notice::new("4")).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::NotAllowed);
    let error = hub.publish_many(["a"], Notice::new(&"x".repeat(21))).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::Invalid);
}

#[tokio::test]
async fn a_publish_leaves_out_those_that_are_named() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut clients = members(&server, "room", &["ann", "bob", "cat"]).await;
    let but = [id(&clients[0]), id(&clients[2])];
    assert_eq!(hub.topic("room").publish(Notice::new("1")).except(but).await.unwrap().count(), Some(1));
    assert_eq!(hub.publish("room", Notice::new("2")).await.unwrap().count(), Some(3));
    for (client, expected) in clients.iter_mut().zip([&["2"][..], &["1", "2"], &["2"]]) {
        for text in expected {
            notice(client, text).await;
        }
    }
}

#[tokio::test]
async fn a_users_right_to_a_topic_is_revoked_on_all_devices() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut clients = members(&server, "room", &["ann", "ann", "bob"]).await;
    assert_eq!(hub.topic("room").subscriber_count().await, 3);
    assert_eq!(hub.user("ann").revoke("room").await, 2);
    assert_eq!(hub.user("ann").revoke("room").await, 0);
    assert_eq!(hub.topic("room").subscriber_count().await, 1);
    hub.publish("room", Notice::new("1")).await.unwrap();
    assert_eq!(hub.user("ann").send(Notice::new("2")).await.unwrap(), 2);
    for (client, text) in clients.iter_mut().zip(["2", "2", "1"]) {
        notice(client, text).await;
    }
}

#[tokio::test]
async fn errors_name_the_field_and_are_responses_of_http() {
    let hub = Hub::new();
    let too_long = || Notice::new(&"x".repeat(21));
    let publish = hub.publish("room", too_long()).await.unwrap_err();
    let send = hub.user("ann").send(too_long()).await.unwrap_err();
    for text in [publish.to_string(), send.to_string()] {
        assert!(text.starts_with("the outgoing message is invalid: text "), "{text}");
    }
    assert!(!publish.retryable() && !send.retryable());
    assert_eq!(publish.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    let name = hub.publish("no topic", Notice::new("")).await.unwrap_err();
    assert_eq!(name.into_response().status(), StatusCode::BAD_REQUEST);
    let gone = hub.connection("018f3e3e-0000-7000-8000-000000000000".parse().unwrap()).send(Notice::new("")).await;
    assert_eq!(gone.unwrap_err().into_response().status().as_u16(), 499);
}

#[derive(WsMessages)]
enum Sent {
    Notice(Notice),
}

#[tokio::test]
async fn a_typed_hub_sends_messages_of_its_set() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut client = members(&server, "room", &["ann"]).await.remove(0);
    let typed = hub.typed::<Sent>();
    typed.publish("room", Notice::new("1")).await.unwrap();
    typed.topic("room").publish(Notice::new("2")).await.unwrap();
    typed.user("ann").send(Notice::new("3")).await.unwrap();
    typed.connection(id(&client)).send(Notice::new("4")).await.unwrap();
    for text in ["1", "2", "3", "4"] {
        notice(&mut client, text).await;
    }
    assert_eq!(*typed.hub(), hub);
    assert_ne!(Hub::new(), hub);
    assert_eq!((typed.user("ann").key(), typed.topic("room").name()), ("ann", "room"));
}

#[tokio::test]
async fn a_task_learns_that_its_connection_is_closed() {
    let ended = Arc::new(Notify::new());
    let told = Arc::clone(&ended);
    let hub = Hub::new();
    let ws = WsRouter::<()>::new().hub(hub.clone()).on_open(async move |conn: Conn| {
        tokio::spawn(async move {
            conn.closed().await;
            // Again: at once.
            conn.closed().await;
            told.notify_one();
        });
    });
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let client = server.connect("/ws").await;
    // Queues that get empty do not end it.
    for _ in 0..3 {
        hub.connection(id(&client)).send(Notice::new("1")).await.unwrap();
    }
    assert!(timeout(Duration::from_millis(20), ended.notified()).await.is_err());
    assert!(hub.connection(id(&client)).disconnect().await);
    timeout(PATIENCE, ended.notified()).await.unwrap();
    until(|| hub.local_connection(id(&client)).is_none()).await;
}

#[tokio::test]
async fn a_connection_is_asked_to_reauthorize_by_its_id() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut client = connect(&server, "ann").await;
    let handle = hub.connection(id(&client));
    assert!(handle.reauthorize().await && handle.local().is_some() && handle.id() == id(&client));
    // Without hooks it stays.
    request(&mut client, "PING", json!({})).await;
    assert!(handle.disconnect().await);
    until(|| handle.local().is_none()).await;
    assert!(!handle.reauthorize().await);
}
