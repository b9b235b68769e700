//! Rows 002 of the checklist.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{chat, client::Client, counts, get};

#[tokio::test]
async fn row_002_14_schemas() {
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
    // The longest that are allowed, in characters.
    let attachment =
        json!({"type": "image", "url": format!("HTTPS://a.example/{}", "y".repeat(1982)), "name": long(100)});
    let longest = json!({"roomId": "general", "text": long(1000), "attachment": attachment});
    ann.send("SEND_MESSAGE", longest).await;
    assert_eq!(ann.expect("CHAT_MESSAGE").await["attachment"], attachment);
    let mut longest = Client::guest(&chat).await;
    assert_eq!(longest.sign_in(json!({"token": long(128), "username": long(20)})).await, long(20));
}

#[tokio::test]
async fn row_002_15_store() {
    let chat = chat();
    let list = Client::connect(&chat).await.until("ROOM_LIST").await;
    assert_eq!(
        list,
        json!({"rooms": [
            {"id": "general", "name": "General Chat", "userCount": 0},
            {"id": "random", "name": "Random Stuff", "userCount": 0},
        ]})
    );
    // A token is one person, now and later.
    let mut ann = Client::user(&chat, "Ann").await;
    let id = ann.user_id.clone();
    ann.close(1000).await;
    let mut back = Client::guest(&chat).await;
    assert_eq!(back.sign_in(json!({"token": "token of Ann"})).await, "Ann");
    assert_eq!(back.user_id, id);
}

/// The same person in two tabs counts once, and leaves with the last of them.
#[tokio::test]
async fn row_002_15_same_person_twice() {
    let chat = chat();
    let mut bob = Client::member(&chat, "Bob", "general").await;
    let mut first = Client::member(&chat, "Ann", "general").await;
    bob.drain().await;
    let mut second = Client::user(&chat, "Ann").await;
    assert_eq!(second.user_id, first.user_id);
    second.send("JOIN_ROOM", json!({"roomId": "general"})).await;
    assert_eq!(second.expect("JOIN_SUCCESS").await["userCount"], 2);
    second.expect("HISTORY").await;
    assert_eq!(second.expect("ROOM:USERS").await["count"], 2);
    second.quiet().await;

    second.send("TYPING_START", json!({"roomId": "general"})).await;
    assert_eq!(bob.expect("USER_TYPING").await["userId"], first.user_id);
    first.expect("USER_TYPING").await;
    first.send("SEND_MESSAGE", json!({"roomId": "general", "text": "both"})).await;
    second.expect("CHAT_MESSAGE").await;
    first.expect("CHAT_MESSAGE").await;
    bob.expect("CHAT_MESSAGE").await;

    first.send("LEAVE_ROOM", json!({"roomId": "general"})).await;
    first.quiet().await;
    bob.quiet().await;
    assert_eq!(get(&chat, "/stats").await["usersOnline"], 2);
    second.close(1000).await;
    assert_eq!(bob.expect("USER_LEFT").await["userCount"], 1);
    assert_eq!(bob.expect("USER_DISCONNECTED").await["userCount"], 1);
    assert_eq!(get(&chat, "/stats").await["usersOnline"], 2);
}

#[tokio::test]
async fn row_002_16_open() {
    let chat = chat();
    let mut a = Client::connect(&chat).await;
    let name = a.expect("WELCOME").await["username"].as_str().unwrap().to_owned();
    assert!(name.strip_prefix("Guest-").unwrap().parse::<u64>().is_ok(), "{name}");
    assert_eq!(counts(&a.expect("ROOM_LIST").await), [0, 0]);
    let mut b = Client::connect(&chat).await;
    assert_ne!(b.expect("WELCOME").await["username"], name);
    // From then on, whenever a count changes, signed in or not.
    let _ann = Client::member(&chat, "Ann", "random").await;
    assert_eq!(counts(&a.expect("ROOM_LIST").await), [0, 1]);
}

