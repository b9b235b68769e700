//! What handlers keep with a connection.

use std::sync::{Arc, Weak};

use axum::Router;
use serde_json::json;
use switchboard::{Config, Conn, Hub, WsError, ws_message};
use switchboard_tests::{client::Server, serve::ws_route};

use crate::{Pong, User, connected, request, router, until};

#[derive(Debug, PartialEq)]
struct Level(u32);

#[derive(Debug, PartialEq)]
struct Room(String);

#[ws_message("LEVEL")]
struct SetLevel {
    level: u32,
}

#[ws_message("ROOM")]
struct SetRoom {
    room: String,
}

async fn level(conn: Conn<User>, set: SetLevel) -> Result<Pong, WsError> {
    conn.attributes().insert(Level(set.level))?;
    Ok(Pong {})
}

async fn room(conn: Conn<User>, set: SetRoom) -> Result<Pong, WsError> {
    conn.attributes().insert(Room(set.room))?;
    Ok(Pong {})
}

#[tokio::test]
async fn attributes_are_seen_through_the_hub_and_bounded() {
    let hub = Hub::new();
    let ws = router(&hub).config(Config::new().max_attributes(1)).on(level).on(room);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let (mut client, conn) = connected(&server, &hub).await;
    let (_other, other) = connected(&server, &hub).await;
    assert_eq!(conn.attributes().get::<Level>(), None);
    request(&mut client, "LEVEL", json!({ "level": 1 })).await;
    request(&mut client, "LEVEL", json!({ "level": 2 })).await;
    assert_eq!(conn.attributes().get(), Some(Arc::new(Level(2))));
    assert!(other.attributes().is_empty());
    // Handlers get an error that clients understand.
    client.send("ROOM", json!({ "room": "x" })).await;
    let error = client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
    assert_eq!(error["details"], json!({ "limit": 1, "current": 1 }));
    // Others may change them, too.
    assert_eq!(conn.attributes().remove::<Level>().as_deref(), Some(&Level(2)));
    request(&mut client, "ROOM", json!({ "room": "y" })).await;
    assert_eq!(conn.attributes().get::<Room>().as_deref(), Some(&Room("y".into())));
    let kept: Weak<Room> = Arc::downgrade(&conn.attributes().get().unwrap());
    // They go with the connection and its handles.
    drop((client, conn));
    until(|| kept.upgrade().is_none()).await;
}
