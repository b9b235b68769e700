//! `examples/versioning` over real sockets: row 003-9 of the checklist.

use serde_json::{Value, json};
use switchboard_tests::client::Server;

fn start() -> Server {
    Server::start(versioning::app())
}

#[tokio::test]
async fn old_payloads_are_migrated_to_the_new_version() {
    let server = start();
    let (mut old, mut new) = (server.connect("/ws").await, server.connect("/ws").await);
    let migrated = json!({ "name": "Ann", "email": "ann@example.com", "version": 2 });
    for payload in [
        json!({ "name": "Ann", "email": "ann@example.com" }),
        json!({ "name": "Ann", "email": "ann@example.com", "version": 1 }),
        migrated.clone(),
    ] {
        old.send("USER_UPDATE", payload).await;
        for client in [&mut old, &mut new] {
            assert_eq!(client.expect("USER_UPDATE").await, migrated);
        }
    }
    let with_avatar =
        json!({ "name": "Ann", "email": "ann@example.com", "avatar": "https://example.com/a.png", "version": 2 });
    new.send("USER_UPDATE", with_avatar.clone()).await;
    for client in [&mut old, &mut new] {
        assert_eq!(client.expect("USER_UPDATE").await, with_avatar);
    }
}

#[tokio::test]
async fn both_versions_are_checked_strictly() {
    let server = start();
    let mut client = server.connect("/ws").await;
    let ann = |more: Value| {
        let mut payload = json!({ "name": "Ann", "email": "ann@example.com" });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payload
    };
    for (payload, path, code) in [
        (json!({ "email": "ann@example.com" }), "name", "missing_field"),
        (json!({ "name": "Ann", "version": 2 }), "email", "missing_field"),
        (ann(json!({ "name": "" })), "name", "length"),
        (ann(json!({ "email": "ann" })), "email", "email"),
        (ann(json!({ "email": "ann", "version": 2 })), "email", "email"),
        (ann(json!({ "avatar": "https://example.com/a.png" })), "avatar", "unknown_field"),
        (ann(json!({ "avatar": "https://example.com/a.png", "version": 1 })), "avatar", "unknown_field"),
        (ann(json!({ "avatar": "a.png", "version": 2 })), "avatar", "url"),
        (ann(json!({ "avatar": 1, "version": 2 })), "avatar", "type"),
        (ann(json!({ "version": 3 })), "version", "range"),
        (ann(json!({ "version": 0 })), "version", "range"),
        (ann(json!({ "version": "2" })), "version", "type"),
        (ann(json!({ "phone": "1", "version": 2 })), "phone", "unknown_field"),
    ] {
        client.send("USER_UPDATE", payload.clone()).await;
        let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
        let issues = error["details"]["issues"].as_array().unwrap();
        let found: Vec<_> = issues.iter().map(|issue| (&issue["path"], &issue["code"])).collect();
        assert_eq!(found, [(&json!(path), &json!(code))], "{payload} {error}");
    }
}
