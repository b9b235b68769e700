use super::*;

fn connections(net: &Net, node: usize, key: &str) -> (usize, bool) {
    let presence = net.nodes[node].user(&user(key));
    (presence.connections, presence.is_complete)
}

fn connect(net: &mut Net, node: usize, key: &str) {
    net.nodes[node].user_connected(&user(key), [0; 16], net.now).unwrap();
    net.run(ms(200));
}

/// Takes the commands that a node was asked to apply, and acknowledges one connection for each.
fn apply_commands(net: &mut Net, node: usize) -> Vec<CommandKind> {
    let mut kinds = Vec::new();
    for output in net.take(node) {
        match output {
            Output::Command(command) => {
                kinds.push(command.kind);
                net.nodes[node].acknowledge(command.reply, 1, net.now);
            }
            other => net.outputs[node].push_back(other),
        }
    }
    net.work();
    kinds
}

fn outcome(net: &mut Net, node: usize) -> (usize, bool) {
    let outputs = net.take(node);
    let outcome = outputs.iter().find_map(|output| match output {
        Output::CommandEnded { outcome, .. } => Some((outcome.connections, outcome.is_complete)),
        _ => None,
    });
    outcome.unwrap_or_else(|| panic!("{outputs:?}"))
}

#[test]
fn users_are_known_on_all_nodes() {
    let mut net = Net::new(3);
    connect(&mut net, 0, "ann");
    connect(&mut net, 1, "ann");
    assert_eq!((connections(&net, 0, "ann"), connections(&net, 2, "ann")), ((2, true), (2, true)));
    net.nodes[0].user_disconnected(&user("ann"), [0; 16], net.now);
    net.run(ms(200));
    assert_eq!((connections(&net, 2, "ann"), connections(&net, 2, "bob")), ((1, true), (0, true)));
}

#[test]
fn a_missed_change_is_made_up_for_by_a_snapshot() {
    let mut net = Net::new(2);
    net.deaf.insert((1, Channel::AllNodes));
    connect(&mut net, 0, "ann");
    net.deaf.clear();
    assert_eq!(connections(&net, 1, "ann").0, 0);
    net.run(ms(1500));
    assert_eq!(connections(&net, 1, "ann"), (1, true));
    assert_eq!(net.nodes[1].stats().snapshots, 1);
}

#[test]
fn a_node_that_joins_learns_the_users_of_the_others() {
    let mut net = Net::new(2);
    for n in 0..1200 {
        net.nodes[0].user_connected(&user(&format!("user:{n}")), [0; 16], net.now).unwrap();
    }
    net.run(ms(200));
    net.nodes[1] = Cluster::new(NodeId::from_bytes([9; 16]), Incarnation::from_u64(9), ClusterConfig::new(), net.now);
    net.nodes[1].handle_link(LinkEvent::Connected, net.now);
    net.work();
    net.run(ms(2000));
    assert_eq!(
        (connections(&net, 1, "user:0"), connections(&net, 1, "user:1199")),
        ((1, true), (1, true)),
        "{:?}",
        net.nodes[1].stats()
    );
}

#[test]
fn the_users_of_a_dead_node_are_offline_within_ten_seconds() {
    let mut net = Net::new(2);
    connect(&mut net, 1, "ann");
    net.run_without(1, ms(4500));
    assert_eq!(connections(&net, 0, "ann"), (1, false), "it is down, and may come back");
    net.run_without(1, ms(5000));
    assert_eq!(connections(&net, 0, "ann"), (0, true));
    let ids: Vec<_> = net.take(0);
    let node = net.nodes[1].node();
    assert_eq!(ids, [Output::NodeDown(node), Output::NodeGone(node)]);
}

#[test]
fn the_users_of_a_node_that_drains_are_offline_at_once() {
    let mut net = Net::new(2);
    connect(&mut net, 1, "ann");
    net.nodes[1].drain(net.now);
    net.work();
    assert_eq!(connections(&net, 0, "ann"), (0, true));
    assert_eq!(net.nodes[1].health(net.now), Health::Draining);
    net.run(ms(3000));
    assert_eq!(net.nodes[0].nodes().count(), 0, "it sends no heartbeats any more");
    assert_eq!(net.nodes[0].health(net.now), Health::Healthy, "the last other node said goodbye");
}