#[tokio::test]
async fn row_002_17_authenticate() {
    let chat = chat();
    let mut ann = Client::connect(&chat).await;
    let guest_name = ann.expect("WELCOME").await["username"].as_str().unwrap().to_owned();
    ann.expect("ROOM_LIST").await;
    assert_eq!(ann.sign_in(json!({"token": "a"})).await, guest_name);
    let id = ann.user_id.clone();
    ann.send("JOIN_ROOM", json!({"roomId": "general"})).await;
    ann.until("ROOM_LIST").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;

    // A new name: the same person, still in the room.
    assert_eq!(ann.sign_in(json!({"token": "a", "username": "Ann"})).await, "Ann");
    assert_eq!(ann.user_id, id);
    let users = ann.expect("ROOM:USERS").await;
    assert_eq!(users["users"][0], json!({"userId": id, "username": "Ann"}));
    assert_eq!(bob.expect("ROOM:USERS").await, users);
    // The same name again is no news.
    ann.sign_in(json!({"token": "a", "username": "Ann"})).await;
    bob.quiet().await;

    // Renamed by another connection that is in no room.
    let mut other = Client::guest(&chat).await;
    other.sign_in(json!({"token": "a", "username": "Anna"})).await;
    assert_eq!(bob.expect("ROOM:USERS").await["users"][0]["username"], "Anna");

    // Another token is another person, who is not in the room.
    ann.drain().await;
    ann.send("AUTHENTICATE", json!({"token": "c", "username": "Cleo"})).await;
    assert_eq!(ann.expect("USER_LEFT").await["userId"], id);
    assert_ne!(ann.until("AUTH_SUCCESS").await["userId"], id);
    assert_eq!(bob.expect("USER_LEFT").await["userId"], id);
    ann.refused("LEAVE_ROOM", json!({"roomId": "general"}), "INVALID_ARGUMENT", "You are not in this room").await;
}

#[tokio::test]
async fn row_002_18_join() {
    let chat = chat();
    let mut ann = Client::guest(&chat).await;
    let general = json!({"roomId": "general"});
    ann.refused("JOIN_ROOM", general.clone(), "UNAUTHENTICATED", "You must be authenticated to join a room").await;
    ann.sign_in(json!({"token": "a", "username": "Ann"})).await;
    ann.refused("JOIN_ROOM", json!({"roomId": "attic"}), "NOT_FOUND", "Room attic does not exist").await;
    ann.send("JOIN_ROOM", general.clone()).await;
    let joined = ["JOIN_SUCCESS", "HISTORY", "USER_JOINED", "ROOM:USERS", "ROOM_LIST"];
    for expected in joined {
        ann.expect(expected).await;
    }

    let mut bob = Client::member(&chat, "Bob", "general").await;
    assert_eq!(ann.drain_types().await, joined[2..]);

    // Again: told where it is, and nobody notices.
    bob.send("JOIN_ROOM", general).await;
    assert_eq!(bob.drain_types().await, joined[..2]);
    ann.quiet().await;

    // Elsewhere: out of the old room first.
    bob.send("JOIN_ROOM", json!({"roomId": "random"})).await;
    let moved = ["USER_LEFT", "ROOM_LIST", "JOIN_SUCCESS", "HISTORY", "USER_JOINED", "ROOM:USERS", "ROOM_LIST"];
    assert_eq!(bob.drain_types().await, moved);
    assert_eq!(ann.expect("USER_LEFT").await["userCount"], 1);
    assert_eq!(ann.expect("ROOM:USERS").await["count"], 1);
    assert_eq!(counts(&ann.expect("ROOM_LIST").await), [1, 0]);
    assert_eq!(counts(&ann.expect("ROOM_LIST").await), [1, 1]);
    ann.send("SEND_MESSAGE", json!({"roomId": "general", "text": "gone?"})).await;
    ann.expect("CHAT_MESSAGE").await;
    bob.quiet().await;
}

