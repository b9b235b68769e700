//! The simulated world: it moves events between nodes, network and broker.

use std::time::Duration;

use bytes::Bytes;
use switchboard_core::broker::{BrokerErrorKind, Channel, LinkEvent};

use super::{
    Options, Planted, Report,
    adapter::{RESPONSE_TIMEOUT, Reported},
    broker::SimulatedBroker,
    event::{Event, LinkNumber, NodeEvent, Queue, Request, Ticket},
    faults::{self, Fault},
    judge::Judge,
    network::{Conditions, Network, delay},
    node::{Node, Process},
    trace::Trace,
};
use crate::{BrokerCall, ClusterConfig, Output, hash::Random};

/// When faults begin and end, when the application rests, and when the run ends.
const FAULTS_FROM: Duration = Duration::from_secs(4);
const FAULTS_UNTIL: Duration = Duration::from_secs(40);
const ACTS_UNTIL: Duration = Duration::from_secs(56);
const END: Duration = Duration::from_secs(70);

/// How long after a slow network has ended its packets still arrive late.
const SETTLING: Duration = Duration::from_millis(1200);

/// How many events may wait for a stopped process before the broker closes its connection.
const MAX_DEFERRED: usize = 400;

pub(super) struct World {
    pub(super) now: Duration,
    pub(super) queue: Queue,
    pub(super) random: Random,
    network: Network,
    conditions: Vec<Conditions>,
    settling_until: Vec<Duration>,
    active: Vec<Fault>,
    broker: SimulatedBroker,
    pub(super) nodes: Vec<Node>,
    pub(super) judge: Judge,
    pub(super) trace: Trace,
    pub(super) planted: Option<Planted>,
}

impl World {
    pub(super) fn new(options: &Options) -> Self {
        let mut random = Random::new(options.seed);
        let count = options.nodes.unwrap_or(2 + random.below(6) as usize);
        let nodes = || (0..count).map(|_| Node { life: 0, process: None, is_paused: false, deferred: Vec::new() });
        let mut world = Self {
            now: Duration::ZERO,
            queue: Queue::default(),
            network: Network::new(),
            conditions: vec![Conditions::default(); count],
            settling_until: vec![Duration::ZERO; count],
            active: Vec::new(),
            broker: SimulatedBroker::default(),
            nodes: nodes().collect(),
            judge: Judge::new(count),
            trace: Trace::new(options.keeps_trace),
            planted: options.planted,
            random,
        };
        (0..count).for_each(|node| world.start(node));
        if options.has_faults {
            for (from, until, fault) in faults::draw(&mut world.random, count, FAULTS_FROM, FAULTS_UNTIL) {
                world.queue.add(from, Event::Begin(fault));
                world.queue.add(until, Event::End(fault));
            }
        }
        world.queue.add(Duration::from_millis(500), Event::Act);
        world.queue.add(Duration::from_millis(500), Event::Observe);
        world
    }

    pub(super) fn run(&mut self) {
        while let Some((at, event)) = self.queue.pop() {
            if at > END {
                break;
            }
            self.now = at;
            self.happen(event);
            for node in 0..self.nodes.len() {
                let is_disturbed = self.is_disturbed(node);
                self.judge.disturbed(node, is_disturbed, self.now);
            }
        }
    }

