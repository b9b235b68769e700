//! The clients of a run.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use super::{Size, number};
use crate::{
    clients::{Asker, Home, Member, Prober, PublisherClient, Role, Watcher, World},
    history::{Client, Topic},
    random::Random,
};

/// The first numbers of clients. Members are counted from 0.
const PUBLISHERS: u32 = 1000;
const RESIDENTS: u32 = 2000;
const WATCHERS: u32 = 3000;
const TARGETS: u32 = 4000;
const PROBERS: u32 = 5000;

/// Clients, each in its task. They end when this is dropped.
pub(super) struct Crowd {
    members: Vec<Arc<Member>>,
    publishers: JoinSet<()>,
    others: JoinSet<()>,
}

impl Crowd {
    /// Starts all clients but the publishers.
    pub(super) fn start(world: &World, size: &Size, random: &mut Random) -> Self {
        let mut crowd = Self { members: Vec::new(), publishers: JoinSet::new(), others: JoinSet::new() };
        for index in 0..size.members {
            let topics = topics(random, size.topics_of_member, size);
            crowd.member(world, Client(number(index)), home(index, size), topics, Role::Subscriber);
        }
        let residents: Vec<_> = (0..size.nodes).map(|node| Client(RESIDENTS + number(node))).collect();
        for node in 0..size.nodes {
            let other = (node + 1) % size.nodes;
            crowd.member(world, residents[node], Home::Always(node), Vec::new(), Role::Resident);
            let watcher = Asker::new(world.clone(), Client(WATCHERS + number(node)), node);
            crowd.others.spawn(Watcher::new(watcher, residents.clone()).run());
            let topic = Topic(number(node % size.topics));
            let target = Client(TARGETS + number(node));
            let target = crowd.member(world, target, Home::Always(other), vec![topic], Role::Target);
            let prober = Asker::new(world.clone(), Client(PROBERS + number(node)), node);
            crowd.others.spawn(Prober::new(prober, target, topic).run());
        }
        crowd
    }

    fn member(&mut self, world: &World, client: Client, home: Home, topics: Vec<Topic>, role: Role) -> Arc<Member> {
        let member = Arc::new(Member::new(world.clone(), client, home, topics, role));
        self.members.push(Arc::clone(&member));
        let running = Arc::clone(&member);
        self.others.spawn(async move { running.run().await });
        member
    }

    /// Waits until all members are subscribed.
    pub(super) async fn ready(&self) {
        for member in &self.members {
            while !member.is_ready() {
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    pub(super) fn start_publishers(&mut self, world: &World, size: &Size, random: &mut Random) {
        for index in 0..size.publishers {
            let client = Client(PUBLISHERS + number(index));
            let topics = topics(random, size.topics_of_publisher, size);
            let publisher = PublisherClient::new(world.clone(), client, home(index, size), topics, size.pause);
            self.publishers.spawn(publisher.run());
        }
    }

    /// Waits until all publishers have got their answers.
    pub(super) async fn published(&mut self) {
        while self.publishers.join_next().await.is_some() {}
    }

    /// Waits until all clients have ended.
    pub(super) async fn ended(&mut self) {
        self.published().await;
        while self.others.join_next().await.is_some() {}
    }
}

fn topics(random: &mut Random, count: usize, size: &Size) -> Vec<Topic> {
    random.different(count, size.topics).into_iter().map(|topic| Topic(number(topic))).collect()
}

/// Half of the clients stay at their node, half go to another if it is not reachable.
fn home(index: usize, size: &Size) -> Home {
    let node = index % size.nodes.max(1);
    if (index / size.nodes.max(1)).is_multiple_of(2) { Home::Always(node) } else { Home::First(node) }
}
