use super::*;

#[test]
fn a_message_reaches_the_nodes_with_subscribers_only() {
    let mut net = Net::new(3);
    net.join(0, "room");
    net.join(1, "room");
    let before = net.nodes[2].stats();
    net.publish(2, "room", "hello");
    assert_eq!(
        (net.heard(0), net.heard(1), net.heard(2)),
        (vec!["hello".to_owned()], vec!["hello".to_owned()], vec![])
    );
    // It has sent one message, and has received none.
    assert_eq!(net.nodes[2].stats(), ClusterStats { sent_messages: before.sent_messages + 1, ..before });
}

#[test]
fn a_publish_is_one_message_and_ends_after_the_local_subscribers_have_it() {
    let mut net = Net::new(2);
    net.join(0, "room");
    net.join(1, "room");
    let before = net.published;
    let publish = net.publish(0, "room", "hello");
    assert_eq!(net.published, before + 1);
    let outputs = net.take(0);
    assert!(matches!(&outputs[0], Output::Deliver(delivery) if delivery.payload == "hello"), "{outputs:?}");
    assert_eq!(outputs[1..], [Output::Published { publish, result: Ok(()) }]);
}

#[test]
fn a_delivery_has_all_that_was_published() {
    let mut net = Net::new(1);
    net.join(0, "room");
    let publish = Publish {
        message_type: "MOVE",
        payload: b"{}",
        conflation_key: Some("player:1"),
        except: &[[7; 16], [8; 16]],
        ..Publish::default()
    };
    net.nodes[0].publish(&topic("room"), &publish, net.now).unwrap();
    net.work();
    let Output::Deliver(delivery) = net.take(0).remove(0) else { panic!() };
    assert_eq!((&*delivery.message_type, delivery.conflation_key.as_deref()), ("MOVE", Some("player:1")));
    assert_eq!((delivery.except.as_slice(), delivery.node), (&[[7; 16], [8; 16]][..], net.nodes[0].node()));
}

#[test]
fn a_lost_message_is_told_by_its_successor() {
    let mut net = Net::new(2);
    net.join(0, "room");
    net.publish(1, "room", "1");
    net.deaf.insert((0, Channel::topic("room").unwrap()));
    net.publish(1, "room", "2");
    net.deaf.clear();
    net.publish(1, "room", "3");
    assert_eq!(net.heard(0), ["1", "gap: Loss", "3"]);
    net.run(ms(5000));
    assert_eq!(net.heard(0), Vec::<String>::new(), "it is told once");
}

#[test]
fn a_lost_last_message_is_told_within_two_seconds_and_the_subscription_is_repaired() {
    let mut net = Net::new(2);
    net.join(0, "room");
    net.run(ms(1000));
    // The broker has forgotten the subscription.
    net.subscriptions.remove(&Channel::topic("room").unwrap());
    net.publish(1, "room", "lost");
    net.run(ms(1800));
    assert_eq!(net.heard(0), ["gap: Loss"]);
    assert_eq!(net.nodes[0].stats().repairs, 1);
    net.publish(1, "room", "heard");
    assert_eq!(net.heard(0), ["heard"]);
}

#[test]
fn a_node_that_loses_its_own_last_message_tells_it() {
    let mut net = Net::new(1);
    net.join(0, "room");
    net.run(ms(1000));
    net.subscriptions.remove(&Channel::topic("room").unwrap());
    net.publish(0, "room", "lost");
    net.run(ms(1800));
    assert_eq!(net.heard(0), ["gap: Loss"]);
}

#[test]
fn a_topic_without_subscribers_is_left_after_a_while() {
    let mut net = Net::new(1);
    net.join(0, "room");
    net.nodes[0].leave(&topic("room"), net.now);
    net.publish(0, "room", "nobody is there");
    assert_eq!(net.heard(0), Vec::<String>::new());
    net.run(ms(5000));
    assert!(net.subscriptions[&Channel::topic("room").unwrap()].is_empty());
}

#[test]
fn the_outcome_of_a_publish_is_that_of_the_broker() {
    let mut net = Net::new(1);
    net.unavailable.insert(0);
    let publish = net.publish(0, "room", "1");
    let unavailable = ClusterError::Broker(BrokerErrorKind::Unavailable);
    assert_eq!(net.take(0), [Output::Published { publish, result: Err(unavailable) }]);
    net.unavailable.clear();
    net.keeps_waiting = true;
    let publish = net.publish(0, "room", "2");
    net.run(ms(10_000));
    let unknown = Output::Published { publish, result: Err(ClusterError::Broker(BrokerErrorKind::Unknown)) };
    assert!(net.take(0).contains(&unknown), "a broker that never answers leaves the outcome unknown");
}

#[test]
fn excluded_connections_are_limited() {
    let mut net = Net::with(1, &ClusterConfig::new().max_excluded(1));
    let publish = Publish { except: &[[0; 16]; 2], ..say("1") };
    let error = net.nodes[0].publish(&topic("room"), &publish, net.now).unwrap_err();
    assert_eq!(error, ClusterError::TooManyExcluded { limit: 1 });
}

#[test]
fn a_caller_that_takes_no_outputs_loses_messages_and_is_told() {
    let mut net = Net::with(2, &ClusterConfig::new().max_outputs(10));
    net.join(0, "room");
    let message = |net: &mut Net, payload: &str| {
        net.nodes[1].publish(&topic("room"), &say(payload), net.now).unwrap();
        loop {
            let output = net.nodes[1].poll_output().unwrap();
            if let Output::Call { operation, call: BrokerCall::Publish(channel, message) } = output {
                net.nodes[1].handle_completion(operation, Ok(()), net.now);
                net.nodes[0].handle_message(&channel, message, net.now);
                return;
            }
        }
    };
    (0..20).for_each(|_| message(&mut net, "many"));
    assert_eq!(net.nodes[0].stats().dropped_messages, 10);
    net.work();
    assert_eq!(net.heard(0).len(), 10);
    message(&mut net, "next");
    net.work();
    assert_eq!(net.heard(0), ["gap: Loss", "next"]);
}
