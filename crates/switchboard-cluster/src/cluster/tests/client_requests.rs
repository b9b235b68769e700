use super::*;
use crate::{ClientRequestId, ClientRequestReply, ClientsOf};

const TIME: Duration = ms(2000);

fn of_ann() -> ClientsOf {
    ClientsOf::User(user("ann"))
}

fn connect(net: &mut Net, node: usize) {
    net.nodes[node].user_connected(&user("ann"), [0; 16], net.now).unwrap();
    net.run(ms(200));
}

fn ask(net: &mut Net, clients: &ClientsOf) -> ClientRequestId {
    let request = net.nodes[0].request_clients(clients, Bytes::from_static(b"ready?"), TIME, net.now).unwrap();
    net.work();
    request
}

/// Takes the request that a node was asked to pass on, and how long its clients have.
fn asked(net: &mut Net, node: usize) -> (ClientRequestReply, Duration) {
    let outputs = net.take(node);
    let asked = outputs.iter().find_map(|output| match output {
        Output::ClientRequest(request) => Some((request.reply, request.time)),
        _ => None,
    });
    asked.unwrap_or_else(|| panic!("{outputs:?}"))
}

fn respond(net: &mut Net, node: usize, reply: ClientRequestReply, payload: &'static str) {
    net.nodes[node].respond(reply, payload.into(), net.now).unwrap();
    net.work();
}

fn end(net: &mut Net, node: usize, reply: ClientRequestReply) {
    net.nodes[node].end_client_request(reply, true, net.now);
    net.work();
}

/// The responses, and whether they are complete if the request has ended.
fn responses(net: &mut Net) -> (Vec<Bytes>, Option<bool>) {
    let (mut responses, mut ended) = (Vec::new(), None);
    for output in net.take(0) {
        match output {
            Output::ClientResponse { payload, .. } => responses.push(payload),
            Output::ClientRequestEnded { is_complete, .. } => ended = Some(is_complete),
            Output::NodeDown(_) | Output::NodeGone(_) => {}
            other => panic!("{other:?}"),
        }
    }
    (responses, ended)
}

#[test]
fn a_request_reaches_the_nodes_of_the_user_and_their_responses_come_back() {
    let mut net = Net::new(4);
    connect(&mut net, 1);
    connect(&mut net, 2);
    ask(&mut net, &of_ann());
    assert_eq!(net.take(3), [], "the user is not there");
    let (one, two) = (asked(&mut net, 1), asked(&mut net, 2));
    assert_eq!(one.1, ms(1750), "so that what node 1 says arrives in time");
    respond(&mut net, 1, one.0, "yes");
    end(&mut net, 1, one.0);
    assert_eq!(responses(&mut net), (vec!["yes".into()], None));
    respond(&mut net, 2, two.0, "no");
    respond(&mut net, 2, two.0, "perhaps");
    end(&mut net, 2, two.0);
    assert_eq!(responses(&mut net), (vec!["no".into(), "perhaps".into()], Some(true)));
}

#[test]
fn the_asking_node_is_no_one_that_it_asks() {
    let mut net = Net::new(2);
    connect(&mut net, 0);
    ask(&mut net, &of_ann());
    assert_eq!(responses(&mut net), (vec![], Some(true)), "nothing was published");
    ask(&mut net, &ClientsOf::AllNodes);
    let (reply, _) = asked(&mut net, 1);
    end(&mut net, 1, reply);
    assert_eq!(responses(&mut net), (vec![], Some(true)));
}

#[test]
fn a_cancelled_request_is_cancelled_where_it_is_served() {
    let mut net = Net::new(2);
    connect(&mut net, 1);
    let request = ask(&mut net, &of_ann());
    let (reply, _) = asked(&mut net, 1);
    net.nodes[0].cancel_client_request(request, net.now);
    net.work();
    assert_eq!(net.take(1), [Output::ClientRequestCancelled(reply)]);
    let published = net.published;
    respond(&mut net, 1, reply, "too late");
    end(&mut net, 1, reply);
    assert_eq!((net.published, responses(&mut net)), (published, (vec![], None)));
}

