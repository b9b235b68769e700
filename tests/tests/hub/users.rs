//! Users and all their connections.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use axum::Router;
use serde_json::json;
use switchboard::{Conn, Hub, Identity, SendErrorKind, UserEvent, WsError, WsRouter};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

use crate::{Notice, User, authenticate, connect, id, request, router, serve, until};

#[tokio::test]
async fn a_user_is_all_of_its_connections() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut presence = hub.user_events();
    assert!(!hub.user("ann").is_online().await);
    let mut phone = connect(&server, "ann").await;
    let mut desk = connect(&server, "bob").await;
    let mut tablet = server.connect("/ws").await;
    request(&mut tablet, "AUTH", json!({ "user": "ann" })).await;
    assert!(
        hub.user("ann").is_online().await && hub.user("bob").is_online().await && !hub.user("cat").is_online().await
    );
    assert_eq!(hub.user("ann").connections().await, [id(&phone), id(&tablet)]);
    let mut users = hub.local_users();
    users.sort();
    assert_eq!(users.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["ann", "bob"]);
    let stats = hub.stats();
    assert_eq!((stats.connections, stats.users, stats.queued_bytes, stats.slow_consumers), (3, 2, 0, 0));
    // To all devices of one user, and to nobody else.
    assert_eq!(hub.user("ann").send(Notice::new("hi")).await.unwrap(), 2);
    assert_eq!(hub.user("cat").send(Notice::new("hi")).await.unwrap(), 0);
    assert_eq!(hub.user("ann").send(Notice::new(&"x".repeat(21))).await.unwrap_err().kind(), SendErrorKind::Invalid);
    for client in [&mut phone, &mut tablet] {
        assert_eq!(client.expect("NOTICE").await, json!({ "text": "hi" }));
    }
    assert_eq!(hub.user("bob").send(Notice::new("you")).await.unwrap(), 1);
    assert_eq!(desk.expect("NOTICE").await, json!({ "text": "you" }));
    // One device goes, and then all.
    assert_eq!(phone.close(1000).await, 1000);
    until(|| hub.user("ann").local_connections().len() == 1).await;
    assert!(hub.user("ann").is_online().await);
    let closed = hub.user("ann").disconnect().await;
    assert_eq!((*closed, closed.is_complete()), (1, true));
    assert_eq!(hub.user("cat").disconnect().await, 0);
    assert_eq!(tablet.expect_close().await, (4503, "kicked".to_owned()));
    drop(tablet);
    until(|| hub.user("ann").local_connections().is_empty()).await;
    assert!(hub.user("ann").connections().await.is_empty());
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.push(match presence.next().await.unwrap() {
            UserEvent::Online { user, .. } => format!("{user} came"),
            UserEvent::ConnectionAdded { user, .. } => format!("{user} came again"),
            UserEvent::ConnectionEnded { user, .. } => format!("{user} has one less"),
            UserEvent::Offline { user, .. } => format!("{user} went"),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(seen, ["ann came", "bob came", "ann came again", "ann has one less", "ann went"]);
}

#[tokio::test]
async fn a_user_is_closed_with_a_code_everywhere() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(connect(&server, "ann").await);
    }
    assert_eq!(hub.user("ann").send(Notice::new("bye")).await.unwrap(), 3);
    assert_eq!(hub.user("ann").disconnect_with(4000, "password changed").await, 3);
    for client in &mut clients {
        client.expect("NOTICE").await;
        assert_eq!(client.expect_close().await, (4000, "password changed".to_owned()));
    }
    // A closing one takes nothing, and does not count.
    assert_eq!(hub.user("ann").send(Notice::new("late")).await.unwrap(), 0);
}

