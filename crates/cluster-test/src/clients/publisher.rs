//! A client that publishes.

use std::{collections::HashMap, time::Duration};

use serde_json::json;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    Home, Phase, World,
    socket::{Incoming, Reply, Socket},
};
use crate::{
    history::{Client, Message, Outcome, Publisher, Topic, What},
    random::Random,
};

/// How many publishes may wait for their answers.
const UNANSWERED: usize = 8;

/// A client that publishes to its topics in turn, at random, and connects again when its connection ends.
#[derive(Debug)]
pub struct PublisherClient {
    world: World,
    client: Client,
    home: Home,
    topics: Vec<Topic>,
    pause: Duration,
}

/// One connection of a publisher.
struct Life {
    publisher: Publisher,
    /// The number of the next message in each topic.
    next: HashMap<Topic, u32>,
    unanswered: HashMap<u64, Message>,
}

impl PublisherClient {
    /// Creates a publisher, which does nothing until it [runs](Self::run). It publishes once in each `pause`.
    #[must_use]
    pub fn new(world: World, client: Client, home: Home, topics: Vec<Topic>, pause: Duration) -> Self {
        Self { world, client, home, topics, pause }
    }

    /// Publishes until publishing has ended, then waits for all answers or the end of the run.
    pub async fn run(self) {
        let mut random = Random::new(u64::from(self.client.0));
        let mut ticks = interval(self.pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut life = 0;
        while self.world.phase() == Phase::Publishing {
            let Some(mut socket) = self.world.connect(self.client, self.home).await else { return };
            let publisher = Publisher { client: self.client, life };
            life += 1;
            let mut of_life = Life { publisher, next: HashMap::new(), unanswered: HashMap::new() };
            tokio::select! {
                () = self.publish(&mut socket, &mut of_life, &mut ticks, &mut random) => {}
                () = self.world.done() => return,
            }
            for message in of_life.unanswered.into_values() {
                self.record(What::Answered(message, Outcome::ConnectionLost));
            }
            self.record(What::Disconnected);
        }
    }

    /// Publishes until the connection ends, or until publishing has ended and all answers have come.
    async fn publish(&self, socket: &mut Socket, life: &mut Life, ticks: &mut Interval, random: &mut Random) {
        let mut phase = self.world.phase.clone();
        loop {
            let publishes = self.world.phase() == Phase::Publishing;
            if !publishes && life.unanswered.is_empty() {
                return;
            }
            tokio::select! {
                incoming = socket.next() => match incoming {
                    Incoming::Reply(request, reply) => {
                        if let Some(message) = life.unanswered.remove(&request) {
                            self.record(What::Answered(message, outcome(&reply)));
                        }
                    }
                    Incoming::End(_) => return,
                    _ => {}
                },
                _ = ticks.tick(), if publishes && life.unanswered.len() < UNANSWERED => {
                    let Some(topic) = self.topics.get(random.below(self.topics.len())) else { continue };
                    let n = life.next.entry(*topic).or_default();
                    let message = Message { topic: *topic, publisher: life.publisher, n: *n };
                    *n += 1;
                    let request = self.world.number();
                    life.unanswered.insert(request, message);
                    self.record(What::Sent(message));
                    let Publisher { client, life } = message.publisher;
                    let payload = json!({ "topic": topic.0, "client": client.0, "life": life, "n": message.n });
                    socket.ask("SAY", request, &payload).await;
                }
                changed = phase.changed(), if publishes => if changed.is_err() {
                    return;
                },
            }
        }
    }

    fn record(&self, what: What) {
        self.world.record(self.client, what);
    }
}

fn outcome(reply: &Reply) -> Outcome {
    match reply {
        Reply::Error { is_unknown: true, .. } => Outcome::Unknown,
        // The deadline of the request has passed, and the handler was dropped at an unknown place.
        Reply::Error { code, .. } if code == "DEADLINE_EXCEEDED" => Outcome::Unknown,
        Reply::Error { .. } => Outcome::Refused,
        _ => Outcome::Accepted,
    }
}