#[test]
fn a_node_that_dies_ends_its_part_and_what_it_asked_for() {
    let mut net = Net::new(2);
    connect(&mut net, 1);
    let long = ms(60_000);
    net.nodes[0].request_clients(&of_ann(), Bytes::new(), long, net.now).unwrap();
    net.nodes[1].request_clients(&ClientsOf::AllNodes, Bytes::new(), long, net.now).unwrap();
    net.work();
    let (of_the_dead, _) = asked(&mut net, 0);
    net.run_without(1, ms(4500));
    assert_eq!(responses(&mut net), (vec![], Some(false)));
    net.nodes[0].request_clients(&ClientsOf::AllNodes, Bytes::new(), long, net.now).unwrap();
    assert_eq!(responses(&mut net), (vec![], None));
    net.work();
    assert_eq!(responses(&mut net), (vec![], Some(false)), "one node is down");
    net.stopped.insert(1);
    net.run(ms(5000));
    assert!(net.take(0).contains(&Output::ClientRequestCancelled(of_the_dead)));
}

#[test]
fn a_request_ends_at_its_deadline_or_with_the_broker() {
    let mut net = Net::new(2);
    connect(&mut net, 1);
    ask(&mut net, &of_ann());
    net.run(ms(1999));
    assert_eq!(responses(&mut net), (vec![], None));
    net.run(ms(1));
    assert_eq!(responses(&mut net), (vec![], Some(false)));
    net.unavailable.insert(0);
    ask(&mut net, &of_ann());
    assert_eq!(responses(&mut net), (vec![], Some(false)));
}

#[test]
fn responses_that_are_too_long_and_requests_that_are_too_many_are_refused() {
    let mut net = Net::with(2, &ClusterConfig::new().max_response_bytes(3).max_served_requests(1));
    connect(&mut net, 1);
    ask(&mut net, &of_ann());
    ask(&mut net, &of_ann());
    assert_eq!(responses(&mut net), (vec![], Some(false)), "node 1 has no room for the second");
    let (reply, _) = asked(&mut net, 1);
    let error = net.nodes[1].respond(reply, Bytes::from_static(b"long"), net.now).unwrap_err();
    assert_eq!(error, ClusterError::ResponseTooLong { limit: 3 });
    respond(&mut net, 1, reply, "too");
    end(&mut net, 1, reply);
    assert_eq!(responses(&mut net), (vec!["too".into()], Some(true)));
}

#[test]
fn a_caller_that_is_behind_gets_errors_and_loses_messages() {
    let mut net = Net::with(1, &ClusterConfig::new().max_output_bytes(100));
    net.join(0, "room");
    let node = &mut net.nodes[0];
    let payload = [0; 80];
    let publish = Publish { payload: &payload, ..say("") };
    node.publish(&topic("room"), &publish, net.now).unwrap();
    let full = ClusterError::TooManyOutputBytes { limit: 100 };
    let Err(error) = node.publish(&topic("room"), &publish, net.now) else {
        panic!("{:?}", node.stats());
    };
    assert_eq!((error, error.retryable()), (full, true));
    assert_eq!(node.ask(Bytes::new(), net.now), Err(full));
    assert_eq!(node.request_clients(&ClientsOf::AllNodes, Bytes::new(), TIME, net.now), Err(full));
    let message = bus::encode_publish(node.publisher, 9, None, &say("from elsewhere"));
    node.handle_message(&Channel::Topic(topic("room")), message, net.now);
    assert_eq!(node.stats().dropped_messages, 1);
    net.work();
    net.publish(0, "room", "there is room again");
    assert_eq!(net.heard(0).last().unwrap(), "there is room again");
}
