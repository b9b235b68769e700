//! The history, arranged by subscriptions, publishes and connections.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::calm::Calm;
use crate::history::{Client, History, Message, Outcome, Publisher, Topic, What};

pub(super) struct View<'a> {
    pub(super) history: &'a History,
    pub(super) calm: Calm<'a>,
    pub(super) subscriptions: Vec<Subscription>,
    /// The places of a topic's subscriptions in that list.
    pub(super) of_topic: BTreeMap<Topic, Vec<usize>>,
    pub(super) publishes: BTreeMap<Message, Publish>,
    pub(super) connections: HashMap<Client, Vec<Connection>>,
}

/// One subscription of one connection.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) client: Client,
    pub(super) node: usize,
    /// When it was confirmed.
    pub(super) joined: Option<Duration>,
    /// When it began to end.
    pub(super) leaving: Option<Duration>,
    /// When it had ended.
    pub(super) left: Option<Duration>,
    /// What arrived, in order.
    pub(super) arrivals: Vec<(Duration, Arrival)>,
    /// The places of a publisher's messages in that list, with their numbers.
    pub(super) by_publisher: HashMap<Publisher, Vec<(u32, usize)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Message(Message),
    Gap,
}

/// A message that was sent to be published.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) node: usize,
    pub(super) sent: Duration,
    pub(super) answer: Option<(Duration, Outcome)>,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) node: usize,
    pub(super) from: Duration,
    pub(super) until: Option<Duration>,
}

impl Subscription {
    /// Whether it was confirmed before a time, and has not begun to end before another.
    pub(super) fn lasts(&self, from: Duration, until: Duration) -> bool {
        self.joined.is_some_and(|joined| joined <= from) && self.leaving.is_none_or(|leaving| leaving >= until)
    }

    pub(super) fn has(&self, message: Message) -> bool {
        self.by_publisher.get(&message.publisher).is_some_and(|all| all.iter().any(|(n, _)| *n == message.n))
    }

    fn arrived(&mut self, at: Duration, arrival: Arrival) {
        if let Arrival::Message(message) = arrival {
            self.by_publisher.entry(message.publisher).or_default().push((message.n, self.arrivals.len()));
        }
        self.arrivals.push((at, arrival));
    }
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut view = Self {
            history,
            calm: Calm::new(history),
            subscriptions: Vec::new(),
            of_topic: BTreeMap::new(),
            publishes: BTreeMap::new(),
            connections: HashMap::new(),
        };
        let mut current: HashMap<(Client, Topic), usize> = HashMap::new();
        for event in &history.events {
            let (at, client) = (event.at, event.client);
            match event.what {
                What::Connected { node } => {
                    view.connections.entry(client).or_default().push(Connection { node, from: at, until: None });
                }
                What::Disconnected => {
                    if let Some(last) = view.connections.entry(client).or_default().last_mut() {
                        last.until = Some(at);
                    }
                    let ended = current.extract_if(|(of, _), _| *of == client);
                    ended.for_each(|(_, place)| _ = view.subscriptions[place].leaving.get_or_insert(at));
                }
                What::Joining(topic) => {
                    let goes_on = |place: &usize| view.subscriptions[*place].leaving.is_none();
                    if !current.get(&(client, topic)).is_some_and(goes_on) {
                        current.insert((client, topic), view.subscribe(client, topic));
                    }
                }
                What::Joined(topic) => _ = view.current(&mut current, client, topic).joined.get_or_insert(at),
                What::Leaving(topic) => _ = view.current(&mut current, client, topic).leaving.get_or_insert(at),
                What::Left(topic) => {
                    // With the connection, the subscription has ended already.
                    if let Some(subscription) = current.get(&(client, topic)) {
                        view.subscriptions[*subscription].left = Some(at);
                    }
                }
                What::Got(message) => {
                    view.current(&mut current, client, message.topic).arrived(at, Arrival::Message(message));
                }
                What::Gap(topic) => view.current(&mut current, client, topic).arrived(at, Arrival::Gap),
                What::Sent(message) => {
                    let node = view.node(client);
                    view.publishes.insert(message, Publish { node, sent: at, answer: None });
                }
                What::Answered(message, outcome) => {
                    if let Some(publish) = view.publishes.get_mut(&message) {
                        publish.answer = Some((at, outcome));
                    }
                }
                What::Asked(_) | What::Ended(_) | What::Ordered { .. } | What::Reached(_) | What::Online { .. } => {}
            }
        }
        view
    }

    /// The node that a client is or was connected to last.
    fn node(&self, client: Client) -> usize {
        self.connections.get(&client).and_then(|all| all.last()).map_or(0, |connection| connection.node)
    }

    fn subscribe(&mut self, client: Client, topic: Topic) -> usize {
        let place = self.subscriptions.len();
        self.subscriptions.push(Subscription {
            client,
            node: self.node(client),
            joined: None,
            leaving: None,
            left: None,
            arrivals: Vec::new(),
            by_publisher: HashMap::new(),
        });
        self.of_topic.entry(topic).or_default().push(place);
        place
    }

    fn current(
        &mut self,
        current: &mut HashMap<(Client, Topic), usize>,
        client: Client,
        topic: Topic,
    ) -> &mut Subscription {
        let place = *current.entry((client, topic)).or_insert_with(|| self.subscribe(client, topic));
        &mut self.subscriptions[place]
    }

    /// The connection that a client had throughout a time.
    pub(super) fn connected(&self, client: Client, from: Duration, until: Duration) -> Option<&Connection> {
        let connections = self.connections.get(&client)?;
        connections.iter().find(|it| it.from <= from && it.until.is_none_or(|end| end >= until))
    }

    /// The subscriptions of a topic.
    pub(super) fn subscriptions_of(&self, topic: Topic) -> impl Iterator<Item = &Subscription> {
        self.of_topic.get(&topic).into_iter().flatten().map(|place| &self.subscriptions[*place])
    }
}
