//! A publish is queued for each member when it returns: order between tasks that agree on one.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use axum::Router;
use serde_json::json;
use switchboard::{Conn, ConnId, Hub, WsError, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};

use crate::{Note, notes_until};

#[ws_message("JOIN")]
struct Join {
    has_filter: bool,
}

#[ws_message("LEAVE")]
struct Leave {}

#[ws_message("LEFT")]
struct Left {}

#[ws_message("JOINED")]
struct Joined {}

/// Publishes a note and then keeps its thread, so that its turn goes on.
#[ws_message("HOLD")]
struct Hold {
    n: u32,
}

#[ws_message("PUBLISH")]
struct Publish {
    n: u32,
}

#[ws_message("PUBLISHED")]
struct Published {}

/// A topic whose publisher can be held within its turn, behind its publish.
struct Held {
    server: Server,
    hub: Hub,
    published: Receiver<()>,
    release: Sender<()>,
}

impl Held {
    fn start() -> Self {
        let hub = Hub::new();
        let (published, has_published) = channel();
        let (release, released) = channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let hold = async move |conn: Conn, hold: Hold| {
            conn.publish("t", Note::new(hold.n)).await?;
            published.send(()).map_err(WsError::internal)?;
            // Not awaited: the turn must not end. Other threads serve the other connections meanwhile.
            tokio::task::block_in_place(|| {
                let released = released.lock().map_err(|_| WsError::aborted("poisoned"))?;
                released.recv_timeout(PATIENCE).map_err(WsError::internal)
            })?;
            Ok::<_, WsError>(Published {})
        };
        let ws = WsRouter::new().hub(hub.clone()).on(join).on(leave).on(publish).on(hold);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)));
        Self { server, hub, published: has_published, release }
    }

    async fn join(&self) -> Client {
        self.join_with(false).await
    }

    async fn join_with(&self, has_filter: bool) -> Client {
        let mut client = self.server.connect("/ws").await;
        client.send("JOIN", json!({ "hasFilter": has_filter })).await;
        client.expect("JOINED").await;
        client
    }

    /// The only member.
    async fn member(&self) -> (Client, ConnId) {
        let client = self.join().await;
        (client, self.hub.topic("t").local_members().next().unwrap().id())
    }

    /// A publisher that has published this note and is still in its turn.
    async fn hold(&self, n: u32) -> Client {
        let mut publisher = self.server.connect("/ws").await;
        publisher.send("HOLD", json!({ "n": n })).await;
        tokio::task::block_in_place(|| self.published.recv_timeout(PATIENCE)).unwrap();
        publisher
    }

    async fn release(&self, mut publisher: Client) {
        self.release.send(()).unwrap();
        publisher.expect("PUBLISHED").await;
    }

    async fn publish(&self, n: u32) {
        let mut client = self.server.connect("/ws").await;
        client.send("PUBLISH", json!({ "n": n })).await;
        client.expect("PUBLISHED").await;
    }
}

async fn join(conn: Conn, join: Join) -> Result<Joined, WsError> {
    if join.has_filter {
        conn.subscribe("t").filter(|_, _: &Note| true).await?;
    } else {
        conn.subscribe("t").await?;
    }
    Ok(Joined {})
}

async fn leave(conn: Conn, _: Leave) -> Result<Left, WsError> {
    conn.unsubscribe("t").await?;
    Ok(Left {})
}

async fn publish(conn: Conn, publish: Publish) -> Result<Published, WsError> {
    conn.publish("t", Note::new(publish.n)).await?;
    Ok(Published {})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_a4_a_publish_made_after_another_returned_arrives_after_it() {
    for has_filter in [false, true] {
        let held = Held::start();
        let mut member = held.join_with(has_filter).await;
        let publisher = held.hold(1).await;
        held.publish(2).await;
        held.release(publisher).await;
        held.publish(3).await;
        assert_eq!(notes_until(&mut member, 3).await, [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_send_made_after_a_publish_returned_arrives_after_it() {
    let held = Held::start();
    let (mut member, id) = held.member().await;
    let publisher = held.hold(1).await;
    held.hub.local_connection(id).unwrap().send(Note::new(2)).unwrap();
    held.release(publisher).await;
    assert_eq!(notes_until(&mut member, 2).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscriber_that_joins_after_a_publish_returned_does_not_get_it() {
    for has_filter in [false, true] {
        let held = Held::start();
        let publisher = held.hold(1).await;
        let mut late = held.join_with(has_filter).await;
        held.release(publisher).await;
        held.publish(2).await;
        assert!(notes_until(&mut late, 2).await.is_empty());
    }
}

/// Reads on to a message of this type; what notes came before it.
async fn notes_before(member: &mut Client, message_type: &str) -> Vec<u64> {
    let mut notes = Vec::new();
    loop {
        let message = member.recv().await;
        match &message["type"] {
            found if found == message_type => return notes,
            found if found == "NOTE" => notes.push(message["payload"]["n"].as_u64().unwrap()),
            _ => panic!("{message} before {message_type}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attack_a5_a_subscriber_that_comes_back_gets_what_it_was_sent_once() {
    for has_filter in [false, true] {
        let held = Held::start();
        let mut member = held.join_with(has_filter).await;
        let publisher = held.hold(1).await;
        let mut notes = Vec::new();
        for _ in 0..3 {
            member.send("LEAVE", json!({})).await;
            notes.extend(notes_before(&mut member, "LEFT").await);
            held.publish(2).await;
            member.send("JOIN", json!({ "hasFilter": has_filter })).await;
            notes.extend(notes_before(&mut member, "JOINED").await);
        }
        held.release(publisher).await;
        member.send("LEAVE", json!({})).await;
        notes.extend(notes_before(&mut member, "LEFT").await);
        assert_eq!(notes, [1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscriber_that_leaves_after_a_publish_returned_gets_it() {
    let held = Held::start();
    let (mut member, id) = held.member().await;
    let publisher = held.hold(1).await;
    assert!(held.hub.topic("t").remove(id).await);
    held.publish(2).await;
    held.hub.local_connection(id).unwrap().send(Note::new(3)).unwrap();
    held.release(publisher).await;
    assert_eq!(notes_until(&mut member, 3).await, [1]);
}
