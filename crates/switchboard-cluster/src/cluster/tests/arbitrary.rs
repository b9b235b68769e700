//! Whatever arrives, in whatever order, a node goes on.

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Debug, Clone)]
enum Arriving {
    /// From one of three nodes, this one among them, on one of its channels.
    Message {
        from: u8,
        incarnation: u64,
        channel: usize,
        message: BusMessage,
    },
    Bytes {
        channel: usize,
        bytes: Vec<u8>,
    },
    Link(u8),
    Completion {
        operation: u64,
        is_ok: bool,
    },
    Tick(u64),
}

fn arriving() -> impl Strategy<Value = Arriving> {
    prop_oneof![
        6 => (0_u8..3, 0_u64..3, 0_usize..4, bus::tests::message()).prop_map(|(from, incarnation, channel, message)| {
            Arriving::Message { from, incarnation, channel, message }
        }),
        1 => (0_usize..4, vec(any::<u8>(), 0..60)).prop_map(|(channel, bytes)| Arriving::Bytes { channel, bytes }),
        1 => any::<u8>().prop_map(Arriving::Link),
        2 => (1_u64..60, any::<bool>()).prop_map(|(operation, is_ok)| Arriving::Completion { operation, is_ok }),
        2 => (0_u64..6000).prop_map(Arriving::Tick),
    ]
}

proptest! {
    #[test]
    fn a_node_survives_any_input(inputs in vec(arriving(), 0..120)) {
        let mut now = Duration::ZERO;
        let node = NodeId::from_bytes([0; 16]);
        let channels = [Channel::AllNodes, Channel::Node(node), Channel::Topic(topic("room")), Channel::User(user("ann"))];
        let config = ClusterConfig::new().max_nodes(2).max_positions(3).max_remote_users(5).max_outputs(20);
        let mut cluster = Cluster::new(node, Incarnation::from_u64(0), config, now);
        cluster.handle_link(LinkEvent::Connected, now);
        let _ = cluster.join(&topic("room"), now).unwrap();
        cluster.user_connected(&user("ann"), [0; 16], now).unwrap();
        for operation in 1..=4 {
            cluster.handle_completion(OperationId(operation), Ok(()), now);
        }
        while cluster.poll_output().is_some() {}
        for input in inputs {
            match input {
                Arriving::Message { from, incarnation, channel, message } => {
                    let incarnation = Incarnation::from_u64(incarnation);
                    let origin = Origin { node: NodeId::from_bytes([from; 16]), incarnation };
                    cluster.handle_message(&channels[channel], bus::encode(origin, &message), now);
                }
                Arriving::Bytes { channel, bytes } => cluster.handle_message(&channels[channel], bytes.into(), now),
                Arriving::Link(event) => {
                    let event = match event % 5 {
                        0 => LinkEvent::Connected,
                        1 => LinkEvent::Disconnected { reason: "test".into() },
                        2 => LinkEvent::Restored(channels.to_vec().into()),
                        3 => LinkEvent::Dropped([channels[2].clone()].into()),
                        _ => LinkEvent::Interrupted(channels.to_vec().into()),
                    };
                    cluster.handle_link(event, now);
                }
                Arriving::Completion { operation, is_ok } => {
                    let result = if is_ok { Ok(()) } else { Err(BrokerErrorKind::Unknown) };
                    cluster.handle_completion(OperationId(operation), result, now);
                }
                Arriving::Tick(ms) => {
                    now += Duration::from_millis(ms);
                    cluster.handle_tick(now);
                    prop_assert!(cluster.poll_timeout() > now, "a tick does all that is due");
                    while cluster.poll_output().is_some() {}
                }
            }
            let stats = cluster.stats();
            prop_assert!(stats.nodes <= 2 && stats.remote_users <= 5, "{stats:?}");
        }
    }
}
