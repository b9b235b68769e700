//! A client that is subscribed to topics.

use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    Home, World,
    socket::{Incoming, Reply, Socket},
};
use crate::history::{Client, Topic, What};

/// How long a client waits before it asks again for a subscription that was refused.
const RETRY: Duration = Duration::from_millis(250);

/// How long a resident stays away.
const AWAY: Duration = Duration::from_secs(15);

/// The close code of a client that was kicked.
const KICKED: u16 = 4503;

/// What a member is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// To get messages.
    Subscriber,
    /// To be the target of commands: its subscriptions end, and it is closed.
    Target,
    /// To be offline for a while after it has lost its connection.
    Resident,
}

/// A client that is subscribed to topics, and connects again when its connection ends.
#[derive(Debug)]
pub struct Member {
    world: World,
    client: Client,
    home: Home,
    topics: Vec<Topic>,
    role: Role,
    /// Its confirmed subscriptions.
    joined: AtomicUsize,
    connections: AtomicU32,
}

impl Member {
    /// Creates a member, which does nothing until it [runs](Self::run).
    #[must_use]
    pub fn new(world: World, client: Client, home: Home, topics: Vec<Topic>, role: Role) -> Self {
        let (joined, connections) = (AtomicUsize::new(0), AtomicU32::new(0));
        Self { world, client, home, topics, role, joined, connections }
    }

    /// Returns its number.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client
    }

    /// Returns whether it is connected and all its subscriptions are confirmed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.connections() > 0 && self.joined.load(Ordering::SeqCst) == self.topics.len()
    }

    /// Returns how often it has connected.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connects and listens until all end.
    pub async fn run(&self) {
        while let Some(socket) = self.world.connect(self.client, self.home).await {
            self.connections.fetch_add(1, Ordering::SeqCst);
            tokio::select! {
                () = self.listen(socket) => {}
                () = self.world.done() => return,
            }
            self.joined.store(0, Ordering::SeqCst);
            self.record(What::Disconnected);
            if self.role == Role::Resident {
                tokio::select! {
                    () = sleep(AWAY) => {}
                    () = self.world.done() => return,
                }
            }
        }
    }

    async fn listen(&self, mut socket: Socket) {
        let mut waiting: HashMap<u64, Topic> = HashMap::new();
        let mut later: VecDeque<(Instant, Topic)> = self.topics.iter().map(|topic| (Instant::now(), *topic)).collect();
        loop {
            let next = later.front().map(|(at, _)| *at);
            tokio::select! {
                incoming = socket.next() => match incoming {
                    Incoming::Message(message) => self.record(What::Got(message)),
                    Incoming::Gap(topic) => self.record(What::Gap(topic)),
                    Incoming::Told(token) => {
                        self.record(What::Reached(token));
                        // A subscription may have been ended before.
                        later.extend(self.topics.iter().map(|topic| (Instant::now(), *topic)));
                    }
                    Incoming::Reply(request, reply) => {
                        self.record(What::Ended(request));
                        let Some(topic) = waiting.remove(&request) else { continue };
                        if reply == Reply::Done {
                            self.joined(topic);
                        } else {
                            later.push_back((Instant::now() + RETRY, topic));
                        }
                    }
                    Incoming::End(reason) => {
                        if let Some((KICKED, token)) = reason && let Ok(token) = token.parse() {
                            self.record(What::Reached(token));
                        }
                        waiting.keys().for_each(|request| self.record(What::Ended(*request)));
                        return;
                    }
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    if let Some((_, topic)) = later.pop_front() {
                        let request = self.world.number();
                        waiting.insert(request, topic);
                        self.record(What::Joining(topic));
                        self.record(What::Asked(request));
                        socket.ask("JOIN", request, &json!({ "topic": topic.0 })).await;
                    }
                }
            }
        }
    }

    fn joined(&self, topic: Topic) {
        self.record(What::Joined(topic));
        if self.role == Role::Target {
            // A command of another client may end the subscription at any time.
            self.record(What::Leaving(topic));
        }
        let all = self.topics.len();
        _ = self.joined.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| Some((count + 1).min(all)));
    }

    fn record(&self, what: What) {
        self.world.record(self.client, what);
    }
}
