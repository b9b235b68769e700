//! `examples/path-rooms` over real sockets, one test per row of the checklist.

use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

fn server() -> Server {
    Server::start(path_rooms::app())
}

async fn send(client: &mut Client, message: Value) {
    client.text(message.to_string()).await;
}

/// Returns the next message, without values that differ between runs.
async fn recv(client: &mut Client) -> Value {
    let mut message = client.recv().await;
    let object = message.as_object_mut().unwrap();
    object.remove("meta");
    if let Some(timestamp) = object.remove("timestamp") {
        assert!(timestamp.as_u64().unwrap() > 1_700_000_000_000);
    }
    message
}

/// Asserts that nothing was sent to this client, on `/ws/chat`.
async fn quiet(client: &mut Client) {
    send(client, json!({ "type": "ping", "timestamp": 1_700_000_000_001_u64 })).await;
    assert_eq!(recv(client).await, json!({ "type": "pong" }));
}

/// Returns a user in the chat, who was welcomed.
async fn chatter(server: &Server, name: &str) -> Client {
    let mut client = server.connect(&format!("/ws/chat?token={name}-token")).await;
    let message = format!("Welcome, {name}@example.com!");
    assert_eq!(recv(&mut client).await, json!({ "type": "welcome", "message": message }));
    quiet(&mut client).await;
    client
}

async fn join(client: &mut Client, name: &str, room: &str) {
    send(client, json!({ "type": "join_room", "roomId": room })).await;
    assert_eq!(recv(client).await, joined(name, room));
}

fn joined(name: &str, room: &str) -> Value {
    json!({ "type": "room_joined", "roomId": room, "userId": name, "userEmail": format!("{name}@example.com") })
}

/// Returns Ann and Bob, who have seen each other connect.
async fn ann_and_bob(server: &Server) -> (Client, Client) {
    let mut ann = chatter(server, "ann").await;
    let bob = chatter(server, "bob").await;
    assert_eq!(recv(&mut ann).await, json!({ "type": "user_joined", "userId": "bob" }));
    (ann, bob)
}

