//! Rows 000 and 001 of the checklist.

use serde_json::json;

use super::{chat, client::Client, counts, get};

#[tokio::test]
async fn row_000_2_open() {
    let chat = chat();
    let (mut a, mut b) = (Client::connect(&chat).await, Client::connect(&chat).await);
    let (welcome_a, welcome_b) = (a.recv().await, b.recv().await);
    for (client, welcome) in [(&a, &welcome_a), (&b, &welcome_b)] {
        assert_eq!(welcome["type"], "WELCOME");
        assert_eq!(welcome["payload"]["message"], "Welcome to the chat");
        assert_eq!(welcome["payload"]["clientId"], client.headers["x-client-id"].to_str().unwrap());
        assert!(welcome["meta"]["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    }
    assert_ne!(a.headers["x-client-id"], b.headers["x-client-id"]);
}

#[tokio::test]
async fn row_000_3_join() {
    let chat = chat();
    let mut ann = Client::user(&chat, "Ann").await;
    ann.send("JOIN_ROOM", json!({"roomId": "general", "username": "Anna"})).await;
    assert_eq!(ann.expect("JOIN_SUCCESS").await, json!({"roomId": "general", "userCount": 1}));
    ann.expect("HISTORY").await;
    let joined = ann.expect("USER_JOINED").await;
    assert_eq!((&joined["username"], &joined["userCount"]), (&json!("Anna"), &json!(1)));
}

#[tokio::test]
async fn row_000_4_send() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::user(&chat, "Bob").await;
    let text = "x".repeat(1000);
    ann.send("SEND_MESSAGE", json!({"roomId": "general", "text": text})).await;
    assert_eq!(ann.expect("CHAT_MESSAGE").await["text"], text);
    bob.send("SEND_MESSAGE", json!({"roomId": "general", "text": "hi"})).await;
    assert_eq!(bob.expect("ERROR").await["code"], "PERMISSION_DENIED");
    ann.quiet().await;
}

#[tokio::test]
async fn row_000_5_leave() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;
    bob.send("LEAVE_ROOM", json!({"roomId": "general"})).await;
    // Unsubscribed first, so that only those who stay are told.
    assert_eq!(counts(&bob.expect("ROOM_LIST").await), [1, 0]);
    assert_eq!(
        ann.expect("USER_LEFT").await,
        json!({"roomId": "general", "userId": bob.user_id, "username": "Bob", "userCount": 1})
    );
    ann.expect("ROOM:USERS").await;
    ann.send("SEND_MESSAGE", json!({"roomId": "general", "text": "alone"})).await;
    ann.until("CHAT_MESSAGE").await;
    bob.quiet().await;
}

#[tokio::test]
async fn row_000_6_close() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;
    bob.close(1000).await;
    assert_eq!(ann.expect("USER_LEFT").await["userCount"], 1);
    assert_eq!(ann.expect("USER_DISCONNECTED").await, json!({"userCount": 1}));
}

#[tokio::test]
async fn row_000_7_serve() {
    let chat = chat();
    for (path, status) in [("/", 200), ("/ws", 426), ("/nowhere", 404)] {
        assert_eq!(chat.http("GET", path, None).await.0, status, "{path}");
    }
    Client::guest(&chat).await;
}

#[tokio::test]
async fn row_000_8_history() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    for n in 0..60 {
        ann.send("SEND_MESSAGE", json!({"roomId": "general", "text": n.to_string()})).await;
    }
    let mut said = Vec::new();
    for n in 0..60 {
        let message = ann.expect("CHAT_MESSAGE").await;
        assert_eq!(message["text"], n.to_string());
        said.push(message);
    }
    let mut bob = Client::user(&chat, "Bob").await;
    bob.send("JOIN_ROOM", json!({"roomId": "general"})).await;
    bob.expect("JOIN_SUCCESS").await;
    // The last 50, as they were sent, oldest first.
    assert_eq!(bob.expect("HISTORY").await, json!({"roomId": "general", "messages": said[10..]}));
    bob.drain().await;
    bob.send("JOIN_ROOM", json!({"roomId": "random"})).await;
    assert_eq!(bob.until("HISTORY").await, json!({"roomId": "random", "messages": []}));
}

#[tokio::test]
async fn row_001_2_stats_and_users() {
    let chat = chat();
    assert_eq!(get(&chat, "/health").await, json!({"status": "ok"}));
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    let _cleo = Client::user(&chat, "Cleo").await;
    let _nobody_yet = Client::guest(&chat).await;
    let stats = get(&chat, "/stats").await;
    let rooms = json!([{"id": "general", "userCount": 2}, {"id": "random", "userCount": 0}]);
    assert_eq!((&stats["usersOnline"], &stats["rooms"]), (&json!(3), &rooms));
    assert!(stats["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    let both = json!([
        {"userId": ann.user_id, "username": "Ann"},
        {"userId": bob.user_id, "username": "Bob"},
    ]);
    assert_eq!(ann.until("ROOM:USERS").await, json!({"room": "general", "users": both, "count": 2}));
    bob.close(1000).await;
    let ann_alone = json!([{"userId": ann.user_id, "username": "Ann"}]);
    assert_eq!(ann.until("ROOM:USERS").await, json!({"room": "general", "users": ann_alone, "count": 1}));
    assert_eq!(counts(&ann.until("ROOM_LIST").await), [1, 0]);
}

#[tokio::test]
async fn row_001_8_three_people() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    let mut cleo = Client::member(&chat, "Cleo", "random").await;
    let met = ["USER_JOINED", "ROOM:USERS", "ROOM_LIST", "ROOM_LIST"];
    assert_eq!(ann.drain_types().await, met);
    assert_eq!(bob.drain_types().await, met[3..]);
    cleo.send("JOIN_ROOM", json!({"roomId": "general"})).await;
    assert_eq!(cleo.until("JOIN_SUCCESS").await["userCount"], 3);
    for client in [&mut ann, &mut bob] {
        assert_eq!(counts(&client.expect("ROOM_LIST").await), [2, 0]);
        let joined = json!({"roomId": "general", "userId": cleo.user_id, "username": "Cleo", "userCount": 3});
        assert_eq!(client.expect("USER_JOINED").await, joined);
        assert_eq!(client.expect("ROOM:USERS").await["count"], 3);
        assert_eq!(counts(&client.expect("ROOM_LIST").await), [3, 0]);
    }
    cleo.drain().await;
    bob.send("SEND_MESSAGE", json!({"roomId": "general", "text": "three now"})).await;
    let heard = bob.expect("CHAT_MESSAGE").await;
    assert_eq!(ann.expect("CHAT_MESSAGE").await, heard);
    assert_eq!(cleo.expect("CHAT_MESSAGE").await, heard);
    ann.close(1000).await;
    for client in [&mut bob, &mut cleo] {
        for expected in ["USER_LEFT", "USER_DISCONNECTED", "ROOM:USERS", "ROOM_LIST"] {
            client.expect(expected).await;
        }
    }
}