/// Whatever the order in which many come and go at once, what is published last is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_002_18_at_the_same_time() {
    let chat = chat();
    let mut watcher = Client::member(&chat, "Watcher", "general").await;
    let names: Vec<_> = (0..16).map(|n| format!("user {n}")).collect();
    let mut users = join_all(names.iter().map(|name| Client::user(&chat, name))).await;
    let come_and_go = |mut user: Client, n: usize| async move {
        for room in ["general", "random", "general", "random", "general"] {
            user.send("JOIN_ROOM", json!({"roomId": room})).await;
        }
        if n.is_multiple_of(2) {
            user.send("LEAVE_ROOM", json!({"roomId": "general"})).await;
        }
        user.drain().await;
        user
    };
    let tasks = users.drain(..).enumerate().map(|(n, user)| tokio::spawn(come_and_go(user, n)));
    let users: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let frames = watcher.drain().await;
    let last = |kind: &str| &frames.iter().rfind(|frame| frame["type"] == kind).unwrap()["payload"];
    assert_eq!(counts(last("ROOM_LIST")), [9, 0]);
    assert_eq!(
        (last("ROOM:USERS")["count"].as_u64(), last("ROOM:USERS")["users"].as_array().unwrap().len()),
        (Some(9), 9)
    );
    assert_eq!(get(&chat, "/stats").await["rooms"][0]["userCount"], 9);
    for mut user in users {
        user.close(1000).await;
    }
    while counts(&watcher.until("ROOM_LIST").await) != [1, 0] {}
    // Two who left at the same time may both tell the same counts.
    for frame in watcher.drain().await {
        assert_eq!((&frame["type"], counts(&frame["payload"])), (&json!("ROOM_LIST"), vec![1, 0]), "{frame}");
    }
}

#[tokio::test]
async fn row_002_19_leave() {
    let chat = chat();
    let mut ann = Client::guest(&chat).await;
    let general = json!({"roomId": "general"});
    ann.refused("LEAVE_ROOM", general.clone(), "UNAUTHENTICATED", "You must be authenticated to leave a room").await;
    ann.sign_in(json!({"token": "a"})).await;
    ann.refused("LEAVE_ROOM", general.clone(), "INVALID_ARGUMENT", "You are not in this room").await;
    ann.send("JOIN_ROOM", general.clone()).await;
    ann.drain().await;
    ann.refused("LEAVE_ROOM", json!({"roomId": "random"}), "INVALID_ARGUMENT", "You are not in this room").await;
    ann.send("LEAVE_ROOM", general.clone()).await;
    assert_eq!(ann.drain_types().await, ["ROOM_LIST"]);
    ann.refused("LEAVE_ROOM", general, "INVALID_ARGUMENT", "You are not in this room").await;
}

#[tokio::test]
async fn row_002_20_send() {
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
async fn row_002_21_typing() {
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
        // Nothing comes of it elsewhere, not even an error.
        for outsider in [&mut cleo, &mut guest] {
            for room in ["general", "attic"] {
                outsider.send(kind, json!({"roomId": room})).await;
            }
            outsider.quiet().await;
        }
        ann.quiet().await;
    }
}

#[tokio::test]
async fn row_002_22_close() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;
    // Lost rather than closed: no close frame.
    drop(bob.socket);
    assert_eq!(
        ann.expect("USER_LEFT").await,
        json!({"roomId": "general", "userId": bob.user_id, "username": "Bob", "userCount": 1})
    );
    assert_eq!(ann.expect("USER_DISCONNECTED").await, json!({"userCount": 1}));
    assert_eq!(ann.expect("ROOM:USERS").await["count"], 1);
    assert_eq!(counts(&ann.expect("ROOM_LIST").await), [1, 0]);
    // Who was in no room goes without a word.
    Client::user(&chat, "Cleo").await.close(1000).await;
    ann.quiet().await;
}

#[tokio::test]
async fn row_002_23_page_and_socket() {
    let chat = chat();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/composer.js", "text/javascript; charset=utf-8"),
        ("/connection.js", "text/javascript; charset=utf-8"),
        ("/dialogs.js", "text/javascript; charset=utf-8"),
        ("/messages.js", "text/javascript; charset=utf-8"),
        ("/outbox.js", "text/javascript; charset=utf-8"),
        ("/storage.js", "text/javascript; charset=utf-8"),
        ("/typing.js", "text/javascript; charset=utf-8"),
        ("/view.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let response = reqwest::get(format!("http://{}{path}", chat.addr)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        for (name, value) in [
            ("content-type", content_type),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(response.headers()[name], value, "{path}");
        }
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    }
    // Compressed for those who ask for it.
    let client = reqwest::Client::new();
    let request = client.get(format!("http://{}/app.js", chat.addr)).header("accept-encoding", "gzip");
    assert_eq!(request.send().await.unwrap().headers()["content-encoding"], "gzip");
    Client::user(&chat, "Ann").await;
}