#[tokio::test]
async fn the_echo_route_answers_in_flat_envelopes() {
    let server = server();
    let mut client = server.connect("/ws/echo").await;
    send(&mut client, json!({ "type": "echo", "message": "hi" })).await;
    let echoed = client.recv().await;
    assert_eq!((&echoed["type"], &echoed["content"]), (&json!("message"), &json!("hi")));
    assert!(echoed["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    assert!(echoed.get("payload").is_none());
    send(&mut client, json!({ "type": "echo", "message": 1 })).await;
    let error = client.recv().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("ERROR"), &json!("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn pings_and_messages_to_rooms_are_answered() {
    let server = server();
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    for client in [&mut ann, &mut bob] {
        quiet(client).await;
        send(client, json!({ "type": "ping", "timestamp": 1_700_000_000_001_u64 })).await;
        let pong = client.recv().await;
        assert_eq!((&pong["type"], &pong["timestamp"]), (&json!("pong"), &json!(1_700_000_000_001_u64)));
    }
    join(&mut ann, "ann", "kitchen").await;
    send(&mut bob, json!({ "type": "chat_message", "roomId": "kitchen", "message": "hi" })).await;
    assert_eq!(recv(&mut bob).await["code"], "PERMISSION_DENIED");
    assert_eq!(recv(&mut bob).await["type"], "error");
    join(&mut bob, "bob", "kitchen").await;
    assert_eq!(recv(&mut ann).await, joined("bob", "kitchen"));
    for (length, is_good) in [(0, false), (1, true), (1000, true), (1001, false)] {
        let text = "x".repeat(length);
        send(&mut ann, json!({ "type": "chat_message", "roomId": "kitchen", "message": text })).await;
        if is_good {
            for client in [&mut ann, &mut bob] {
                assert_eq!(recv(client).await["message"], text);
            }
        } else {
            assert_eq!(recv(&mut ann).await["code"], "INVALID_ARGUMENT");
            assert_eq!(recv(&mut ann).await["type"], "error");
        }
    }
    send(&mut bob, json!({ "type": "leave_room", "roomId": "kitchen" })).await;
    assert_eq!(recv(&mut ann).await, json!({ "type": "room_left", "roomId": "kitchen", "userId": "bob" }));
    send(&mut ann, json!({ "type": "chat_message", "roomId": "kitchen", "message": "alone" })).await;
    recv(&mut ann).await;
    quiet(&mut bob).await;
}

#[tokio::test]
async fn the_open_hook_notifies_the_others() {
    let server = server();
    let mut ann = chatter(&server, "ann").await;
    let mut bob = chatter(&server, "bob").await;
    assert_eq!(recv(&mut ann).await, json!({ "type": "user_joined", "userId": "bob" }));
    quiet(&mut bob).await;
    for path in ["/ws/chat", "/ws/chat?token=eve-token", "/ws/chat?token=-token"] {
        assert_eq!(server.upgrade(path, &[]).await.unwrap_err().status, 401);
    }
}

#[tokio::test]
async fn the_close_hook_publishes_code_and_reason() {
    let server = server();
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    bob.close(4321).await;
    let left = json!({ "type": "user_left", "userId": "bob", "code": 4321, "reason": "" });
    assert_eq!(recv(&mut ann).await, left);
    let bob = chatter(&server, "bob").await;
    recv(&mut ann).await;
    drop(bob);
    assert_eq!(recv(&mut ann).await["code"], 1006);
    quiet(&mut ann).await;
}

#[tokio::test]
async fn a_connection_knows_its_client_and_follows_topics() {
    let server = server();
    let mut client = server.connect("/ws/rooms/kitchen?token=ann-token").await;
    send(&mut client, json!({ "type": "get_info" })).await;
    let info = json!({
        "type": "info",
        "roomId": "kitchen",
        "userId": "ann",
        "userEmail": "ann@example.com",
        "remoteAddress": client.ws.get_ref().local_addr().unwrap().to_string(),
    });
    assert_eq!(recv(&mut client).await, info);

    send(&mut client, json!({ "type": "follow", "topics": ["a", "b", "c"] })).await;
    let following = json!({ "type": "following", "topics": ["room:kitchen", "topic:a", "topic:b", "topic:c"] });
    assert_eq!(recv(&mut client).await, following);
    send(&mut client, json!({ "type": "post", "topic": "b", "message": "hi" })).await;
    assert_eq!(recv(&mut client).await, json!({ "type": "message", "content": "hi" }));
    send(&mut client, json!({ "type": "unfollow", "topics": ["a", "b"] })).await;
    assert_eq!(recv(&mut client).await["topics"], json!(["room:kitchen", "topic:c"]));
    send(&mut client, json!({ "type": "post", "topic": "b", "message": "hi" })).await;
    send(&mut client, json!({ "type": "get_info" })).await;
    assert_eq!(recv(&mut client).await["type"], "info");

    send(&mut client, json!({ "type": "bye", "inWords": true })).await;
    assert_eq!(client.expect_close().await, (1000, "Normal closure".to_owned()));
    let mut client = server.connect("/ws/rooms/kitchen?token=ann-token").await;
    send(&mut client, json!({ "type": "bye", "inWords": false })).await;
    assert_eq!(client.expect_close().await, (1000, String::new()));
}

#[tokio::test]
async fn path_parameters_select_the_room() {
    let server = server();
    let mut here = server.connect("/ws/rooms/kitchen?token=ann-token").await;
    let mut there = server.connect("/ws/rooms/attic?token=bob-token").await;
    send(&mut there, json!({ "type": "message", "message": "up here" })).await;
    assert_eq!(recv(&mut there).await, json!({ "type": "message", "content": "up here" }));
    send(&mut here, json!({ "type": "message", "message": "down here" })).await;
    assert_eq!(recv(&mut here).await, json!({ "type": "message", "content": "down here" }));

    let mut first = server.connect("/ws/games/7/players/1").await;
    let mut second = server.connect("/ws/games/7/players/2").await;
    // Both are subscribed once each has had an answer.
    for (client, player) in [(&mut first, 1), (&mut second, 2)] {
        send(client, json!({ "type": "move", "to": "e4" })).await;
        let moved = json!({ "type": "moved", "gameId": 7, "playerId": player, "to": "e4" });
        while recv(client).await != moved {}
    }
    send(&mut second, json!({ "type": "move", "to": "e5" })).await;
    let moved = json!({ "type": "moved", "gameId": 7, "playerId": 2, "to": "e5" });
    while recv(&mut first).await != moved {}
    for path in ["/ws/games/x/players/1", "/ws/games/7/players/256", "/ws/rooms/a%20b?token=ann-token"] {
        assert_eq!(server.upgrade(path, &[]).await.unwrap_err().status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_chat_has_rooms_typing_and_lists() {
    let server = server();
    let (mut ann, mut bob) = ann_and_bob(&server).await;
    for room in ["kitchen", "attic"] {
        join(&mut ann, "ann", room).await;
        join(&mut bob, "bob", room).await;
        assert_eq!(recv(&mut ann).await, joined("bob", room));
    }
    for is_typing in [true, false] {
        send(&mut bob, json!({ "type": "typing", "roomId": "attic", "isTyping": is_typing })).await;
        let typing = json!({ "type": "typing", "roomId": "attic", "userId": "bob", "isTyping": is_typing });
        assert_eq!(recv(&mut ann).await, typing);
    }
    quiet(&mut bob).await;
    send(&mut bob, json!({ "type": "chat_message", "roomId": "attic", "message": "hi" })).await;
    let message = json!({
        "type": "message", "roomId": "attic", "userId": "bob", "userEmail": "bob@example.com", "message": "hi"
    });
    for client in [&mut ann, &mut bob] {
        assert_eq!(recv(client).await, message);
    }
    send(&mut bob, json!({ "type": "typing", "roomId": "attic", "isTyping": "true" })).await;
    assert_eq!(recv(&mut bob).await["type"], "ERROR");
    let error = json!({ "type": "error", "message": "An error occurred", "code": "INVALID_ARGUMENT" });
    assert_eq!(recv(&mut bob).await, error);

    // A second tab of Bob's in one of the rooms: he leaves only the other one when the first tab
    // closes.
    let mut tab = chatter(&server, "bob").await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(recv(client).await, json!({ "type": "user_joined", "userId": "bob" }));
    }
    join(&mut tab, "bob", "attic").await;
    bob.close(1000).await;
    assert_eq!(recv(&mut ann).await, json!({ "type": "room_left", "roomId": "kitchen", "userId": "bob" }));
    assert_eq!(recv(&mut ann).await["type"], "user_left");
    tab.close(1000).await;
    assert_eq!(recv(&mut ann).await, json!({ "type": "room_left", "roomId": "attic", "userId": "bob" }));
    assert_eq!(recv(&mut ann).await["type"], "user_left");

    // One connection in two rooms: it leaves each of them once.
    let mut bob = chatter(&server, "bob").await;
    assert_eq!(recv(&mut ann).await["type"], "user_joined");
    for room in ["kitchen", "attic"] {
        join(&mut bob, "bob", room).await;
        assert_eq!(recv(&mut ann).await, joined("bob", room));
    }
    bob.close(1000).await;
    let mut left = Vec::new();
    for _ in 0..2 {
        let message = recv(&mut ann).await;
        assert_eq!((&message["type"], &message["userId"]), (&json!("room_left"), &json!("bob")));
        left.push(message["roomId"].as_str().unwrap().to_owned());
    }
    left.sort_unstable();
    assert_eq!(left, ["attic", "kitchen"]);
    assert_eq!(recv(&mut ann).await["type"], "user_left");
    quiet(&mut ann).await;
}