    pub(super) fn report(self, seed: u64) -> Report {
        let (trace_hash, trace) = self.trace.finish();
        self.judge.report(
            self.now,
            Report {
                seed,
                violations: Vec::new(),
                trace_hash,
                trace,
                published: 0,
                delivered: 0,
                lost: 0,
                told_after: Vec::new(),
            },
        )
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Request { link, request } => self.request(link, request),
            Event::Node { node, life, event } => self.node_event(node, life, event),
            Event::Begin(fault) => self.begin(fault),
            Event::End(fault) => self.end(fault),
            Event::Act => {
                if self.now < ACTS_UNTIL {
                    self.act();
                    let pause = Duration::from_micros(1 + self.random.below(60_000));
                    self.queue.add(self.now + pause, Event::Act);
                }
            }
            Event::Observe => {
                self.observe();
                self.queue.add(self.now + Duration::from_millis(500), Event::Observe);
            }
        }
    }

    // Processes.

    fn start(&mut self, node: usize) {
        let mut process = Process::new(ClusterConfig::new(), &mut self.random, self.now);
        process.adapter.forgets = self.planted == Some(Planted::ForgetSubscription);
        process.adapter.reports_portions = self.random.below(2) == 0;
        let id = process.cluster.node();
        let slot = &mut self.nodes[node];
        slot.life += 1;
        slot.process = Some(process);
        let life = slot.life;
        self.trace.add(self.now, format_args!("node {node} starts as {id}, life {life}"));
        self.judge.started(node, life, id, self.now);
        self.add_node_event(node, Duration::ZERO, NodeEvent::Connect);
    }

    fn kill(&mut self, node: usize) {
        let slot = &mut self.nodes[node];
        if let Some(process) = slot.process.take() {
            slot.is_paused = false;
            slot.deferred.clear();
            if let Some(link) = process.adapter.link {
                self.network.close(link);
                self.broker.remove(link);
            }
            self.judge.died(node, self.now);
        }
    }

    pub(super) fn add_node_event(&mut self, node: usize, after: Duration, event: NodeEvent) {
        let life = self.nodes[node].life;
        self.queue.add(self.now + after, Event::Node { node, life, event });
    }

    fn node_event(&mut self, node: usize, life: u32, event: NodeEvent) {
        let slot = &mut self.nodes[node];
        if slot.life != life || slot.process.is_none() {
            return;
        }
        if slot.is_paused {
            slot.deferred.push(event);
            if slot.deferred.len() == MAX_DEFERRED {
                let link = slot.process.as_ref().and_then(|process| process.adapter.link);
                link.into_iter().for_each(|link| self.close(link));
            }
            return;
        }
        self.handle(node, event);
        self.pump(node);
    }

    fn handle(&mut self, node: usize, event: NodeEvent) {
        let now = self.now;
        let Some(process) = &mut self.nodes[node].process else { return };
        let link_now = process.adapter.link;
        match event {
            NodeEvent::Tick => {
                process.tick_at = None;
                process.cluster.handle_tick(now);
            }
            NodeEvent::Connect => self.connect(node),
            NodeEvent::Connected { link } => {
                self.trace.add(now, format_args!("node {node} is connected by link {link}"));
                let (event, requests) = process.adapter.connected(link);
                process.cluster.handle_link(event, now);
                if let Some(restored) = process.adapter.restored_at_once() {
                    process.cluster.handle_link(restored, now);
                }
                requests.into_iter().for_each(|request| self.send(node, request));
            }
            NodeEvent::Refused => {
                let after = Duration::from_millis(200 + self.random.below(300));
                self.add_node_event(node, after, NodeEvent::Connect);
            }
            NodeEvent::Closed { link } if link_now == Some(link) => self.disconnect(node, "closed"),
            NodeEvent::Message { link, channel, message } if link_now == Some(link) => {
                process.cluster.handle_message(&channel, message, now);
            }
            NodeEvent::Dropped { link, channel } if link_now == Some(link) => {
                let dropped = Reported::Link(LinkEvent::Dropped([channel].into()));
                self.report_to(node, [dropped]);
            }
            NodeEvent::Answer { link, ticket, result } if link_now == Some(link) => {
                let reported = process.adapter.answered(ticket, result);
                self.report_to(node, reported);
            }
            NodeEvent::Impatient { link, ticket } if link_now == Some(link) && process.adapter.is_waiting(ticket) => {
                if matches!(ticket, Ticket::Restore(_)) {
                    self.disconnect(node, "a subscription was not restored");
                } else {
                    let reported = process.adapter.answered(ticket, Err(BrokerErrorKind::Unknown));
                    self.report_to(node, reported);
                }
            }
            _ => {}
        }
    }

    fn report_to(&mut self, node: usize, reported: impl IntoIterator<Item = Reported>) {
        let Some(process) = &mut self.nodes[node].process else { return };
        for reported in reported {
            match reported {
                Reported::Completion(operation, result) => {
                    process.cluster.handle_completion(operation, result, self.now);
                }
                Reported::Link(event) => {
                    self.trace.add(self.now, format_args!("node {node}: {event:?}"));
                    process.cluster.handle_link(event, self.now);
                }
            }
        }
    }

    /// Does what a node asks for, until it asks for nothing.
    pub(super) fn pump(&mut self, node: usize) {
        while let Some(process) = &mut self.nodes[node].process {
            let Some(output) = process.cluster.poll_output() else { break };
            match output {
                Output::Call { operation, call } => match process.adapter.call(operation, call) {
                    Ok(request) => self.send(node, request),
                    Err(error) => process.cluster.handle_completion(operation, Err(error), self.now),
                },
                Output::Reconnect => self.disconnect(node, "no answer"),
                output => self.application_output(node, output),
            }
        }
        let now = self.now;
        let Some(process) = &mut self.nodes[node].process else { return };
        let timeout = process.cluster.poll_timeout().max(now);
        if process.tick_at.is_none_or(|at| at > timeout) {
            process.tick_at = Some(timeout);
            self.add_node_event(node, timeout - now, NodeEvent::Tick);
        }
    }

    // Connections.

    fn connect(&mut self, node: usize) {
        let conditions = self.conditions[node];
        let life = self.nodes[node].life;
        if self.broker.is_down || conditions.cut_to_broker || conditions.cut_to_node {
            self.add_node_event(node, Duration::from_millis(300), NodeEvent::Refused);
            return;
        }
        let stale: Vec<_> = self.network.links().filter(|(_, link)| link.node == node).collect();
        for (link, _) in stale {
            self.network.close(link);
            self.broker.remove(link);
        }
        let link = self.network.open(node, life);
        self.broker.accept(link);
        let after = delay(conditions, &mut self.random) * 2;
        self.add_node_event(node, after, NodeEvent::Connected { link });
    }

    fn disconnect(&mut self, node: usize, reason: &'static str) {
        let Some(process) = &mut self.nodes[node].process else { return };
        let Some(link) = process.adapter.link else { return };
        let reported = process.adapter.disconnected(reason);
        self.network.close(link);
        self.broker.remove(link);
        self.report_to(node, reported);
        self.add_node_event(node, Duration::from_millis(50), NodeEvent::Connect);
    }

    /// Closes a connection at the broker's end. The node notices, unless its network is cut.
    fn close(&mut self, link: LinkNumber) {
        self.broker.remove(link);
        let Some(closed) = self.network.get(link) else { return };
        let conditions = self.conditions[closed.node];
        if let Some(at) = self.network.arrival_at_node(link, conditions, &mut self.random, self.now) {
            let (node, life) = (closed.node, closed.life);
            self.queue.add(at, Event::Node { node, life, event: NodeEvent::Closed { link } });
        }
    }

    fn send(&mut self, node: usize, request: Request) {
        let Some(link) = self.nodes[node].process.as_ref().and_then(|process| process.adapter.link) else { return };
        let impatient = NodeEvent::Impatient { link, ticket: request.ticket };
        self.add_node_event(node, RESPONSE_TIMEOUT, impatient);
        if let Some(at) = self.network.arrival_at_broker(link, self.conditions[node], &mut self.random, self.now) {
            self.queue.add(at, Event::Request { link, request });
        }
    }

    fn request(&mut self, link: LinkNumber, request: Request) {
        if self.broker.is_silent {
            return;
        }
        if !self.broker.has(link) {
            self.close(link);
            return;
        }
        match request.call {
            BrokerCall::Subscribe(channel) => self.broker.subscribe(link, channel),
            BrokerCall::Unsubscribe(channel) => self.broker.unsubscribe(link, &channel),
            BrokerCall::Publish(channel, message) => {
                for subscriber in self.broker.subscribers(&channel) {
                    self.carry(subscriber, &channel, &message);
                }
            }
        }
        self.send_to_node(link, NodeEvent::Answer { link, ticket: request.ticket, result: Ok(()) });
    }

    fn carry(&mut self, link: LinkNumber, channel: &Channel, message: &Bytes) {
        let Some(to) = self.network.get(link) else { return };
        let conditions = self.conditions[to.node];
        if conditions.is_lossy && self.random.below(12) == 0 {
            self.trace.add(self.now, format_args!("a message of {channel} to node {} is lost", to.node));
            if self.random.below(3) == 0 {
                self.send_to_node(link, NodeEvent::Dropped { link, channel: channel.clone() });
            }
            return;
        }
        let event = NodeEvent::Message { link, channel: channel.clone(), message: message.clone() };
        if conditions.repeats && matches!(channel, Channel::Topic(_)) && self.random.below(8) == 0 {
            self.send_to_node(link, event.clone());
        }
        self.send_to_node(link, event);
    }

    fn send_to_node(&mut self, link: LinkNumber, event: NodeEvent) {
        let Some(to) = self.network.get(link) else { return };
        let conditions = self.conditions[to.node];
        if let Some(at) = self.network.arrival_at_node(link, conditions, &mut self.random, self.now) {
            self.queue.add(at, Event::Node { node: to.node, life: to.life, event });
        }
    }

    // Faults.

    fn begin(&mut self, fault: Fault) {
        self.trace.add(self.now, format_args!("begin {fault:?}"));
        self.active.push(fault);
        match fault {
            Fault::CutToBroker(node) => self.conditions[node].cut_to_broker = true,
            Fault::CutToNode(node) => self.conditions[node].cut_to_node = true,
            Fault::Delay(node) => self.conditions[node].is_slow = true,
            Fault::Reset(node) => {
                let link = self.nodes[node].process.as_ref().and_then(|process| process.adapter.link);
                link.into_iter().for_each(|link| self.close(link));
            }
            Fault::Lossy(node) => {
                self.conditions[node].is_lossy = true;
                self.judge.lossy(node, self.now);
            }
            Fault::Repeating(node) => self.conditions[node].repeats = true,
            Fault::Pause(node) => self.nodes[node].is_paused = self.nodes[node].process.is_some(),
            Fault::Kill(node) => self.kill(node),
            Fault::Drain(node) => self.drain(node),
            Fault::Broker => {
                self.broker.is_down = true;
                let links: Vec<_> = self.network.links().map(|(link, _)| link).collect();
                links.into_iter().for_each(|link| self.close(link));
                self.broker.clear();
            }
            Fault::Silent => self.broker.is_silent = true,
        }
    }

    fn end(&mut self, fault: Fault) {
        self.trace.add(self.now, format_args!("end {fault:?}"));
        self.active.retain(|active| *active != fault);
        match fault {
            Fault::CutToBroker(node) => self.conditions[node].cut_to_broker = false,
            Fault::CutToNode(node) => self.conditions[node].cut_to_node = false,
            Fault::Delay(node) => {
                self.conditions[node].is_slow = false;
                self.settling_until[node] = self.now + SETTLING;
            }
            Fault::Reset(_) => {}
            Fault::Lossy(node) => {
                self.conditions[node].is_lossy = false;
                self.judge.lossy(node, self.now);
            }
            Fault::Repeating(node) => self.conditions[node].repeats = false,
            Fault::Pause(node) => {
                self.nodes[node].is_paused = false;
                self.judge.resumed(node, self.now);
                for event in std::mem::take(&mut self.nodes[node].deferred) {
                    self.handle(node, event);
                    self.pump(node);
                }
            }
            Fault::Kill(node) | Fault::Drain(node) => {
                self.kill(node);
                self.start(node);
            }
            Fault::Broker => self.broker.is_down = false,
            Fault::Silent => self.broker.is_silent = false,
        }
    }

    /// Returns whether something may be lost on the way from or to this node, apart from single messages.
    fn is_disturbed(&self, node: usize) -> bool {
        let concerns = |fault: &Fault| !fault.leaves_links_up() && fault.node().is_none_or(|of| of == node);
        if self.settling_until[node] > self.now || self.active.iter().any(concerns) {
            return true;
        }
        let Some(process) = &self.nodes[node].process else { return true };
        let Some(link) = process.adapter.link else { return true };
        let inbox = Channel::Node(process.cluster.node());
        process.adapter.is_restoring()
            || !self.network.is_alive(link)
            || !self.broker.is_subscribed(link, &Channel::AllNodes)
            || !self.broker.is_subscribed(link, &inbox)
    }
}
