//! Messages in a room, its history, and typing notices.

use serde_json::{Value, json};

use super::{chat, client::Client};

#[tokio::test]
async fn only_members_of_a_room_send_to_it() {
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
async fn messages_reach_the_room_or_are_refused() {
    let chat = chat();
    let mut ann = Client::guest(&chat).await;
    let to = |room: &str| json!({"roomId": room, "text": "hi"});
    ann.refused("SEND_MESSAGE", to("general"), "UNAUTHENTICATED", "You must be authenticated to send messages").await;
    ann.sign_in(json!({"token": "a", "username": "Ann"})).await;
    ann.refused("SEND_MESSAGE", to("attic"), "NOT_FOUND", "Room attic does not exist").await;
    let not_there = "You must join the room before sending messages";
    ann.refused("SEND_MESSAGE", to("general"), "PERMISSION_DENIED", not_there).await;
    ann.send("JOIN_ROOM", json!({"roomId": "general"})).await;
    ann.until("ROOM_LIST").await;
    ann.refused("SEND_MESSAGE", to("random"), "PERMISSION_DENIED", not_there).await;

    let mut bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;
    // Not trimmed, not escaped.
    let text = "  <b>\"hi\"</b> \u{1f44b}\r\n\t\u{0} ";
    let attachment = json!({"type": "file", "url": "http://a.example/x?y=1#z"});
    ann.send("SEND_MESSAGE", json!({"roomId": "general", "text": text, "attachment": attachment})).await;
    let message = ann.expect("CHAT_MESSAGE").await;
    assert_eq!(bob.expect("CHAT_MESSAGE").await, message);
    assert!(message["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    assert!(!message["messageId"].as_str().unwrap().is_empty());
    let expected = json!({
        "messageId": message["messageId"], "roomId": "general", "userId": ann.user_id, "username": "Ann",
        "text": text, "timestamp": message["timestamp"], "attachment": attachment,
    });
    assert_eq!(message, expected);
    bob.send("SEND_MESSAGE", json!({"roomId": "general", "text": "plain"})).await;
    let plain = ann.expect("CHAT_MESSAGE").await;
    assert!(plain.get("attachment").is_none() && plain["messageId"] != message["messageId"]);
}

#[tokio::test]
async fn a_new_member_gets_the_last_50_messages() {
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
async fn each_message_is_validated() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let message = |attachment: Value| json!({"roomId": "general", "text": "x", "attachment": attachment});
    let link = |url: &str| message(json!({"type": "file", "url": url}));
    let long = |n| "é".repeat(n);
    for (kind, payload, path, code) in [
        ("AUTHENTICATE", json!({}), "token", "missing_field"),
        ("AUTHENTICATE", json!({"token": ""}), "token", "length"),
        ("AUTHENTICATE", json!({"token": long(129)}), "token", "length"),
        ("AUTHENTICATE", json!({"token": "t", "username": ""}), "username", "length"),
        ("AUTHENTICATE", json!({"token": "t", "username": long(21)}), "username", "length"),
        ("AUTHENTICATE", json!({"token": "t", "userName": "x"}), "userName", "unknown_field"),
        ("JOIN_ROOM", json!({"roomId": ""}), "roomId", "length"),
        ("JOIN_ROOM", json!({"roomId": long(65)}), "roomId", "length"),
        ("JOIN_ROOM", json!({"roomId": "general", "username": ""}), "username", "length"),
        ("JOIN_ROOM", json!({"roomId": "general", "username": long(21)}), "username", "length"),
        ("LEAVE_ROOM", json!({"roomId": 1}), "roomId", "type"),
        ("SEND_MESSAGE", json!({"roomId": "general", "text": ""}), "text", "length"),
        ("SEND_MESSAGE", json!({"roomId": "general", "text": long(1001)}), "text", "length"),
        ("SEND_MESSAGE", message(json!({"type": "video", "url": "https://a.example"})), "attachment.type", "enum"),
        ("SEND_MESSAGE", message(json!({"type": "image"})), "attachment.url", "missing_field"),
        ("SEND_MESSAGE", link("javascript:alert(1)"), "attachment.url", "url"),
        ("SEND_MESSAGE", link("data:text/html,x"), "attachment.url", "url"),
        ("SEND_MESSAGE", link("ftp://a.example"), "attachment.url", "url"),
        ("SEND_MESSAGE", link("https://"), "attachment.url", "url"),
        ("SEND_MESSAGE", link("a.example"), "attachment.url", "url"),
        ("SEND_MESSAGE", link(&format!("https://a.example/{}", long(1983))), "attachment.url", "length"),
        (
            "SEND_MESSAGE",
            message(json!({"type": "file", "url": "https://a.example", "name": long(101)})),
            "attachment.name",
            "length",
        ),
        ("TYPING_START", json!({"roomId": ""}), "roomId", "length"),
        ("TYPING_STOP", json!({}), "roomId", "missing_field"),
    ] {
        ann.send(kind, payload).await;
        let error = ann.expect("ERROR").await;
        assert_eq!(error["code"], "INVALID_ARGUMENT");
        let issues = error["details"]["issues"].as_array().unwrap();
        let found: Vec<_> = issues.iter().map(|issue| (&issue["path"], &issue["code"])).collect();
        assert_eq!(found, [(&json!(path), &json!(code))], "{kind} {error}");
    }
    // The longest allowed texts, in characters.
    let attachment =
        json!({"type": "image", "url": format!("HTTPS://a.example/{}", "y".repeat(1982)), "name": long(100)});
    let longest = json!({"roomId": "general", "text": long(1000), "attachment": attachment});
    ann.send("SEND_MESSAGE", longest).await;
    assert_eq!(ann.expect("CHAT_MESSAGE").await["attachment"], attachment);
    let mut longest = Client::guest(&chat).await;
    assert_eq!(longest.sign_in(json!({"token": long(128), "username": long(20)})).await, long(20));
}

#[tokio::test]
async fn typing_notices_reach_the_others_in_the_room() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    let mut cleo = Client::member(&chat, "Cleo", "random").await;
    let mut guest = Client::guest(&chat).await;
    ann.drain().await;
    bob.drain().await;
    for (kind, typing) in [("TYPING_START", true), ("TYPING_STOP", false)] {
        bob.send(kind, json!({"roomId": "general"})).await;
        let notice = json!({"roomId": "general", "userId": bob.user_id, "username": "Bob", "typing": typing});
        assert_eq!(ann.expect("USER_TYPING").await, notice);
        bob.quiet().await;
        // No effect in other rooms, not even an error.
        for outsider in [&mut cleo, &mut guest] {
            for room in ["general", "attic"] {
                outsider.send(kind, json!({"roomId": room})).await;
            }
            outsider.quiet().await;
        }
        ann.quiet().await;
    }
}
