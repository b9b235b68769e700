//! Asks a node again and again who is online.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::{Asker, socket::Reply};
use crate::history::{Client, What};

/// The time between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// A client of one node that asks which users are online.
#[derive(Debug)]
pub struct Watcher {
    asker: Asker,
    users: Vec<Client>,
}

impl Watcher {
    /// Creates a watcher of these clients.
    #[must_use]
    pub fn new(asker: Asker, users: Vec<Client>) -> Self {
        Self { asker, users }
    }

    /// Asks until all end.
    pub async fn run(mut self) {
        for user in self.users.clone().into_iter().cycle() {
            let world = self.asker.world.clone();
            let asked = world.recorder.now();
            let question = json!({ "user": user.0 });
            let answer = tokio::select! {
                answer = self.asker.ask("ONLINE", &question) => answer,
                () = world.done() => return,
            };
            if let Some(Reply::Online(online)) = answer {
                let (client, node) = (self.asker.client, self.asker.node);
                world.record(client, What::Online { node, user, asked, online });
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = world.done() => return,
            }
        }
    }
}
