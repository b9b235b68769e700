//! `examples/rooms` over real sockets, one test per row of the checklist.

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

const RED: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const BLUE: &str = "0190163d-8694-739b-aea5-966c26f8ad92";

async fn guest(server: &Server) -> Client {
    let mut client = server.connect("/ws").await;
    let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
    assert_eq!(client.expect("WELCOME").await, json!({ "message": "Welcome", "clientId": id }));
    client
}

/// Joins as member number `count` of the room, and reads the messages about it.
async fn join(client: &mut Client, room: &str, name: &str, count: usize) {
    client.send("JOIN_ROOM", json!({ "roomId": room, "username": name })).await;
    assert_eq!(client.expect("USER_JOINED").await, json!({ "username": name, "userCount": count }));
    assert_eq!(client.expect("JOIN_SUCCESS").await, json!({ "roomId": room, "userCount": count }));
}

/// Asserts that nothing was sent to this client.
async fn quiet(client: &mut Client) {
    client.send("NOT_THERE", json!({})).await;
    client.expect_error("ERROR", "UNIMPLEMENTED").await;
}

async fn refused(client: &mut Client, message_type: &str, payload: Value, path: &str, code: &str) {
    client.send(message_type, payload).await;
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    let issues = error["details"]["issues"].as_array().unwrap();
    let found: Vec<_> = issues.iter().map(|issue| (&issue["path"], &issue["code"])).collect();
    assert_eq!(found, [(&json!(path), &json!(code))]);
}

#[tokio::test]
async fn join_by_uuid_with_a_name() {
    let server = Server::start(rooms::app());
    let (mut ann, mut bob) = (guest(&server).await, guest(&server).await);
    for (room, name, path, code) in [
        (RED, "", "username", "length"),
        (RED, "123456789012345678901", "username", "length"),
        ("red", "Ann", "roomId", "uuid"),
        ("", "Ann", "roomId", "uuid"),
    ] {
        refused(&mut ann, "JOIN_ROOM", json!({ "roomId": room, "username": name }), path, code).await;
    }
    join(&mut ann, RED, "Ann", 1).await;
    join(&mut bob, RED, "12345678901234567890", 2).await;
    let joined = json!({ "username": "12345678901234567890", "userCount": 2 });
    assert_eq!(ann.expect("USER_JOINED").await, joined);
    // Joining again changes nothing.
    bob.send("JOIN_ROOM", json!({ "roomId": RED })).await;
    assert_eq!(bob.expect("JOIN_SUCCESS").await, json!({ "roomId": RED, "userCount": 2 }));
    quiet(&mut ann).await;
}

#[tokio::test]
async fn only_members_send_to_a_room() {
    let server = Server::start(rooms::app());
    let (mut ann, mut anonymous) = (guest(&server).await, guest(&server).await);
    join(&mut ann, RED, "Ann", 1).await;
    for client in [&mut ann, &mut anonymous] {
        client.send("SEND_MESSAGE", json!({ "roomId": BLUE, "text": "hi" })).await;
        let error = client.expect_error("ERROR", "PERMISSION_DENIED").await;
        assert_eq!(error["message"], "You must join the room first");
    }
    // Without a name.
    anonymous.send("JOIN_ROOM", json!({ "roomId": RED })).await;
    for client in [&mut ann, &mut anonymous] {
        assert_eq!(client.expect("USER_JOINED").await, json!({ "username": "Anonymous", "userCount": 2 }));
    }
    anonymous.expect("JOIN_SUCCESS").await;
    for text in ["x".to_owned(), "é".repeat(500)] {
        anonymous.send("SEND_MESSAGE", json!({ "roomId": RED, "text": text })).await;
        for client in [&mut ann, &mut anonymous] {
            assert_eq!(client.expect("MESSAGE").await, json!({ "username": "Anonymous", "text": text }));
        }
    }
    for text in [String::new(), "é".repeat(501)] {
        refused(&mut anonymous, "SEND_MESSAGE", json!({ "roomId": RED, "text": text }), "text", "length").await;
    }
    ann.send("SEND_MESSAGE", json!({ "roomId": RED, "text": "mine" })).await;
    assert_eq!(anonymous.expect("MESSAGE").await, json!({ "username": "Ann", "text": "mine" }));
}

#[tokio::test]
async fn a_leaving_member_gets_no_notice() {
    let server = Server::start(rooms::app());
    let (mut ann, mut bob) = (guest(&server).await, guest(&server).await);
    join(&mut ann, RED, "Ann", 1).await;
    join(&mut bob, RED, "Bob", 2).await;
    ann.expect("USER_JOINED").await;
    for _ in 0..2 {
        bob.send("LEAVE_ROOM", json!({ "roomId": RED })).await;
        quiet(&mut bob).await;
    }
    assert_eq!(ann.expect("USER_LEFT").await, json!({ "username": "Bob", "userCount": 1 }));
    quiet(&mut ann).await;
}

#[tokio::test]
async fn both_rooms_of_a_closed_connection_are_notified() {
    let server = Server::start(rooms::app());
    let (mut ann, mut bob, mut cid) = (guest(&server).await, guest(&server).await, guest(&server).await);
    join(&mut ann, RED, "Ann", 1).await;
    join(&mut bob, BLUE, "Bob", 1).await;
    join(&mut cid, RED, "Cid", 2).await;
    join(&mut cid, BLUE, "Cid", 2).await;
    cid.close(1000).await;
    for client in [&mut ann, &mut bob] {
        client.expect("USER_JOINED").await;
        assert_eq!(client.expect("USER_DISCONNECTED").await, json!({ "userCount": 1 }));
        quiet(client).await;
    }
}
