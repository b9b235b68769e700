use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;

use super::*;
use crate::broker::{Channels, LinkEvent};

#[derive(Debug, Default)]
struct Recorder {
    messages: Mutex<Vec<(Channel, Bytes)>>,
    events: Mutex<Vec<LinkEvent>>,
}

impl BrokerSink for Recorder {
    fn message(&self, channel: &Channel, message: Bytes) {
        self.messages.lock().unwrap().push((channel.clone(), message));
    }

    fn link(&self, event: LinkEvent) {
        self.events.lock().unwrap().push(event);
    }
}

impl Recorder {
    fn messages(&self) -> Vec<String> {
        let messages = std::mem::take(&mut *self.messages.lock().unwrap());
        messages.into_iter().map(|(_, message)| String::from_utf8(message.to_vec()).unwrap()).collect()
    }

    fn events(&self) -> Vec<LinkEvent> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

fn now(future: BrokerFuture) -> Result<(), BrokerErrorKind> {
    future.now_or_never().expect("the memory broker answers at once").map_err(|error| error.kind())
}

fn node(bus: &MemoryBus) -> (MemoryBroker, Arc<Recorder>) {
    let (broker, recorder) = (bus.broker(), Arc::new(Recorder::default()));
    now(broker.start(NodeId::from_bytes([0; 16]), recorder.clone())).unwrap();
    assert_eq!(recorder.events(), [LinkEvent::Connected]);
    (broker, recorder)
}

#[test]
fn a_cut_link_fails_operations_and_is_restored_after_it_is_mended() {
    let bus = MemoryBus::new();
    let ((a, heard), (b, _)) = (node(&bus), node(&bus));
    now(a.subscribe(&Channel::AllNodes)).unwrap();
    a.cut("test");
    assert_eq!(now(a.publish(&Channel::AllNodes, "1".into())), Err(BrokerErrorKind::Unavailable));
    assert_eq!(now(a.subscribe(&Channel::AllNodes)), Err(BrokerErrorKind::Unavailable));
    now(b.publish(&Channel::AllNodes, "2".into())).unwrap();
    a.reconnect();
    assert_eq!(heard.events(), [LinkEvent::Disconnected { reason: "test".into() }], "a cut link stays down");
    a.mend();
    now(b.publish(&Channel::AllNodes, "3".into())).unwrap();
    assert_eq!(heard.events(), [LinkEvent::Connected, LinkEvent::Restored(Channels::All)]);
    assert_eq!(heard.messages(), ["3"]);
}

#[test]
fn a_deaf_link_hears_again_after_a_reconnect() {
    let bus = MemoryBus::new();
    let (a, heard) = node(&bus);
    now(a.subscribe(&Channel::AllNodes)).unwrap();
    a.deafen();
    now(a.publish(&Channel::AllNodes, "lost".into())).unwrap();
    assert_eq!((heard.messages(), heard.events()), (vec![], vec![]));
    a.reconnect();
    assert_eq!(heard.events().len(), 3);
    now(a.publish(&Channel::AllNodes, "heard".into())).unwrap();
    assert_eq!(heard.messages(), ["heard"]);
}

#[test]
fn lost_answers_leave_the_outcome_unknown() {
    let bus = MemoryBus::new();
    let ((a, _), (b, heard)) = (node(&bus), node(&bus));
    now(b.subscribe(&Channel::AllNodes)).unwrap();
    a.lose_answers(true);
    assert_eq!(now(a.publish(&Channel::AllNodes, "1".into())), Err(BrokerErrorKind::Unknown));
    assert_eq!(heard.messages(), ["1"]);
    a.lose_answers(false);
    now(a.publish(&Channel::AllNodes, "2".into())).unwrap();
}

#[test]
fn held_messages_are_delivered_later_or_dropped_at_the_limit() {
    let bus = MemoryBus::with_max_queued_messages(2);
    let (a, heard) = node(&bus);
    now(a.subscribe(&Channel::AllNodes)).unwrap();
    a.hold();
    for n in ["1", "2", "3", "4"] {
        now(a.publish(&Channel::AllNodes, n.into())).unwrap();
    }
    assert_eq!((heard.messages().len(), a.queued_messages()), (0, 2));
    a.release();
    assert_eq!(heard.messages(), ["1", "2"]);
    assert_eq!(heard.events(), [LinkEvent::Dropped([Channel::AllNodes].into())]);
    a.hold();
    now(a.publish(&Channel::AllNodes, "5".into())).unwrap();
    now(a.unsubscribe(&Channel::AllNodes)).unwrap();
    a.release();
    assert_eq!((heard.messages(), a.queued_messages()), (vec![], 0));
}

#[test]
fn a_broker_is_started_once_and_ends_once() {
    let bus = MemoryBus::new();
    let idle = bus.broker();
    assert_eq!(now(idle.publish(&Channel::AllNodes, "1".into())), Err(BrokerErrorKind::Unavailable));
    let (a, heard) = node(&bus);
    assert_eq!(now(a.start(NodeId::from_bytes([0; 16]), heard.clone())), Err(BrokerErrorKind::Rejected));
    now(a.shutdown()).unwrap();
    a.mend();
    assert_eq!(now(a.publish(&Channel::AllNodes, "1".into())), Err(BrokerErrorKind::Closed));
    assert_eq!(now(a.start(NodeId::from_bytes([0; 16]), heard)), Err(BrokerErrorKind::Closed));
}

/// Answers each message in its channel, from within the sink.
struct Echo(Mutex<Option<MemoryBroker>>, Recorder);

impl BrokerSink for Echo {
    fn message(&self, channel: &Channel, message: Bytes) {
        self.1.message(channel, message.clone());
        if message.len() < 3 {
            let broker = self.0.lock().unwrap().clone().unwrap();
            now(broker.publish(channel, [&message[..], b"!"].concat().into())).unwrap();
        }
    }

    fn link(&self, _: LinkEvent) {}
}

#[test]
fn a_sink_may_publish() {
    let bus = MemoryBus::new();
    let broker = bus.broker();
    let echo = Arc::new(Echo(Mutex::new(Some(broker.clone())), Recorder::default()));
    now(broker.start(NodeId::from_bytes([0; 16]), echo.clone())).unwrap();
    now(broker.subscribe(&Channel::AllNodes)).unwrap();
    now(broker.publish(&Channel::AllNodes, "1".into())).unwrap();
    assert_eq!(echo.1.messages(), ["1", "1!", "1!!"]);
    *echo.0.lock().unwrap() = None;
}
