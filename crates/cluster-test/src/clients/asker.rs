//! Asks a node, and waits for each answer.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Home, World,
    socket::{Incoming, Reply, Socket},
};
use crate::history::{Client, What};

/// A client that makes one request after the other to one node.
#[derive(Debug)]
pub struct Asker {
    pub(super) world: World,
    pub(super) client: Client,
    pub(super) node: usize,
    socket: Option<Socket>,
}

impl Asker {
    /// Creates a client, which connects at its first request.
    #[must_use]
    pub fn new(world: World, client: Client, node: usize) -> Self {
        Self { world, client, node, socket: None }
    }

    /// Asks a node how it is: whether its link is healthy, and how many other nodes it knows. `None` if it does not answer
    /// in time.
    pub async fn health(&mut self, limit: Duration) -> Option<(bool, u32)> {
        match timeout(limit, self.ask("HEALTH", &json!({}))).await.ok()?? {
            Reply::State { healthy, nodes } => Some((healthy, nodes)),
            _ => None,
        }
    }

    /// Makes a request, and waits for its answer. `None` if the connection ends before, or all end.
    pub(super) async fn ask(&mut self, kind: &str, payload: &Value) -> Option<Reply> {
        if self.socket.is_none() {
            self.socket = Some(self.world.connect(self.client, Home::Always(self.node)).await?);
        }
        let socket = self.socket.as_mut()?;
        let request = self.world.number();
        self.world.record(self.client, What::Asked(request));
        let answer = async {
            socket.ask(kind, request, payload).await;
            loop {
                match socket.next().await {
                    Incoming::Reply(answered, reply) if answered == request => return Some(reply),
                    Incoming::End(_) => return None,
                    _ => {}
                }
            }
        };
        let reply = tokio::select! {
            reply = answer => reply,
            () = self.world.done() => return None,
        };
        self.world.record(self.client, What::Ended(request));
        if reply.is_none() {
            self.socket = None;
            self.world.record(self.client, What::Disconnected);
        }
        reply
    }
}
