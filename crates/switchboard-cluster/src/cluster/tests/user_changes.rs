use super::*;
use crate::UserChangeKind::{self, ConnectionAdded, ConnectionEnded, Offline, Online};

fn connect(net: &mut Net, node: usize, key: &str, id: u8) {
    net.nodes[node].user_connected(&user(key), [id; 16], net.now).unwrap();
    net.run(ms(200));
}

fn disconnect(net: &mut Net, node: usize, key: &str, id: u8) {
    assert!(net.nodes[node].user_disconnected(&user(key), [id; 16], net.now));
    net.run(ms(200));
}

/// What a node has reported: the user, what has changed, and the connection if it is known.
fn changes(net: &mut Net, node: usize) -> Vec<(String, UserChangeKind, Option<u8>)> {
    let reported = net.take(node).into_iter().filter_map(|output| match output {
        Output::UsersChanged(changes) => Some(changes),
        _ => None,
    });
    reported.flatten().map(|change| (change.user.to_string(), change.kind, change.connection.map(|id| id[0]))).collect()
}

fn watched(nodes: usize) -> Net {
    let mut net = Net::new(nodes);
    let now = net.now;
    net.nodes.iter_mut().for_each(|node| node.watch_users(now));
    net
}

#[test]
fn the_first_and_the_last_connection_anywhere_are_reported_once_on_each_node() {
    let mut net = watched(3);
    let ann = || "ann".to_owned();
    connect(&mut net, 0, "ann", 1);
    connect(&mut net, 1, "ann", 2);
    connect(&mut net, 1, "ann", 3);
    disconnect(&mut net, 0, "ann", 1);
    assert_eq!(changes(&mut net, 0), [(ann(), Online, Some(1)), (ann(), ConnectionEnded, Some(1))]);
    disconnect(&mut net, 1, "ann", 2);
    disconnect(&mut net, 1, "ann", 3);
    assert_eq!(changes(&mut net, 0), [(ann(), Offline, None)]);
    let on_one = [
        (ann(), Online, None),
        (ann(), ConnectionAdded, Some(2)),
        (ann(), ConnectionAdded, Some(3)),
        (ann(), ConnectionEnded, Some(2)),
        (ann(), Offline, Some(3)),
    ];
    assert_eq!(changes(&mut net, 1), on_one);
    assert_eq!(changes(&mut net, 2), [(ann(), Online, None), (ann(), Offline, None)]);
}

#[test]
fn users_of_a_dead_node_go_offline_after_its_grace_unless_they_are_elsewhere() {
    let mut net = watched(3);
    connect(&mut net, 2, "ann", 1);
    connect(&mut net, 2, "bob", 2);
    connect(&mut net, 1, "bob", 3);
    changes(&mut net, 0);
    net.run_without(2, ms(8500));
    assert_eq!(changes(&mut net, 0), []);
    net.run_without(2, ms(1500));
    assert_eq!(changes(&mut net, 0), [("ann".to_owned(), Offline, None)]);
}

#[test]
fn a_snapshot_that_makes_up_for_missed_changes_is_reported_once() {
    let mut net = watched(2);
    connect(&mut net, 1, "ann", 1);
    net.deaf.insert((0, Channel::AllNodes));
    connect(&mut net, 1, "bob", 2);
    disconnect(&mut net, 1, "ann", 1);
    net.deaf.clear();
    net.run(ms(2000));
    let mut reported = changes(&mut net, 0);
    reported.sort_by_key(|(user, ..)| user.clone());
    assert_eq!(reported, [("ann".into(), Online, None), ("ann".into(), Offline, None), ("bob".into(), Online, None)]);
}

#[test]
fn what_was_online_before_is_not_reported() {
    let mut net = Net::new(2);
    connect(&mut net, 1, "ann", 1);
    assert_eq!(changes(&mut net, 0), []);
    let now = net.now;
    net.nodes[0].watch_users(now);
    connect(&mut net, 0, "ann", 2);
    assert_eq!(changes(&mut net, 0), [("ann".into(), ConnectionAdded, Some(2))]);
    assert!(!net.nodes[0].user_disconnected(&user("nobody"), [9; 16], now));
}
