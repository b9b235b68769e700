use switchboard_core::broker::Channels;

use super::*;

fn cut(net: &mut Net, node: usize) {
    net.nodes[node].handle_link(LinkEvent::Disconnected { reason: "test".into() }, net.now);
    net.unavailable.insert(node);
}

fn restore(net: &mut Net, node: usize) {
    net.unavailable.remove(&node);
    for event in [LinkEvent::Connected, LinkEvent::Restored(Channels::All)] {
        net.nodes[node].handle_link(event, net.now);
    }
    net.work();
}

#[test]
fn health_follows_the_link() {
    let mut net = Net::new(2);
    assert_eq!(net.nodes[0].health(net.now), Health::Healthy);
    cut(&mut net, 0);
    assert_eq!(net.nodes[0].health(net.now), Health::Disconnected);
    restore(&mut net, 0);
    assert_eq!(net.nodes[0].health(net.now), Health::Healthy);
    let fresh = Cluster::new(NodeId::from_bytes([9; 16]), Incarnation::from_u64(9), ClusterConfig::new(), net.now);
    assert_eq!(fresh.health(net.now), Health::Starting);
}

#[test]
fn a_node_that_does_not_hear_itself_reconnects_within_eight_seconds() {
    let mut net = Net::new(2);
    for channel in [Channel::AllNodes, Channel::Node(net.nodes[0].node())] {
        net.deaf.insert((0, channel));
    }
    let begun = net.now;
    let mut healths = BTreeSet::new();
    while net.reconnects.is_empty() {
        net.run(ms(100));
        healths.insert(format!("{:?}", net.nodes[0].health(net.now)));
        assert!(net.now - begun < ms(8000));
    }
    assert!(net.now - begun > ms(5500), "{:?}", net.now - begun);
    assert!(healths.contains("Probing"), "{healths:?}");
    net.deaf.clear();
    net.run(ms(2000));
    assert_eq!(net.nodes[0].health(net.now), Health::Healthy);
}

#[test]
fn a_forgotten_subscription_to_all_nodes_is_repaired() {
    let mut net = Net::new(2);
    net.subscriptions.remove(&Channel::AllNodes);
    net.run(ms(8000));
    assert_eq!(net.subscriptions[&Channel::AllNodes].len(), 2);
    assert_eq!((net.nodes[0].health(net.now), net.nodes[0].nodes().count()), (Health::Healthy, 1));
    assert!(net.reconnects.is_empty());
}

#[test]
fn a_node_that_hears_only_itself_is_suspect() {
    let mut net = Net::new(2);
    net.run_without(1, ms(5000));
    assert_eq!(net.nodes[0].health(net.now), Health::Suspect);
    assert!(net.reconnects.is_empty());
}

#[test]
fn restored_topics_are_told_of_the_gap_once() {
    let mut net = Net::new(2);
    net.join(0, "a");
    net.join(0, "b");
    net.publish(1, "a", "1");
    cut(&mut net, 0);
    net.deaf.insert((0, Channel::topic("a").unwrap()));
    net.publish(1, "a", "lost");
    net.deaf.clear();
    restore(&mut net, 0);
    net.publish(1, "a", "2");
    net.run(ms(4000));
    assert_eq!(net.heard(0), ["1", "gap: Broker", "gap: Broker", "2"], "one of each topic");
}

#[test]
fn only_the_topics_of_an_event_are_told() {
    let mut net = Net::new(1);
    net.join(0, "a");
    net.join(0, "b");
    net.nodes[0].handle_link(LinkEvent::Dropped([Channel::topic("a").unwrap()].into()), net.now);
    net.work();
    let gap = Output::Gap { topic: topic("a"), reason: GapReason::Overflow };
    assert_eq!(net.take(0), [gap]);
}

#[test]
fn several_missing_heartbeats_are_a_gap_in_all_topics() {
    let mut net = Net::new(2);
    net.join(0, "a");
    net.deaf.insert((0, Channel::AllNodes));
    net.run(ms(3500));
    net.deaf.clear();
    net.run(ms(1300));
    assert_eq!(net.heard(0), ["gap: Loss"], "what they have listed is not known");
}

#[test]
fn garbage_is_counted_and_ignored() {
    let mut net = Net::new(1);
    let now = net.now;
    for garbage in [&b""[..], b"{}", &[0xb5], &[0xb5, 1, 1, 0], &[0xb5, 0]] {
        net.nodes[0].handle_message(&Channel::AllNodes, Bytes::from_static(garbage), now);
    }
    net.nodes[0].handle_message(&Channel::AllNodes, Bytes::from_static(&[0xb5, 2, 1]), now);
    let stats = net.nodes[0].stats();
    assert_eq!((stats.malformed_messages, stats.newer_messages), (5, 1));
}

#[test]
fn a_message_on_the_wrong_channel_is_counted_and_ignored() {
    let mut net = Net::new(1);
    let origin = Origin { node: NodeId::from_bytes([9; 16]), incarnation: Incarnation::from_u64(9) };
    let leaving = bus::encode(origin, &BusMessage::Leaving);
    net.nodes[0].handle_message(&Channel::topic("room").unwrap(), leaving, net.now);
    assert_eq!(net.nodes[0].stats().malformed_messages, 1);
}
