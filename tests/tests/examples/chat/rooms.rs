//! Rooms: joining, leaving and losing the connection.

use futures_util::future::join_all;
use serde_json::json;

use super::{chat, client::Client, counts, get};

#[tokio::test]
async fn a_new_member_gets_the_room_and_the_others_get_the_member() {
    let chat = chat();
    let mut ann = Client::user(&chat, "Ann").await;
    ann.send("JOIN_ROOM", json!({"roomId": "general", "username": "Anna"})).await;
    assert_eq!(ann.expect("JOIN_SUCCESS").await, json!({"roomId": "general", "userCount": 1}));
    ann.expect("HISTORY").await;
    let joined = ann.expect("USER_JOINED").await;
    assert_eq!((&joined["username"], &joined["userCount"]), (&json!("Anna"), &json!(1)));
}

#[tokio::test]
async fn joining_is_ordered_or_refused() {
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

    // A second join returns the state of the room, and the others are not notified.
    bob.send("JOIN_ROOM", general).await;
    assert_eq!(bob.drain_types().await, joined[..2]);
    ann.quiet().await;

    // Joining another room leaves the old one first.
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

/// However many join and leave at once, the last published counts are right.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_are_right_when_many_join_at_once() {
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
    // Two users who left at the same time may both cause the same counts.
    for frame in watcher.drain().await {
        assert_eq!((&frame["type"], counts(&frame["payload"])), (&json!("ROOM_LIST"), vec![1, 0]), "{frame}");
    }
}

#[tokio::test]
async fn a_leaving_member_is_unsubscribed_before_the_others_are_notified() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;
    bob.send("LEAVE_ROOM", json!({"roomId": "general"})).await;
    // Unsubscribed first, so that only the remaining members get the message.
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
async fn leaving_may_be_refused() {
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
async fn a_closed_connection_leaves_its_room() {
    let chat = chat();
    let mut ann = Client::member(&chat, "Ann", "general").await;
    let mut bob = Client::member(&chat, "Bob", "general").await;
    ann.drain().await;
    bob.close(1000).await;
    assert_eq!(ann.expect("USER_LEFT").await["userCount"], 1);
    assert_eq!(ann.expect("USER_DISCONNECTED").await, json!({"userCount": 1}));
}

#[tokio::test]
async fn a_lost_connection_leaves_its_room() {
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
    // A client without a room leaves without a message.
    Client::user(&chat, "Cleo").await.close(1000).await;
    ann.quiet().await;
}

#[tokio::test]
async fn three_members_get_each_others_messages() {
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
