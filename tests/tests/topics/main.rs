//! Topics whole, over real sockets: sets, rules, filters, slow members, typed and paced publishing.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod clients;
mod filters;
mod order;
mod paced;
mod revoke;
mod rules;
mod sets;
mod slow;
mod taken_back;

use std::{future::poll_fn, pin::pin, task::Poll};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use switchboard::{Config, Conn, Hub, Identity, WsRouter, ws_message};
use switchboard_tests::{
    client::{Client, PATIENCE, Server},
    serve::ws_route,
};
use tokio::sync::mpsc;

#[derive(Debug, Clone, Deserialize)]
struct User {
    name: String,
    #[serde(default)]
    role: String,
}

#[ws_message("NOTE")]
#[derive(Clone)]
struct Note {
    n: u32,
    text: String,
}

impl Note {
    fn new(n: u32) -> Self {
        Self { n, text: String::new() }
    }
}

#[ws_message("OTHER")]
struct Other {}

type Conns = mpsc::UnboundedSender<Conn<User>>;

/// A server that hands its connections to the test.
struct Place {
    server: Server,
    hub: Hub,
    conns: mpsc::UnboundedReceiver<Conn<User>>,
}

impl Place {
    fn new(hub: Hub) -> Self {
        Self::with(hub, Config::new())
    }

    fn with(hub: Hub, config: Config) -> Self {
        async fn opened(State(conns): State<Conns>, conn: Conn<User>) {
            conn.identify(Identity::new(&*conn.data().name)).unwrap();
            conns.send(conn).unwrap();
        }
        let (sender, conns) = mpsc::unbounded_channel();
        let ws = WsRouter::new()
            .hub(hub.clone())
            .config(config)
            .authenticate(async |Query(user): Query<User>| Ok::<_, StatusCode>(user))
            .on_open(opened);
        let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(sender));
        Self { server, hub, conns }
    }

    async fn connect(&mut self, name: &str) -> (Client, Conn<User>) {
        self.connect_as(name, "", &[]).await
    }

    async fn connect_as(&mut self, name: &str, role: &str, headers: &[(&str, &str)]) -> (Client, Conn<User>) {
        let path = format!("/ws?name={name}&role={role}");
        let client = self.server.upgrade(&path, headers).await.unwrap();
        let conn = tokio::time::timeout(PATIENCE, self.conns.recv()).await.unwrap().unwrap();
        (client, conn)
    }
}

/// The numbers of the notes that come before one that says so.
async fn notes_until(client: &mut Client, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    loop {
        let n = u32::try_from(client.expect("NOTE").await["n"].as_u64().unwrap()).unwrap();
        if n == last {
            return numbers;
        }
        numbers.push(n);
    }
}

/// Whether something is not ready at once; it is given up then.
async fn is_waiting<T>(future: impl IntoFuture<Output = T>) -> bool {
    let mut future = pin!(future.into_future());
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}
