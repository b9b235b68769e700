//! The page, its files, and the routes for monitoring.

use serde_json::json;

use super::{chat, client::Client, counts, get};

#[tokio::test]
async fn pages_and_sockets_share_a_port() {
    let chat = chat();
    for (path, status) in [("/", 200), ("/ws", 426), ("/nowhere", 404)] {
        assert_eq!(chat.http("GET", path, None).await.0, status, "{path}");
    }
    Client::guest(&chat).await;
}

#[tokio::test]
async fn the_page_and_its_files_are_served_with_safe_headers() {
    let chat = chat();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/composer.js", "text/javascript; charset=utf-8"),
        ("/client/chat.js", "text/javascript; charset=utf-8"),
        ("/client/validators.js", "text/javascript; charset=utf-8"),
        ("/client/switchboard-client.js", "text/javascript; charset=utf-8"),
        ("/connection.js", "text/javascript; charset=utf-8"),
        ("/dialogs.js", "text/javascript; charset=utf-8"),
        ("/ids.js", "text/javascript; charset=utf-8"),
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
    // Compressed if the client accepts it.
    let client = reqwest::Client::new();
    let request = client.get(format!("http://{}/app.js", chat.addr)).header("accept-encoding", "gzip");
    assert_eq!(request.send().await.unwrap().headers()["content-encoding"], "gzip");
    Client::user(&chat, "Ann").await;
}

#[tokio::test]
async fn stats_and_lists_of_members_follow_the_rooms() {
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
