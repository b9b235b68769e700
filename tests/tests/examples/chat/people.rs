//! The identity of users: guests, names and tokens.

use serde_json::json;

use super::{chat, client::Client, counts, get};

#[tokio::test]
async fn a_new_connection_is_welcomed_with_its_id() {
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
async fn a_guest_has_a_name_and_the_list_of_rooms() {
    let chat = chat();
    let mut a = Client::connect(&chat).await;
    let name = a.expect("WELCOME").await["username"].as_str().unwrap().to_owned();
    assert!(name.strip_prefix("Guest-").unwrap().parse::<u64>().is_ok(), "{name}");
    assert_eq!(counts(&a.expect("ROOM_LIST").await), [0, 0]);
    let mut b = Client::connect(&chat).await;
    assert_ne!(b.expect("WELCOME").await["username"], name);
    // Then after each change of a count, with or without authentication.
    let _ann = Client::member(&chat, "Ann", "random").await;
    assert_eq!(counts(&a.expect("ROOM_LIST").await), [0, 1]);
}

#[tokio::test]
async fn a_new_name_is_published_to_the_room() {
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

    // A new name: the same user, still in the room.
    assert_eq!(ann.sign_in(json!({"token": "a", "username": "Ann"})).await, "Ann");
    assert_eq!(ann.user_id, id);
    let users = ann.expect("ROOM:USERS").await;
    assert_eq!(users["users"][0], json!({"userId": id, "username": "Ann"}));
    assert_eq!(bob.expect("ROOM:USERS").await, users);
    // The same name again is not published.
    ann.sign_in(json!({"token": "a", "username": "Ann"})).await;
    bob.quiet().await;

    // Renamed by another connection that is in no room.
    let mut other = Client::guest(&chat).await;
    other.sign_in(json!({"token": "a", "username": "Anna"})).await;
    assert_eq!(bob.expect("ROOM:USERS").await["users"][0]["username"], "Anna");

    // Another token is another user, who is not in the room.
    ann.drain().await;
    ann.send("AUTHENTICATE", json!({"token": "c", "username": "Cleo"})).await;
    assert_eq!(ann.expect("USER_LEFT").await["userId"], id);
    assert_ne!(ann.until("AUTH_SUCCESS").await["userId"], id);
    assert_eq!(bob.expect("USER_LEFT").await["userId"], id);
    ann.refused("LEAVE_ROOM", json!({"roomId": "general"}), "INVALID_ARGUMENT", "You are not in this room").await;
}

/// A user in two tabs counts once, and leaves with the last of them.
#[tokio::test]
async fn two_tabs_of_a_user_count_once() {
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
async fn rooms_have_ids_and_users_have_tokens() {
    let chat = chat();
    let list = Client::connect(&chat).await.until("ROOM_LIST").await;
    assert_eq!(
        list,
        json!({"rooms": [
            {"id": "general", "name": "General Chat", "userCount": 0},
            {"id": "random", "name": "Random Stuff", "userCount": 0},
        ]})
    );
    // A token is one user, now and later.
    let mut ann = Client::user(&chat, "Ann").await;
    let id = ann.user_id.clone();
    ann.close(1000).await;
    let mut back = Client::guest(&chat).await;
    assert_eq!(back.sign_in(json!({"token": "token of Ann"})).await, "Ann");
    assert_eq!(back.user_id, id);
}