#[test]
fn a_node_that_was_stopped_comes_back_as_another_incarnation_with_its_users() {
    let mut net = Net::new(2);
    connect(&mut net, 1, "ann");
    net.join(0, "room");
    net.publish(1, "room", "before");
    net.run(ms(3000));
    let before = net.nodes[1].incarnation();
    net.run_without(1, ms(12_000));
    assert_eq!(connections(&net, 0, "ann"), (0, true));
    net.run(ms(1700));
    assert_ne!(net.nodes[1].incarnation(), before);
    assert_eq!(net.nodes[1].stats().pauses, 1);
    assert_eq!(connections(&net, 0, "ann"), (1, true));
    assert_eq!(connections(&net, 1, "ann").0, 1);
    net.publish(1, "room", "after");
    net.run(ms(3000));
    assert_eq!(net.heard(0), ["before", "after"], "its messages go on without a gap");
}

#[test]
fn a_command_reaches_the_user_on_all_nodes_and_is_acknowledged() {
    let mut net = Net::new(3);
    connect(&mut net, 0, "ann");
    connect(&mut net, 1, "ann");
    net.nodes[2].command(&user("ann"), CommandKind::Disconnect, Bytes::new(), net.now).unwrap();
    net.work();
    assert_eq!(apply_commands(&mut net, 0), [CommandKind::Disconnect]);
    assert_eq!(apply_commands(&mut net, 1), [CommandKind::Disconnect]);
    assert_eq!(outcome(&mut net, 2), (2, true));
}

#[test]
fn a_command_for_a_user_that_is_nowhere_ends_at_once() {
    let mut net = Net::new(2);
    net.nodes[0].command(&user("bob"), CommandKind::Send, Bytes::new(), net.now).unwrap();
    net.work();
    assert_eq!(outcome(&mut net, 0), (0, true));
}

#[test]
fn a_command_that_is_not_acknowledged_is_reported_as_incomplete() {
    let mut net = Net::new(2);
    connect(&mut net, 1, "ann");
    net.nodes[0].command(&user("ann"), CommandKind::Revoke, Bytes::new(), net.now).unwrap();
    net.run(ms(1000));
    assert_eq!(outcome(&mut net, 0), (0, false));
}

#[test]
fn a_command_without_a_broker_reaches_local_connections_and_is_reported_as_incomplete() {
    let mut net = Net::new(2);
    net.unavailable.insert(0);
    connect(&mut net, 0, "ann");
    net.nodes[0].command(&user("ann"), CommandKind::Send, Bytes::from_static(b"hi"), net.now).unwrap();
    net.work();
    assert_eq!(apply_commands(&mut net, 0), [CommandKind::Send]);
    net.run(ms(1000));
    assert!(!outcome(&mut net, 0).1);
}

#[test]
fn a_command_of_the_users_own_node_reaches_it_once() {
    let mut net = Net::new(1);
    net.nodes[0].user_connected(&user("ann"), [0; 16], net.now).unwrap();
    // The user's channel is not confirmed yet.
    net.nodes[0].command(&user("ann"), CommandKind::Reauthorize, Bytes::new(), net.now).unwrap();
    net.work();
    assert_eq!(apply_commands(&mut net, 0), [CommandKind::Reauthorize]);
    net.nodes[0].command(&user("ann"), CommandKind::Send, Bytes::new(), net.now).unwrap();
    net.work();
    assert_eq!(apply_commands(&mut net, 0), [CommandKind::Send]);
}

fn answer(net: &mut Net, node: usize) {
    for output in net.take(node) {
        if let Output::Question { question, payload } = output {
            net.nodes[node].answer(question, payload, net.now);
        } else {
            net.outputs[node].push_back(output);
        }
    }
    net.work();
}

fn answers(net: &mut Net, node: usize) -> Option<(usize, bool)> {
    net.take(node).into_iter().find_map(|output| match output {
        Output::Answers { answers, is_complete, .. } => {
            assert!(answers.iter().all(|(_, answer)| answer == "how many?"));
            Some((answers.len(), is_complete))
        }
        _ => None,
    })
}

#[test]
fn a_question_is_answered_by_all_nodes() {
    let mut net = Net::new(3);
    net.nodes[0].ask("how many?".into(), net.now).unwrap();
    net.work();
    (0..3).for_each(|node| answer(&mut net, node));
    assert_eq!(answers(&mut net, 0), Some((3, true)));
}

#[test]
fn a_question_ends_after_300_ms_with_what_has_come() {
    let mut net = Net::new(3);
    net.nodes[0].ask("how many?".into(), net.now).unwrap();
    net.work();
    (0..2).for_each(|node| answer(&mut net, node));
    net.run(ms(299));
    assert_eq!(answers(&mut net, 0), None);
    net.run(ms(1));
    assert_eq!(answers(&mut net, 0), Some((2, false)));
}

#[test]
fn an_idle_node_sends_less_than_two_messages_a_second() {
    let mut net = Net::new(4);
    let before = net.published;
    net.run(ms(10_000));
    let sent = net.published - before;
    assert!((32..=50).contains(&sent), "{sent} by 4 nodes in 10 s");
}
