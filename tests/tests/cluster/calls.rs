//! Requests to clients of other nodes.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard::{CallErrorKind, ConnId, cluster::ClusterConfig, ws_message, ws_rpc};
use switchboard_tests::client::{Client, PATIENCE};
use tokio::time::timeout;

use crate::node::{Node, nodes, nodes_with, request, until};

#[ws_message("ANSWER")]
#[derive(Debug)]
struct Answer {
    n: u32,
}

#[ws_rpc("ASK", response = Answer)]
struct Ask {
    #[validate(range(max = 10))]
    n: u32,
}

const ASK: Ask = Ask { n: 1 };

fn id(client: &Client) -> ConnId {
    client.headers["x-client-id"].to_str().unwrap().parse().unwrap()
}

/// The correlation id of a question.
async fn asked(client: &mut Client) -> Value {
    let ask = client.recv().await;
    assert_eq!((&ask["type"], &ask["payload"]["n"]), (&json!("ASK"), &json!(1)), "{ask}");
    ask["meta"]["correlationId"].clone()
}

async fn answer(client: &mut Client, id: &Value, payload: Value) {
    let answer = json!({ "type": "ANSWER", "meta": { "correlationId": id }, "payload": payload });
    client.text(answer.to_string()).await;
}

async fn refuse(client: &mut Client, id: &Value) {
    let payload = json!({ "code": "NOT_FOUND", "message": "no such door", "details": { "door": 7 } });
    let error = json!({ "type": "RPC_ERROR", "meta": { "correlationId": id }, "payload": payload });
    client.text(error.to_string()).await;
}

/// Waits until a node knows that a user has so many connections.
async fn knows<B>(node: &Node<B>, user: &str, connections: usize) {
    until(async || node.hub.user(user).connection_count().await == connections).await;
}

/// Waits until a node serves no request any more.
async fn serves_nothing(node: &Node) {
    until(async || node.hub.cluster_stats().unwrap().served_requests == 0).await;
}

/// No node keeps anything of a request.
async fn nothing_is_left(nodes: &[Node]) {
    for node in nodes {
        serves_nothing(node).await;
        assert_eq!(node.hub.cluster_stats().unwrap().client_requests, 0);
    }
}

#[tokio::test]
async fn the_first_answer_of_a_user_wins_on_whatever_node() {
    let nodes: [Node; 3] = nodes().await;
    let [a, b, c] = &nodes;
    let (mut phone, mut tablet) = (b.connect_as("ann").await, c.connect_as("ann").await);
    let mut desk = a.connect_as("ann").await;
    knows(a, "ann", 3).await;
    let ann = a.hub.user("ann");
    let call = tokio::spawn(async move { ann.call(ASK).await });
    let ids = [asked(&mut desk).await, asked(&mut phone).await, asked(&mut tablet).await];
    // An error is no response while another may come.
    refuse(&mut desk, &ids[0]).await;
    refuse(&mut phone, &ids[1]).await;
    answer(&mut tablet, &ids[2], json!({ "n": 7 })).await;
    assert_eq!(timeout(PATIENCE, call).await.unwrap().unwrap().unwrap().n, 7);
    nothing_is_left(&nodes).await;
}

#[tokio::test]
async fn the_other_nodes_stop_waiting_after_the_first_answer() {
    let nodes: [Node; 3] = nodes().await;
    let [a, b, c] = &nodes;
    let (mut phone, mut tablet) = (b.connect_as("ann").await, c.connect_as("ann").await);
    knows(a, "ann", 2).await;
    let ann = a.hub.user("ann");
    let call = tokio::spawn(async move { ann.call(ASK).timeout(Duration::from_secs(60)).await });
    let (of_phone, of_tablet) = (asked(&mut phone).await, asked(&mut tablet).await);
    answer(&mut phone, &of_phone, json!({ "n": 1 })).await;
    assert_eq!(timeout(PATIENCE, call).await.unwrap().unwrap().unwrap().n, 1);
    nothing_is_left(&nodes).await;
    let late = c.hub.stats().late_answers;
    answer(&mut tablet, &of_tablet, json!({ "n": 2 })).await;
    until(async || c.hub.stats().late_answers == late + 1).await;
}