#[tokio::test]
async fn all_connections_of_a_user_are_asked_again() {
    let (hub, banned) = (Hub::new(), Arc::new(AtomicBool::new(false)));
    let ask = {
        let banned = Arc::clone(&banned);
        async move |conn: Conn<User>| {
            if banned.load(SeqCst) && conn.user().as_deref() == Some("ann") {
                return Err(WsError::permission_denied("banned"));
            }
            Ok(())
        }
    };
    let server = Server::start(Router::new().route("/ws", ws_route(router(&hub).on_reauthorize(ask))));
    let (mut one, mut two, mut other) =
        (connect(&server, "ann").await, connect(&server, "ann").await, connect(&server, "bob").await);
    assert_eq!(hub.user("ann").reauthorize().await, 2);
    assert_eq!(hub.user("cat").reauthorize().await, 0);
    request(&mut one, "PING", json!({})).await;
    banned.store(true, SeqCst);
    assert_eq!(hub.user("ann").reauthorize().await, 2);
    assert_eq!(hub.user("bob").reauthorize().await, 1);
    for client in [&mut one, &mut two] {
        assert_eq!(client.expect_close().await.0, 4403);
    }
    request(&mut other, "PING", json!({})).await;
}

#[tokio::test]
async fn one_message_reaches_devices_that_speak_differently() {
    let hub = Hub::new();
    let server = serve(&hub);
    let mut plain = connect(&server, "ann").await;
    let packed = [("sec-websocket-protocol", "switchboard.v1.msgpack")];
    let mut packed = server.upgrade("/ws?user=ann", &packed).await.unwrap();
    assert_eq!(hub.user("ann").send(Notice::new("hi")).await.unwrap(), 2);
    assert_eq!(plain.expect("NOTICE").await, json!({ "text": "hi" }));
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let frame = packed.frame().await.into_data();
        let value: serde_json::Value = rmp_serde::from_slice(&frame).unwrap();
        kinds.push(value["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["$ws:hello", "NOTICE"]);
}

#[tokio::test]
async fn one_that_is_refused_is_not_listed() {
    let hub = Hub::builder().max_connections_per_user(1).build();
    let ws = WsRouter::<(), User>::new()
        .hub(hub.clone())
        .identify(|user: &User| user.user.as_deref().map(Into::into))
        .authenticate(authenticate);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let one: Client = connect(&server, "ann").await;
    let mut events = hub.user_events();
    let mut two = connect(&server, "ann").await;
    assert!(hub.local_connection(id(&two)).is_none());
    assert_eq!(two.expect_close().await.0, 4504);
    assert_eq!((hub.user("ann").connections().await.into_inner(), hub.stats().connections), (vec![id(&one)], 1));
    drop(one);
    let event = events.next().await.unwrap();
    assert!(matches!(event, UserEvent::Offline { .. }), "{event:?}");
}

#[expect(clippy::panic, reason = "what is tested")]
fn panics(_: &User) -> Option<Identity> {
    panic!("secret")
}

#[tokio::test]
async fn a_panic_while_it_is_said_whose_it_is_leaves_nothing_behind() {
    let hub = Hub::new();
    let ws = WsRouter::<(), User>::new().hub(hub.clone()).identify(panics).authenticate(authenticate);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, 500);
    until(|| hub.stats().connections == 0).await;
}

#[tokio::test]
async fn a_user_is_there_until_the_close_hooks_are_done() {
    let hub = Hub::new();
    let seen = Arc::new(AtomicBool::new(false));
    let close = {
        let seen = Arc::clone(&seen);
        async move |conn: Conn<User>| {
            let user = conn.user().unwrap();
            seen.store(
                conn.hub().user(&user).is_online().await && conn.hub().user(&user).connections().await == [conn.id()],
                SeqCst,
            );
        }
    };
    let server = Server::start(Router::new().route("/ws", ws_route(router(&hub).on_close(close))));
    let mut events = hub.user_events();
    let mut client = connect(&server, "ann").await;
    assert!(matches!(events.next().await, Some(UserEvent::Online { conn, .. }) if conn == Some(id(&client))));
    assert_eq!(client.close(1000).await, 1000);
    assert!(matches!(events.next().await, Some(UserEvent::Offline { conn, .. }) if conn == Some(id(&client))));
    assert!(seen.load(SeqCst) && !hub.user("ann").is_online().await);
}
