//! Gives commands for a user of another node.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::time::sleep;

use super::{Asker, Member, socket::Reply};
use crate::history::{Command, Topic, What};

/// The time between two commands.
const PAUSE: Duration = Duration::from_millis(300);

/// How long the target is left alone after it was closed: it connects again, and other nodes learn of it.
const AFTER_KICK: Duration = Duration::from_millis(3500);

/// A client of one node that gives commands for a client of another.
#[derive(Debug)]
pub struct Prober {
    asker: Asker,
    target: Arc<Member>,
    topic: Topic,
}

impl Prober {
    /// Creates a prober. The target is subscribed to the topic.
    #[must_use]
    pub fn new(asker: Asker, target: Arc<Member>, topic: Topic) -> Self {
        Self { asker, target, topic }
    }

    /// Gives commands until all end.
    pub async fn run(mut self) {
        let revoke = Command::Revoke(self.topic);
        // After each end of a subscription there is a message, with which the target subscribes again.
        let commands = [Command::Send, revoke, Command::Send, revoke, Command::Send, Command::Send, Command::Kick];
        for command in commands.into_iter().cycle() {
            let pause = if command == Command::Kick { AFTER_KICK } else { PAUSE };
            let done = self.asker.world.clone();
            tokio::select! {
                () = self.order(command) => {}
                () = done.done() => return,
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = done.done() => return,
            }
        }
    }

    async fn order(&mut self, command: Command) {
        let (token, target) = (self.asker.world.number(), self.target.client());
        let connections = self.target.connections();
        let user = target.0;
        let (kind, payload) = match command {
            Command::Send => ("TELL", json!({ "user": user, "token": token })),
            Command::Revoke(topic) => ("REVOKE", json!({ "user": user, "topic": topic.0 })),
            Command::Kick => ("KICK", json!({ "user": user, "token": token })),
        };
        let own = self.asker.client;
        self.asker.world.record(own, What::Ordered { token, target, command });
        let reply = self.asker.ask(kind, &payload).await;
        if let (Command::Revoke(topic), Some(Reply::Count(1..))) = (command, reply)
            && self.target.connections() == connections
        {
            self.asker.world.record(target, What::Left(topic));
            self.asker.world.record(target, What::Reached(token));
        }
    }
}
