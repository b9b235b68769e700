//! `examples/delta-sync` over real sockets, one test per row of the checklist.

use std::time::Duration;

use delta_sync::{Participant, Patch, Replica, ReplicaError, Status};
use serde_json::{Value, json};
use switchboard_tests::client::{Client, PATIENCE, Server};
use tokio::time::timeout;

fn server() -> Server {
    Server::start(delta_sync::app())
}

/// A client that has joined, and the snapshot that it got.
async fn join(server: &Server, path: &str, id: &str) -> (Client, Value) {
    let mut client = server.connect(path).await;
    client.send("JOIN", json!({ "participantId": id, "name": id.to_uppercase() })).await;
    let answer = client.recv().await;
    (client, answer)
}

async fn update(client: &mut Client, req: &str, patch: Value) {
    client.send("UPDATE", json!({ "patch": patch, "clientReqId": req })).await;
}

async fn bare(client: &mut Client, message_type: &str) {
    client.text(json!({ "type": message_type }).to_string()).await;
}

/// Returns the revisions and the operations of the next message, which must be deltas, without
/// their times.
async fn deltas(client: &mut Client) -> (u64, u64, Vec<Value>) {
    let mut deltas = client.expect("SYNC.DELTAS").await;
    let mut operations: Vec<_> = deltas["operations"].as_array_mut().unwrap().drain(..).collect();
    for operation in &mut operations {
        operation["payload"].as_object_mut().unwrap().remove("lastActive");
    }
    (deltas["fromRev"].as_u64().unwrap(), deltas["toRev"].as_u64().unwrap(), operations)
}

#[tokio::test]
async fn snapshot_then_deltas() {
    let server = server();
    let (mut ann, mut snapshot) = join(&server, "/ws", "ann").await;
    assert!(snapshot["payload"]["participants"]["ann"]["lastActive"].take().as_u64().unwrap() > 1_700_000_000_000);
    let entry = json!({ "id": "ann", "name": "ANN", "status": "online", "lastActive": null });
    assert_eq!(snapshot["type"], "SYNC.SNAPSHOT");
    assert_eq!(snapshot["payload"], json!({ "rev": 1, "participants": { "ann": entry } }));
    let (mut bob, snapshot) = join(&server, "/ws", "bob").await;
    assert_eq!((&snapshot["type"], &snapshot["payload"]["rev"]), (&json!("SYNC.SNAPSHOT"), &json!(2)));
    let joined = json!({ "id": "bob", "name": "BOB", "status": "online" });
    let operation = json!({ "rev": 2, "type": "participant.joined", "payload": joined });
    assert_eq!(deltas(&mut ann).await, (1, 2, vec![operation]));
    update(&mut ann, "a1", json!({ "status": "away" })).await;
    let changed = json!({ "id": "ann", "status": "away" });
    let operation = json!({ "rev": 3, "type": "participant.updated", "payload": changed, "clientReqId": "a1" });
    for client in [&mut ann, &mut bob] {
        assert_eq!(deltas(client).await, (2, 3, vec![operation.clone()]));
    }
    bare(&mut bob, "LEAVE").await;
    let operation = json!({ "rev": 4, "type": "participant.left", "payload": { "id": "bob" } });
    assert_eq!(deltas(&mut ann).await, (3, 4, vec![operation]));
    // Bob has left, but his connection is open, so he may join again.
    update(&mut bob, "b1", json!({})).await;
    bob.expect_error("ERROR", "UNAUTHENTICATED").await;
    // A lost connection does not end the participation.
    let (mut cid, _) = join(&server, "/ws", "cid").await;
    assert_eq!(deltas(&mut ann).await.1, 5);
    cid.close(1000).await;
    let operation = json!({ "rev": 6, "type": "participant.updated", "payload": { "id": "cid", "status": "away" } });
    assert_eq!(deltas(&mut ann).await, (5, 6, vec![operation]));
    let (_cid, answer) = join(&server, "/ws?rev=5", "cid").await;
    let payload = &answer["payload"];
    assert_eq!(
        (&answer["type"], &payload["fromRev"], &payload["toRev"]),
        (&json!("SYNC.DELTAS"), &json!(5), &json!(7))
    );
}

