//! Nodes on the broker in memory, driven as a hub drives them: the sink queues, and a loop does what the nodes ask for.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use switchboard_cluster::{Cluster, ClusterConfig, GapReason, Health, Join, Output, Publish};
use switchboard_core::broker::{
    Broker, BrokerSink, Channel, Incarnation, LinkEvent, MemoryBroker, MemoryBus, NodeId, TopicName,
};

enum Arrival {
    Message(Channel, Bytes),
    Link(LinkEvent),
}

#[derive(Default)]
struct Queue(Mutex<VecDeque<Arrival>>);

impl BrokerSink for Queue {
    fn message(&self, channel: &Channel, message: Bytes) {
        self.0.lock().unwrap().push_back(Arrival::Message(channel.clone(), message));
    }

    fn link(&self, event: LinkEvent) {
        self.0.lock().unwrap().push_back(Arrival::Link(event));
    }
}

struct Node {
    cluster: Cluster,
    broker: MemoryBroker,
    queue: Arc<Queue>,
    now: Duration,
    outputs: Vec<Output>,
}

impl Node {
    fn start(bus: &MemoryBus, number: u8) -> Self {
        let id = NodeId::from_bytes([number; 16]);
        let (broker, queue) = (bus.broker(), Arc::new(Queue::default()));
        broker.start(id, queue.clone()).now_or_never().expect("it answers at once").unwrap();
        let incarnation = Incarnation::from_u64(number.into());
        let cluster = Cluster::new(id, incarnation, ClusterConfig::new(), Duration::ZERO);
        Self { cluster, broker, queue, now: Duration::ZERO, outputs: Vec::new() }
    }

    /// Takes what has arrived and does what is asked for. Returns whether there was anything.
    fn work(&mut self) -> bool {
        let arrival = self.queue.0.lock().unwrap().pop_front();
        let had_arrival = arrival.is_some();
        match arrival {
            Some(Arrival::Message(channel, message)) => self.cluster.handle_message(&channel, message, self.now),
            Some(Arrival::Link(event)) => self.cluster.handle_link(event, self.now),
            None => {}
        }
        let mut had_output = false;
        while let Some(output) = self.cluster.poll_output() {
            had_output = true;
            match output {
                Output::Call { operation, call } => {
                    let result = call.call(&self.broker).now_or_never().expect("it answers at once");
                    self.cluster.handle_completion(operation, result.map_err(|error| error.kind()), self.now);
                }
                Output::Reconnect => self.broker.reconnect(),
                output => self.outputs.push(output),
            }
        }
        had_arrival || had_output
    }

    fn join(&mut self, topic: &TopicName) {
        let Join::Waiting(_) = self.cluster.join(topic, self.now).unwrap() else { panic!("it is the first") };
    }

    fn publish(&mut self, topic: &TopicName, payload: &str) {
        let publish = Publish { message_type: "SAY", payload: payload.as_bytes(), ..Publish::default() };
        self.cluster.publish(topic, &publish, self.now).unwrap();
    }

    fn heard(&mut self) -> Vec<Result<Bytes, GapReason>> {
        let outputs = std::mem::take(&mut self.outputs).into_iter();
        outputs
            .filter_map(|output| match output {
                Output::Deliver(delivery) => Some(Ok(delivery.payload)),
                Output::Gap { reason, .. } => Some(Err(reason)),
                _ => None,
            })
            .collect()
    }
}

fn settle(nodes: &mut [&mut Node]) {
    while nodes.iter_mut().any(|node| node.work()) {}
}

fn run(nodes: &mut [&mut Node], time: Duration) {
    let step = Duration::from_millis(50);
    for _ in 0..time.as_millis() / step.as_millis() {
        for node in &mut *nodes {
            node.now += step;
            node.cluster.handle_tick(node.now);
        }
        settle(nodes);
    }
}

#[test]
fn two_nodes_talk_lose_the_link_and_say_so() {
    let bus = MemoryBus::new();
    let (mut a, mut b) = (Node::start(&bus, 1), Node::start(&bus, 2));
    let room = TopicName::new("room").unwrap();
    settle(&mut [&mut a, &mut b]);
    a.join(&room);
    b.join(&room);
    run(&mut [&mut a, &mut b], Duration::from_secs(2));
    assert_eq!((a.cluster.health(a.now), a.cluster.nodes().count()), (Health::Healthy, 1));

    b.publish(&room, "1");
    settle(&mut [&mut a, &mut b]);
    assert_eq!((a.heard(), b.heard()), (vec![Ok("1".into())], vec![Ok("1".into())]));

    a.broker.cut("test");
    b.publish(&room, "lost");
    run(&mut [&mut a, &mut b], Duration::from_secs(1));
    assert_eq!(a.cluster.health(a.now), Health::Disconnected);
    a.broker.mend();
    settle(&mut [&mut a, &mut b]);
    b.publish(&room, "2");
    settle(&mut [&mut a, &mut b]);
    assert_eq!(a.heard(), [Err(GapReason::Broker), Ok("2".into())]);
}

#[test]
fn a_deaf_link_is_noticed_and_replaced() {
    let bus = MemoryBus::new();
    let (mut a, mut b) = (Node::start(&bus, 1), Node::start(&bus, 2));
    let room = TopicName::new("room").unwrap();
    settle(&mut [&mut a, &mut b]);
    a.join(&room);
    run(&mut [&mut a, &mut b], Duration::from_secs(2));
    a.broker.deafen();
    b.publish(&room, "lost");
    run(&mut [&mut a, &mut b], Duration::from_secs(8));
    assert_eq!(a.cluster.health(a.now), Health::Healthy);
    b.publish(&room, "heard");
    settle(&mut [&mut a, &mut b]);
    assert_eq!(a.heard(), [Err(GapReason::Broker), Ok("heard".into())]);
}
