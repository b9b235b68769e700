//! Routes share what their hub has, and nothing else.

use axum::Router;
use serde_json::json;
use switchboard::{Hub, WsRouter};
use switchboard_tests::{client::Server, serve::ws_route};

use crate::{Notice, id, join_topic, request, router};

#[tokio::test]
async fn two_routes_share_topics_users_and_connections_only_through_a_shared_hub() {
    let (hub, other) = (Hub::new(), Hub::new());
    let own = WsRouter::<()>::new().on_open(async |conn: switchboard::Conn| {
        conn.subscribe("news").await?;
        Ok::<_, switchboard::WsError>(())
    });
    let app = Router::new()
        .route("/a", ws_route(router(&hub)))
        .route("/b", ws_route(router(&hub)))
        .route("/c", ws_route(router(&other)))
        // A route without a hub has one of its own.
        .route("/d", ws_route(own));
    let server = Server::start(app);
    let (mut a, mut b) = (server.connect("/a?user=ann").await, server.connect("/b?user=ann").await);
    let (mut c, _d) = (server.connect("/c?user=ann").await, server.connect("/d").await);
    for client in [&mut a, &mut b, &mut c] {
        join_topic(client, "news").await;
    }
    // Topics.
    assert_eq!(hub.publish("news", Notice::new("ab")).await.unwrap().count(), Some(2));
    assert_eq!(other.publish("news", Notice::new("c")).await.unwrap().count(), Some(1));
    for (client, text) in [(&mut a, "ab"), (&mut b, "ab"), (&mut c, "c")] {
        assert_eq!(client.expect("NOTICE").await, json!({ "text": text }));
    }
    // Users.
    assert_eq!(hub.user("ann").connections().await, [id(&a), id(&b)]);
    assert_eq!(other.user("ann").connections().await, [id(&c)]);
    assert_eq!(hub.user("ann").send(Notice::new("you")).await.unwrap(), 2);
    for client in [&mut a, &mut b] {
        assert_eq!(client.expect("NOTICE").await, json!({ "text": "you" }));
    }
    // The registry.
    assert!(hub.local_connection(id(&a)).is_some() && hub.local_connection(id(&b)).is_some());
    assert!(hub.local_connection(id(&c)).is_none() && !hub.connection(id(&c)).disconnect().await);
    assert_eq!((hub.stats().connections, other.stats().connections), (2, 1));
    assert_eq!(other.user("ann").disconnect().await, 1);
    assert_eq!(c.expect_close().await.0, 4503);
    request(&mut a, "PING", json!({})).await;
    request(&mut b, "PING", json!({})).await;
}