#[tokio::test]
async fn joins_and_updates_are_refused_with_typed_errors() {
    let server = server();
    let (mut ann, _) = join(&server, "/ws", "ann").await;
    let mut other = server.connect("/ws").await;
    update(&mut other, "o1", json!({ "status": "away" })).await;
    other.expect_error("ERROR", "UNAUTHENTICATED").await;
    other.send("JOIN", json!({ "participantId": "ann", "name": "Another" })).await;
    other.expect_error("ERROR", "ALREADY_EXISTS").await;
    ann.send("JOIN", json!({ "participantId": "bob", "name": "Bob" })).await;
    ann.expect_error("ERROR", "FAILED_PRECONDITION").await;
    for bad in [json!({ "participantId": "", "name": "x" }), json!({ "participantId": "x" })] {
        other.send("JOIN", bad).await;
        other.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    for bad in [json!({ "name": "" }), json!({ "status": "gone" }), json!({ "id": "bob" })] {
        update(&mut ann, "a1", bad).await;
        ann.expect_error("ERROR", "INVALID_ARGUMENT").await;
    }
    // A client that has not joined may send heartbeats and leave.
    for message_type in ["HEARTBEAT", "LEAVE"] {
        bare(&mut other, message_type).await;
    }
    assert_eq!(server.upgrade("/ws?rev=first", &[]).await.unwrap_err().status, 400);
    // Joining again requests the current state.
    ann.send("JOIN", json!({ "participantId": "ann", "name": "Anne" })).await;
    assert_eq!(ann.expect("SYNC.SNAPSHOT").await["participants"]["ann"]["name"], "Anne");
}

#[tokio::test]
async fn a_gap_is_reported_and_a_snapshot_follows() {
    let server = server();
    let (mut bob, _) = join(&server, "/ws", "bob").await;
    let (mut ann, _) = join(&server, "/ws", "ann").await;
    deltas(&mut bob).await;
    for n in 0..1048 {
        update(&mut ann, &format!("a{n}"), json!({ "name": format!("Ann {n}") })).await;
        deltas(&mut ann).await;
        deltas(&mut bob).await;
    }
    bob.close(1000).await;
    assert_eq!(deltas(&mut ann).await.1, 1051);
    // Reconnects with the oldest revision that deltas reach back to, and with the one before it.
    let (mut back, answer) = join(&server, "/ws?rev=28", "bob").await;
    assert_eq!(answer["payload"]["operations"].as_array().unwrap().len(), 1024);
    assert_eq!((&answer["payload"]["fromRev"], &answer["payload"]["toRev"]), (&json!(28), &json!(1052)));
    back.close(1000).await;
    let gap = |from: u64, rev: u64| json!({ "expectedRev": from, "serverRev": rev, "bufferFirstRev": rev - 1023, "resumeFrom": rev });
    deltas(&mut ann).await;
    assert_eq!(deltas(&mut ann).await.1, 1053);
    for (index, from) in [29, 9999].into_iter().enumerate() {
        let rev = 1054 + 2 * index as u64;
        let (mut back, answer) = join(&server, &format!("/ws?rev={from}"), "bob").await;
        assert_eq!((&answer["type"], &answer["payload"]), (&json!("REVISION_GAP"), &gap(from, rev)));
        assert_eq!(back.expect("SYNC.SNAPSHOT").await["rev"], rev);
        deltas(&mut ann).await;
        back.close(1000).await;
        assert_eq!(deltas(&mut ann).await.1, rev + 1);
    }
    // An update based on a revision that is not kept any more has no effect.
    let stale = json!({ "patch": { "status": "away" }, "baseRev": 3, "clientReqId": "stale" });
    ann.send("UPDATE", stale).await;
    assert_eq!(ann.expect("REVISION_GAP").await, gap(3, 1057));
    let snapshot = ann.expect("SYNC.SNAPSHOT").await;
    assert_eq!((&snapshot["rev"], &snapshot["participants"]["ann"]["status"]), (&json!(1057), &json!("online")));
}

/// A client that keeps its replica up to date.
struct Synced {
    replica: Replica,
    client: Client,
}

impl Synced {
    async fn join(server: &Server, replica: Replica) -> Self {
        let mut client = server.connect(&replica.path()).await;
        for frame in replica.join() {
            client.text(frame).await;
        }
        let mut synced = Self { replica, client };
        synced.receive().await;
        synced
    }

    async fn receive(&mut self) {
        let frame = self.client.frame().await;
        self.replica.receive(frame.to_text().unwrap()).unwrap();
    }

    async fn receive_until(&mut self, rev: u64) {
        while self.replica.rev() != Some(rev) {
            self.receive().await;
        }
    }

    fn of(&self, id: &str) -> Participant {
        self.replica.participants()[id].clone()
    }
}

fn status(status: Status) -> Patch {
    Patch { status: Some(status), ..Patch::default() }
}

fn name(name: &str) -> Patch {
    Patch { name: Some(name.to_owned()), ..Patch::default() }
}

#[tokio::test]
async fn optimistic_changes_are_reconciled() {
    let server = server();
    let mut ann = Synced::join(&server, Replica::new("ann", "Ann")).await;
    let mut bob = Synced::join(&server, Replica::new("bob", "Bob")).await;
    ann.receive_until(2).await;
    assert_eq!(ann.replica.participants(), bob.replica.participants());
    let frames = [ann.replica.update(name("Anne")).unwrap(), ann.replica.update(status(Status::Away)).unwrap()];
    // Visible to herself at once, before the server knows it.
    assert_eq!((ann.replica.pending(), ann.of("ann").name, ann.of("ann").status), (2, "Anne".into(), Status::Away));
    bob.client.text(bob.replica.update(name("Bobby")).unwrap()).await;
    bob.receive_until(3).await;
    // Another client's change does not confirm hers.
    ann.receive_until(3).await;
    assert_eq!((ann.replica.pending(), ann.of("ann").name, ann.of("bob").name), (2, "Anne".into(), "Bobby".into()));
    for (frame, left) in frames.into_iter().zip([1, 0]) {
        ann.client.text(frame).await;
        ann.receive().await;
        assert_eq!((ann.replica.pending(), ann.of("ann").name), (left, "Anne".into()));
    }
    bob.receive_until(5).await;
    assert_eq!(ann.replica.participants(), bob.replica.participants());
    // A change that the server refuses is undone.
    ann.client.text(ann.replica.update(name(&"x".repeat(51))).unwrap()).await;
    assert_eq!(ann.of("ann").name.len(), 51);
    ann.receive().await;
    assert_eq!((ann.replica.pending(), ann.of("ann").name), (0, "Anne".into()));
}

#[tokio::test]
async fn changes_survive_a_lost_connection_and_a_snapshot_clears_them() {
    let server = server();
    let mut ann = Synced::join(&server, Replica::new("ann", "Ann")).await;
    let mut bob = Synced::join(&server, Replica::new("bob", "Bob")).await;
    ann.receive_until(2).await;
    // Never sent: the connection is lost.
    ann.replica.update(name("Anne")).unwrap();
    ann.client.close(1000).await;
    bob.receive_until(3).await;
    let mut ann = Synced::join(&server, ann.replica).await;
    assert_eq!((ann.replica.pending(), ann.of("ann").name), (1, "Anne".into()));
    ann.receive_until(5).await;
    assert_eq!((ann.replica.pending(), ann.of("ann").name), (0, "Anne".into()));
    bob.receive_until(5).await;
    assert_eq!(ann.replica.participants(), bob.replica.participants());
    // A requested snapshot settles all pending changes.
    ann.replica.update(status(Status::Offline)).unwrap();
    ann.client.text(ann.replica.join().remove(0)).await;
    ann.receive().await;
    assert_eq!((ann.replica.pending(), ann.of("ann").status), (0, Status::Online));
    // A message that does not fit is noticed, and changes nothing.
    let rev = ann.replica.rev();
    let deltas = |from: u64| json!({ "fromRev": from, "toRev": from, "operations": [] });
    let later = json!({ "type": "SYNC.DELTAS", "payload": deltas(rev.unwrap() + 1) }).to_string();
    assert!(matches!(ann.replica.receive(&later), Err(ReplicaError::Gap { .. })));
    assert!(matches!(ann.replica.receive("{"), Err(ReplicaError::Unreadable(_))));
    assert_eq!(ann.replica.rev(), rev);
    for _ in 0..100 {
        ann.replica.update(Patch::default()).unwrap();
    }
    assert!(matches!(ann.replica.update(Patch::default()), Err(ReplicaError::TooManyPending)));
}

#[tokio::test]
async fn stale_peers_are_removed() {
    let (stale, sweep) = (Duration::from_millis(1500), Duration::from_millis(50));
    let server = Server::start(delta_sync::app_with(stale, sweep));
    let mut ann = Synced::join(&server, Replica::new("ann", "Ann")).await;
    let mut bob = Synced::join(&server, Replica::new("bob", "Bob")).await;
    let mut cid = Synced::join(&server, Replica::new("cid", "Cid")).await;
    // Bob is silent and Cid has disconnected. Ann is active, and gets both removals.
    cid.client.close(1000).await;
    let wait = async {
        while ann.replica.participants().len() != 1 || ann.replica.rev() < Some(6) {
            ann.client.text(ann.replica.heartbeat()).await;
            // If there is no message, it is time for the next heartbeat.
            let _ = timeout(Duration::from_millis(50), ann.receive()).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
    assert!(ann.replica.participants().contains_key("ann"));
    while bob.replica.participants().contains_key("bob") {
        match bob.client.frame().await {
            tokio_tungstenite::tungstenite::Message::Close(frame) => {
                let frame = frame.unwrap();
                assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "Heartbeat timeout"));
                return;
            }
            frame => bob.replica.receive(frame.to_text().unwrap()).unwrap(),
        }
    }
    panic!("bob was not removed");
}