#[tokio::test]
async fn errors_of_clients_pass_through() {
    let nodes: [Node; 2] = nodes().await;
    let [a, b] = &nodes;
    let mut phone = b.connect_as("ann").await;
    knows(a, "ann", 1).await;
    let call = || {
        let ann = a.hub.user("ann");
        tokio::spawn(async move { ann.call(ASK).timeout(Duration::from_millis(400)).await.unwrap_err() })
    };
    let refused = call();
    let question = asked(&mut phone).await;
    refuse(&mut phone, &question).await;
    let error = timeout(PATIENCE, refused).await.unwrap().unwrap();
    assert_eq!(error.kind(), CallErrorKind::Refused);
    let error = serde_json::to_value(switchboard::WsError::from(error)).unwrap();
    assert_eq!(
        error,
        json!({ "code": "NOT_FOUND", "message": "no such door", "details": { "door": 7 }, "retryable": false })
    );
    let invalid = call();
    let question = asked(&mut phone).await;
    answer(&mut phone, &question, json!({ "n": "seven" })).await;
    assert_eq!(timeout(PATIENCE, invalid).await.unwrap().unwrap().kind(), CallErrorKind::InvalidAnswer);
    let late = call();
    asked(&mut phone).await;
    assert_eq!(timeout(PATIENCE, late).await.unwrap().unwrap().kind(), CallErrorKind::TimedOut);
    assert_eq!(a.hub.user("ann").call(Ask { n: 11 }).await.unwrap_err().kind(), CallErrorKind::InvalidRequest);
    assert_eq!(a.hub.user("nobody").call(ASK).await.unwrap_err().kind(), CallErrorKind::Closed);
    nothing_is_left(&nodes).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_is_given_up_on_all_nodes() {
    let nodes: [Node; 2] = nodes().await;
    let [a, b] = &nodes;
    let mut phone = b.connect_as("ann").await;
    knows(a, "ann", 1).await;
    let ann = a.hub.user("ann");
    let call = tokio::spawn(async move { ann.call(ASK).timeout(Duration::from_secs(60)).await });
    asked(&mut phone).await;
    assert_eq!(b.hub.cluster_stats().unwrap().served_requests, 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    nothing_is_left(&nodes).await;
}

#[tokio::test]
async fn a_connection_of_another_node_is_called_by_its_id() {
    let nodes: [Node; 3] = nodes().await;
    let [a, b, _] = &nodes;
    let mut client = b.connect().await;
    let (hub, conn) = (a.hub.clone(), id(&client));
    let call = tokio::spawn(async move { hub.connection(conn).call(ASK).await });
    let question = asked(&mut client).await;
    answer(&mut client, &question, json!({ "n": 3 })).await;
    assert_eq!(timeout(PATIENCE, call).await.unwrap().unwrap().unwrap().n, 3);
    drop(client);
    until(async || b.hub.local_connection(conn).is_none()).await;
    assert_eq!(a.hub.connection(conn).call(ASK).await.unwrap_err().kind(), CallErrorKind::Closed);
    nothing_is_left(&nodes).await;
}

#[tokio::test]
async fn all_subscribers_on_all_nodes_are_asked() {
    let nodes: [Node; 3] = nodes().await;
    let [a, b, c] = &nodes;
    let mut clients = [a.member("game").await, b.member("game").await, b.member("game").await, c.member("game").await];
    let _elsewhere = c.member("other").await;
    let ids: Vec<ConnId> = clients.iter().map(id).collect();
    let game = a.hub.topic("game");
    let call = tokio::spawn(async move { game.call_all(ASK).timeout(Duration::from_millis(1500)).await });
    let mut questions = Vec::new();
    for client in &mut clients {
        questions.push(asked(client).await);
    }
    answer(&mut clients[0], &questions[0], json!({ "n": 0 })).await;
    answer(&mut clients[1], &questions[1], json!({ "n": 1 })).await;
    refuse(&mut clients[2], &questions[2]).await;
    // The last one does not answer, which its node says in time.
    let answers = timeout(PATIENCE, call).await.unwrap().unwrap();
    assert!(answers.is_complete(), "{answers:?}");
    let of = |id| answers.iter().find(|(other, _)| *other == id).map(|(_, answer)| answer).unwrap();
    assert_eq!((of(ids[0]).as_ref().unwrap().n, of(ids[1]).as_ref().unwrap().n), (0, 1));
    assert_eq!(of(ids[2]).as_ref().unwrap_err().kind(), CallErrorKind::Refused);
    assert_eq!(of(ids[3]).as_ref().unwrap_err().kind(), CallErrorKind::TimedOut);
    assert_eq!(answers.len(), 4);
    assert_eq!(answers.into_iter().filter(|(_, answer)| answer.is_ok()).count(), 2);
    let nobody = a.hub.topic("empty").call_all(ASK).await;
    assert!(nobody.is_empty() && nobody.is_complete());
    nothing_is_left(&nodes).await;
}

/// Nodes that notice a dead one soon.
fn quick() -> ClusterConfig {
    ClusterConfig::new()
        .heartbeat(Duration::from_millis(50))
        .node_timeout(Duration::from_millis(400))
        .node_grace(Duration::from_millis(200))
}

#[tokio::test]
async fn a_node_that_dies_ends_its_part() {
    let [a, b, c] = nodes_with(|builder| builder.cluster(quick())).await;
    let (mut phone, mut member) = (b.connect_as("ann").await, c.member("game").await);
    request(&mut phone, "JOIN", json!({ "topic": "game" })).await;
    knows(&a, "ann", 1).await;
    let (ann, game) = (a.hub.user("ann"), a.hub.topic("game"));
    let first = tokio::spawn(async move { ann.call(ASK).timeout(Duration::from_secs(60)).await });
    asked(&mut phone).await;
    let all = tokio::spawn(async move { game.call_all(ASK).timeout(Duration::from_secs(60)).await });
    asked(&mut phone).await;
    let question = asked(&mut member).await;
    answer(&mut member, &question, json!({ "n": 1 })).await;
    b.broker.cut("the machine is gone");
    let error = timeout(PATIENCE, first).await.unwrap().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.retryable()), (CallErrorKind::Unavailable, true));
    assert_eq!(switchboard::WsError::from(error).code().as_str(), "UNAVAILABLE");
    let answers = timeout(PATIENCE, all).await.unwrap().unwrap();
    assert_eq!((answers.len(), answers.is_complete()), (1, false), "{answers:?}");
    assert_eq!(answers[0].1.as_ref().unwrap().n, 1);
}

