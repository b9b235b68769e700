//! Row 002-26 of the checklist: features of the chat beyond the article.

use serde_json::json;

use super::{chat, client::Client, counts};

#[tokio::test]
async fn direct_messages_have_one_sender_and_one_recipient() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    let mut cid = Client::member(&chat, "Cid", "general").await;
    // A second connection of Bob's, in no room.
    let mut phone = Client::user(&chat, "Bob").await;
    let mut guest = Client::guest(&chat).await;
    for client in [&mut ann, &mut bob, &mut cid, &mut phone, &mut guest] {
        client.drain().await;
    }
    ann.send("SEND_DIRECT_MESSAGE", json!({"toUserId": bob.user_id, "text": "psst"})).await;
    let heard = ann.expect("DIRECT_MESSAGE").await;
    let expected = json!({
        "messageId": heard["messageId"], "timestamp": heard["timestamp"],
        "toUserId": bob.user_id, "userId": ann.user_id, "username": "Ann", "text": "psst",
    });
    assert_eq!(heard, expected);
    for client in [&mut bob, &mut phone] {
        assert_eq!(client.expect("DIRECT_MESSAGE").await, heard);
        client.quiet().await;
    }
    for client in [&mut ann, &mut cid, &mut guest] {
        client.quiet().await;
    }
    // A message to oneself arrives once.
    let own = json!({"toUserId": ann.user_id, "text": "note"});
    ann.send("SEND_DIRECT_MESSAGE", own).await;
    assert_eq!(ann.expect("DIRECT_MESSAGE").await["userId"], ann.user_id);
    ann.quiet().await;
}

/// The sender is the connection's own user, and no client message reaches another user's topic in
/// another way.
#[tokio::test]
async fn direct_messages_cannot_be_forged() {
    let chat = chat();
    let mut ann = Client::user(&chat, "Ann").await;
    let mut eve = Client::user(&chat, "Eve").await;
    ann.drain().await;
    let (to, direct) = (ann.user_id.clone(), "SEND_DIRECT_MESSAGE");
    // A forged sender, or the message in the form that the server sends.
    for extra in ["userId", "username", "fromUserId"] {
        eve.send(direct, json!({"toUserId": to, "text": "x", extra: "Bob"})).await;
        assert_eq!(eve.expect("ERROR").await["code"], "INVALID_ARGUMENT");
    }
    eve.send("DIRECT_MESSAGE", json!({"toUserId": to, "userId": "Bob", "text": "x"})).await;
    assert_eq!(eve.expect("ERROR").await["code"], "UNIMPLEMENTED");
    // A topic in place of a user or a room.
    let topic = format!("user:{to}");
    eve.send(direct, json!({"toUserId": topic, "text": "x"})).await;
    assert_eq!(eve.expect("ERROR").await["code"], "INVALID_ARGUMENT");
    eve.refused("JOIN_ROOM", json!({"roomId": topic}), "NOT_FOUND", &format!("Room {topic} does not exist")).await;
    let say = json!({"roomId": topic, "text": "x"});
    eve.refused("SEND_MESSAGE", say, "NOT_FOUND", &format!("Room {topic} does not exist")).await;
    ann.quiet().await;
    let mut guest = Client::guest(&chat).await;
    let say = json!({"toUserId": to, "text": "x"});
    guest.refused(direct, say, "UNAUTHENTICATED", "You must be authenticated to send messages").await;
    for (text, length) in [(String::new(), 0), ("é".repeat(1001), 1001)] {
        eve.send(direct, json!({"toUserId": to, "text": text})).await;
        assert_eq!(eve.expect("ERROR").await["details"]["issues"][0]["path"], "text", "{length}");
    }
    // Offline users get nothing, and neither do connections that changed to another user.
    let gone = "0190163d-8694-739b-aea5-966c26f8ad91";
    eve.refused(direct, json!({"toUserId": gone, "text": "x"}), "NOT_FOUND", "This person is not online").await;
    ann.sign_in(json!({"token": "another", "username": "Anna"})).await;
    eve.refused(direct, json!({"toUserId": to, "text": "x"}), "NOT_FOUND", "This person is not online").await;
}

#[tokio::test]
async fn rooms_are_created() {
    let chat = chat();
    let mut ann = Client::user(&chat, "Ann").await;
    let mut bob = Client::guest(&chat).await;
    bob.refused(
        "CREATE_ROOM",
        json!({"name": "Garden"}),
        "UNAUTHENTICATED",
        "You must be authenticated to create a room",
    )
    .await;
    for name in [String::new(), "é".repeat(41), " Garden".into(), "Gar\nden".into()] {
        ann.send("CREATE_ROOM", json!({"name": name})).await;
        assert_eq!(ann.expect("ERROR").await["details"]["issues"][0]["path"], "name", "{name:?}");
    }
    ann.send("CREATE_ROOM", json!({"name": "Garden"})).await;
    let created = ann.expect("ROOM_CREATED").await;
    assert_eq!(created["name"], "Garden");
    let id = created["roomId"].as_str().unwrap();
    for client in [&mut ann, &mut bob] {
        let list = client.expect("ROOM_LIST").await;
        assert_eq!(list["rooms"][2], json!({"id": id, "name": "Garden", "userCount": 0}));
    }
    ann.refused("CREATE_ROOM", json!({"name": "garden"}), "ALREADY_EXISTS", "There is a room of that name").await;
    let mut cid = Client::member(&chat, "Cid", id).await;
    assert_eq!(counts(&ann.expect("ROOM_LIST").await), [0, 0, 1]);
    cid.send("SEND_MESSAGE", json!({"roomId": id, "text": "green"})).await;
    assert_eq!(cid.until("CHAT_MESSAGE").await["roomId"], *id);
    // Up to 100 in total.
    for n in 3..100 {
        ann.send("CREATE_ROOM", json!({"name": format!("Room {n}")})).await;
        ann.until("ROOM_CREATED").await;
    }
    ann.drain().await;
    ann.refused("CREATE_ROOM", json!({"name": "One more"}), "RESOURCE_EXHAUSTED", "There are too many rooms").await;
}
