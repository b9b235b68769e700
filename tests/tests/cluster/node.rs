//! The application, and its nodes.

use std::time::Duration;

use axum::Router;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use switchboard::{
    Conn, Hub, HubBuilder, Matched, TopicOptions, WsError, WsRouter,
    cluster::{Broker, MemoryBroker, MemoryBus},
    extract::FromUpgrade,
    ws_message, ws_rpc,
};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};

#[ws_message("SAID")]
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) n: u64,
}

#[ws_message("DONE")]
struct Done {}

#[ws_rpc("JOIN", response = Done)]
struct Join {
    topic: String,
}

/// Only messages with `n` up to this.
#[ws_rpc("JOIN_UP_TO", response = Done)]
struct JoinUpTo {
    topic: String,
    max: u64,
}

/// Joins, and does not wait for it.
#[ws_rpc("GIVE_UP", response = Done)]
struct GiveUp {
    topic: String,
}

#[ws_rpc("LEAVE", response = Done)]
struct Leave {
    topic: String,
}

#[ws_rpc("SAY", response = Done)]
struct Say {
    topic: String,
    n: u64,
    #[serde(default)]
    to_others: bool,
}

#[ws_message("CHECKED")]
struct Checked {}

#[derive(Clone, serde::Deserialize)]
struct AsUser {
    user: Option<String>,
}

async fn join(conn: Conn, join: Join) -> Result<Done, WsError> {
    conn.subscribe(&join.topic).await?;
    Ok(Done {})
}

async fn join_up_to(conn: Conn, join: JoinUpTo) -> Result<Done, WsError> {
    conn.subscribe(&join.topic).filter(move |_, said: &Said| said.n <= join.max).await?;
    Ok(Done {})
}

async fn give_up(conn: Conn, GiveUp { topic }: GiveUp) -> Done {
    assert!(conn.subscribe(topic).into_future().now_or_never().is_none(), "the broker was not asked");
    Done {}
}

async fn leave(conn: Conn, leave: Leave) -> Result<Done, WsError> {
    conn.unsubscribe(&leave.topic).await?;
    Ok(Done {})
}

async fn publish(conn: Conn, say: Say) -> Result<Done, WsError> {
    let publish = conn.publish(&say.topic, Said { n: say.n });
    let publish = if say.to_others { publish.except_self() } else { publish };
    match publish.await?.matched() {
        Matched::Unknown => Ok(Done {}),
        other => Err(WsError::new("MATCHED", format!("{other:?}"))),
    }
}

async fn identify(conn: Conn, FromUpgrade(query): FromUpgrade<axum::extract::Query<AsUser>>) -> Result<(), WsError> {
    if let Some(user) = &query.user {
        conn.identify(user.as_str())?;
    }
    Ok(())
}

fn app(hub: &Hub) -> Router {
    let ws = WsRouter::new()
        .hub(hub.clone())
        .on_open(identify)
        .on_reauthorize(async |conn: Conn| conn.send(Checked {}).map_err(WsError::from))
        .on(join)
        .on(join_up_to)
        .on(give_up)
        .on(leave)
        .on(publish);
    Router::new().route("/ws", ws_route(ws))
}

/// One node, and what a test can do to its link.
pub(crate) struct Node<B = MemoryBroker> {
    pub(crate) server: Server,
    pub(crate) hub: Hub,
    pub(crate) broker: B,
}

impl Node {
    async fn on(bus: &MemoryBus, change: impl Fn(HubBuilder) -> HubBuilder) -> Self {
        let broker = bus.broker();
        Self::start(broker.clone(), broker, change).await
    }
}

impl<B> Node<B> {
    pub(crate) async fn start(link: impl Broker, broker: B, change: impl Fn(HubBuilder) -> HubBuilder) -> Self {
        let builder = Hub::builder()
            .broker(link)
            .topic("small:*", TopicOptions::new().max_members(1))
            .topic("closed:*", TopicOptions::new().allow_names(|_| false));
        let hub = change(builder).build();
        hub.ready().await;
        Self { server: Server::start(app(&hub)), hub, broker }
    }

    pub(crate) async fn connect(&self) -> Client {
        self.server.connect("/ws").await
    }

    /// Connects as a user, whom the hub of this node knows then.
    pub(crate) async fn connect_as(&self, user: &str) -> Client {
        let mut client = self.server.connect(&format!("/ws?user={user}")).await;
        // The hook that identifies runs before any message is handled.
        request(&mut client, "LEAVE", json!({ "topic": "none" })).await;
        client
    }

    pub(crate) async fn member(&self, topic: &str) -> Client {
        let mut client = self.connect().await;
        request(&mut client, "JOIN", json!({ "topic": topic })).await;
        client
    }
}

/// Nodes that know each other.
pub(crate) async fn nodes<const N: usize>() -> [Node; N] {
    nodes_with(|builder| builder).await
}

pub(crate) async fn nodes_with<const N: usize>(change: impl Fn(HubBuilder) -> HubBuilder) -> [Node; N] {
    let bus = MemoryBus::new();
    let mut nodes = Vec::new();
    for _ in 0..N {
        nodes.push(Node::on(&bus, &change).await);
    }
    know_each_other(nodes).await
}

/// Waits until each node knows the others.
pub(crate) async fn know_each_other<B, const N: usize>(nodes: Vec<Node<B>>) -> [Node<B>; N] {
    for node in &nodes {
        until(async || node.hub.cluster_stats().unwrap().nodes == N - 1).await;
    }
    nodes.try_into().unwrap_or_else(|_| panic!("as many as were made"))
}

/// Polls until something is true.
pub(crate) async fn until(mut is_true: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// Sends a request, and skips to its answer, which must be `DONE`.
pub(crate) async fn request(client: &mut Client, message_type: &str, payload: Value) {
    let reply = client.request(message_type, "r", payload).await;
    assert_eq!(reply["type"], "DONE", "{reply}");
}

pub(crate) async fn say(client: &mut Client, topic: &str, n: u64) -> Value {
    client.request("SAY", "say", json!({ "topic": topic, "n": n })).await
}

/// The number in the next message, which must be a `SAID`.
pub(crate) async fn said(client: &mut Client) -> u64 {
    client.expect("SAID").await["n"].as_u64().unwrap()
}