#[tokio::test]
async fn without_a_broker_clients_of_this_node_are_asked() {
    let [a, _b] = nodes().await;
    let mut ann = a.connect_as("ann").await;
    request(&mut ann, "JOIN", json!({ "topic": "game" })).await;
    a.broker.cut("pulled the plug");
    let (user, game) = (a.hub.user("ann"), a.hub.topic("game"));
    let first = tokio::spawn(async move { user.call(ASK).await });
    let question = asked(&mut ann).await;
    answer(&mut ann, &question, json!({ "n": 1 })).await;
    assert_eq!(timeout(PATIENCE, first).await.unwrap().unwrap().unwrap().n, 1);
    let all = tokio::spawn(async move { game.call_all(ASK).await });
    let question = asked(&mut ann).await;
    answer(&mut ann, &question, json!({ "n": 2 })).await;
    let answers = timeout(PATIENCE, all).await.unwrap().unwrap();
    assert_eq!((answers.len(), answers.is_complete()), (1, false));
    assert_eq!(a.hub.user("bob").call(ASK).await.unwrap_err().kind(), CallErrorKind::Unavailable);
}

#[tokio::test]
async fn requests_and_responses_are_limited_by_name() {
    let limits = ClusterConfig::new().max_client_requests(1).max_response_bytes(400);
    let [a, b] = nodes_with(|builder| builder.cluster(limits.clone())).await;
    let mut phone = b.connect_as("ann").await;
    knows(&a, "ann", 1).await;
    let ann = a.hub.user("ann");
    let first = tokio::spawn(async move { ann.call(ASK).await });
    let question = asked(&mut phone).await;
    let error = a.hub.user("ann").call(ASK).await.unwrap_err();
    assert_eq!(error.kind(), CallErrorKind::Overloaded);
    let error = switchboard::WsError::from(error);
    assert_eq!(error.message(), "too many requests wait for clients of other nodes (limit 1)");
    answer(&mut phone, &question, json!({ "n": 1, "more": "x".repeat(500) })).await;
    let error = timeout(PATIENCE, first).await.unwrap().unwrap().unwrap_err();
    let error = switchboard::WsError::from(error);
    assert_eq!(error.message(), "the response is too long for a request of another node (limit 400 bytes)");
}
