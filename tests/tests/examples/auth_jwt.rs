//! `examples/auth-jwt` over real sockets, one test per row of the checklist.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_jwt::Options;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use switchboard_tests::client::{Client, Server};

const SECRET: &str = "a secret of thirty-two bytes or more";

fn server() -> Server {
    Server::start(Options::new().secret(SECRET).router())
}

/// Requests a token from the application.
async fn token(server: &Server, name: &str) -> String {
    let credentials = json!({ "username": name, "password": format!("{name}-secret") });
    let (status, issued) = server.http("POST", "/token", Some(credentials)).await;
    assert_eq!(status, 200);
    issued["token"].as_str().unwrap().to_owned()
}

/// Creates a token by hand.
fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Value {
    json!({ "userId": "u-eve", "username": "eve", "roles": ["admin"], "exp": now() + 60 })
}

/// Returns invalid tokens.
fn bad_tokens() -> Vec<(&'static str, String)> {
    let good = signed(Algorithm::HS256, SECRET, &claims());
    let (signed_part, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed_part.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let mut expired = claims();
    expired["exp"] = json!(now() - 1);
    let mut endless = claims();
    endless["exp"] = json!("never");
    vec![
        ("no token at all", "x".into()),
        ("alg none", format!("{none}.{payload}.")),
        ("alg none with the signature", format!("{none}.{payload}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("another algorithm", signed(Algorithm::HS384, SECRET, &claims())),
        ("another secret", signed(Algorithm::HS256, "another secret of thirty-two bytes", &claims())),
        ("expired", signed(Algorithm::HS256, SECRET, &expired)),
        ("exp is no number", signed(Algorithm::HS256, SECRET, &endless)),
        ("no exp", signed(Algorithm::HS256, SECRET, &json!({ "userId": "u-eve", "username": "eve" }))),
        (
            "no such role",
            signed(
                Algorithm::HS256,
                SECRET,
                &json!({ "userId": "u", "username": "u", "roles": ["god"], "exp": now() + 60 }),
            ),
        ),
    ]
}

/// Returns the user of the connection. No message may arrive before.
async fn me(client: &mut Client) -> Value {
    client.text(r#"{"type":"WHO_AM_I","meta":{"correlationId":"me"}}"#).await;
    client.expect("ME").await
}

fn anonymous() -> Value {
    json!({ "userId": "anon", "username": "Anonymous", "roles": [], "authenticated": false })
}

fn bob() -> Value {
    json!({ "userId": "u-bob", "username": "bob", "roles": ["user"], "authenticated": true })
}

async fn in_band(server: &Server, name: &str) -> Client {
    let token = token(server, name).await;
    let mut client = server.connect("/ws").await;
    client.send("AUTH", json!({ "token": token })).await;
    client.expect("AUTH_SUCCESS").await;
    client
}

async fn at_upgrade(server: &Server, path: &str, name: &str) -> Client {
    let header = format!("Bearer {}", token(server, name).await);
    server.upgrade(path, &[("authorization", &header)]).await.unwrap()
}

#[tokio::test]
async fn data_of_a_connection_is_anonymous_until_it_authenticates() {
    let server = server();
    let mut client = server.connect("/ws").await;
    assert_eq!(me(&mut client).await, json!({ "user": anonymous(), "topics": [] }));
    client.send("AUTH", json!({ "token": token(&server, "mia").await })).await;
    client.expect("AUTH_SUCCESS").await;
    let user = json!({ "userId": "u-mia", "username": "mia", "roles": ["user", "moderator"], "authenticated": true });
    assert_eq!(me(&mut client).await["user"], user);
}

#[tokio::test]
async fn a_connection_that_does_not_authenticate_is_closed_after_five_seconds() {
    let in_five_seconds = async {
        let server = Server::start(auth_jwt::app());
        let begin = Instant::now();
        let mut client = server.connect("/ws").await;
        assert_eq!(client.expect_close().await, (1008, "Authentication required".to_owned()));
        assert!(begin.elapsed() >= Duration::from_millis(4900), "{:?}", begin.elapsed());
    };
    let sooner = async {
        let options = Options::new().identify_timeout(Duration::from_millis(500));
        let server = Server::start(options.router());
        let mut known = in_band(&server, "bob").await;
        let mut unknown = server.connect("/ws").await;
        assert_eq!(unknown.expect_close().await, (1008, "Authentication required".to_owned()));
        assert_eq!(me(&mut known).await["user"], bob());
    };
    tokio::join!(in_five_seconds, sooner);
}

#[tokio::test]
async fn a_token_in_a_message_sets_the_data_and_topics() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.send("AUTH", json!({ "token": token(&server, "ann").await })).await;
    let success = json!({ "userId": "u-ann", "username": "ann", "roles": ["user", "admin"] });
    assert_eq!(client.expect("AUTH_SUCCESS").await, success);
    assert_eq!(me(&mut client).await["topics"], json!(["user:u-ann", "role:user", "role:admin"]));

    // Roles that the token does not contain.
    let plain = signed(Algorithm::HS256, SECRET, &json!({ "userId": "u-ann", "username": "ann", "exp": now() + 60 }));
    client.send("AUTH", json!({ "token": plain })).await;
    assert_eq!(client.expect("AUTH_SUCCESS").await["roles"], json!(["user"]));
    assert_eq!(me(&mut client).await["topics"], json!(["user:u-ann", "role:user"]));

    // Another user's token changes nothing.
    client.send("AUTH", json!({ "token": token(&server, "bob").await })).await;
    client.expect_error("ERROR", "PERMISSION_DENIED").await;
    assert_eq!(me(&mut client).await["user"]["userId"], "u-ann");
}

#[tokio::test]
async fn a_bad_token_in_a_message_closes_the_connection() {
    let server = server();
    for (why, token) in bad_tokens() {
        let mut client = server.connect("/ws").await;
        client.send("AUTH", json!({ "token": token })).await;
        let error = client.expect_error("ERROR", "UNAUTHENTICATED").await;
        assert_eq!(error["message"], "Invalid token", "{why}");
        assert_eq!(client.expect_close().await, (1008, "Invalid token".to_owned()), "{why}");
    }
}

#[tokio::test]
async fn the_token_does_not_choose_its_algorithm() {
    let server = server();
    for (why, token) in bad_tokens() {
        let header = format!("Bearer {token}");
        let refusal = server.upgrade("/secure", &[("authorization", &header)]).await.unwrap_err();
        assert_eq!(refusal.status, 401, "{why}");
    }
}

#[tokio::test]
async fn a_token_that_expires_ends_the_connection() {
    let server = server();
    let claims = json!({ "userId": "u-bob", "username": "bob", "exp": now() + 2 });
    let mut client = server.connect("/ws").await;
    client.send("AUTH", json!({ "token": signed(Algorithm::HS256, SECRET, &claims) })).await;
    client.expect("AUTH_SUCCESS").await;
    assert_eq!(client.expect_close().await.0, 4001);
}

#[tokio::test]
async fn only_admins_may_act_on_others() {
    let server = server();
    let action = |action: &str| json!({ "action": action, "targetUserId": "u-bob", "reason": "enough" });
    let mut stranger = server.connect("/ws").await;
    stranger.send("ADMIN_ACTION", action("kick")).await;
    assert_eq!(stranger.expect_error("ERROR", "UNAUTHENTICATED").await["message"], "Not authenticated");

    let mut bob = in_band(&server, "bob").await;
    bob.send("ADMIN_ACTION", action("kick")).await;
    assert_eq!(bob.expect_error("ERROR", "PERMISSION_DENIED").await["message"], "Admin access required");

    let mut ann = in_band(&server, "ann").await;
    ann.send("ADMIN_ACTION", action("promote")).await;
    ann.expect_error("ERROR", "INVALID_ARGUMENT").await;
    ann.send("ADMIN_ACTION", action("mute")).await;
    assert_eq!(ann.expect("ADMIN_ACTION_SUCCESS").await, json!({ "action": "mute", "targetUserId": "u-bob" }));
    assert_eq!(bob.expect("MUTED").await, json!({ "reason": "enough" }));

    let mut elsewhere = at_upgrade(&server, "/secure", "bob").await;
    ann.send("ADMIN_ACTION", action("kick")).await;
    assert_eq!(ann.expect("ADMIN_ACTION_SUCCESS").await, json!({ "action": "kick", "targetUserId": "u-bob" }));
    for client in [&mut bob, &mut elsewhere] {
        assert_eq!(client.expect("KICKED").await, json!({ "reason": "enough" }));
        assert_eq!(client.expect_close().await.0, 4503);
    }
}

#[tokio::test]
async fn a_banned_user_cannot_authenticate_again() {
    let server = server();
    let token = token(&server, "bob").await;
    let mut bob = in_band(&server, "bob").await;
    let mut ann = in_band(&server, "ann").await;
    ann.send("ADMIN_ACTION", json!({ "action": "ban", "targetUserId": "u-bob" })).await;
    assert_eq!(ann.expect("ADMIN_ACTION_SUCCESS").await, json!({ "action": "ban", "targetUserId": "u-bob" }));
    assert_eq!(bob.expect_close().await.0, 4503);

    // The token is still valid, but the user is banned.
    let mut again = server.connect("/ws").await;
    again.send("AUTH", json!({ "token": token })).await;
    again.expect_error("ERROR", "PERMISSION_DENIED").await;
    assert_eq!(again.expect_close().await, (4403, "Banned".to_owned()));
    let refusal = server.upgrade(&format!("/secure?token={token}"), &[]).await.unwrap_err();
    assert_eq!(refusal.status, 403);
    let credentials = json!({ "username": "bob", "password": "bob-secret" });
    assert_eq!(server.http("POST", "/token", Some(credentials)).await.0, 403);
}

#[tokio::test]
async fn the_error_hook_sends_and_counts_errors() {
    let server = server();
    let mut client = server.connect("/ws").await;
    client.text(r#"{"type":"BREAK"}"#).await;
    assert_eq!(client.expect_error("ERROR", "INTERNAL").await["message"], "internal error");
    // Sent by the hook.
    assert_eq!(client.expect_error("ERROR", "INTERNAL").await["message"], "An error occurred");
    // The next message waits for the hook.
    me(&mut client).await;
    let id = client.headers["x-client-id"].to_str().unwrap();
    let expected = json!([{ "clientId": id, "messageType": "BREAK", "code": "INTERNAL" }]);
    assert_eq!(server.http("GET", "/errors", None).await.1, expected);
}

#[tokio::test]
async fn only_moderators_get_the_actions_of_moderators() {
    let server = server();
    let (mut ann, mut bob, mut mia) =
        (in_band(&server, "ann").await, in_band(&server, "bob").await, in_band(&server, "mia").await);
    let mut stranger = server.connect("/ws").await;
    for client in [&mut ann, &mut bob, &mut mia, &mut stranger] {
        let watching = client.request("WATCH_ROOM", "w", json!({ "roomId": "kitchen" })).await;
        assert_eq!((&watching["type"], &watching["payload"]), (&json!("WATCHING"), &json!({ "roomId": "kitchen" })));
    }
    let action = json!({ "roomId": "kitchen", "userId": "u-eve", "username": "eve", "action": "mute" });
    for client in [&mut bob, &mut stranger] {
        client.send("MOD_ACTION", action.clone()).await;
        let error = client.expect_error("ERROR", "PERMISSION_DENIED").await;
        assert_eq!(error["message"], "You don't have permission to perform moderator actions");
    }
    mia.send("MOD_ACTION", action.clone()).await;
    for client in [&mut ann, &mut mia] {
        assert_eq!(client.expect("MOD_ACTION").await, action);
    }
    // The others get nothing, although they watch the room.
    for client in [&mut bob, &mut stranger] {
        me(client).await;
    }
}

#[tokio::test]
async fn authentication_is_optional_only_on_the_optional_route() {
    let server = server();
    // With "optional", a refusal is explicit; elsewhere, no user is a refusal.
    assert_eq!(server.upgrade("/secure", &[]).await.unwrap_err().status, 401);
    let mut client = server.connect("/optional").await;
    assert_eq!(me(&mut client).await["user"], anonymous());
}

#[tokio::test]
async fn anonymous_clients_are_stopped_before_any_handler() {
    let server = server();
    let mut bob = at_upgrade(&server, "/optional", "bob").await;
    let mut stranger = server.connect("/optional").await;
    stranger.send("ADMIN_ACTION", json!({ "action": "mute", "targetUserId": "u-bob" })).await;
    assert_eq!(stranger.expect_error("ERROR", "UNAUTHENTICATED").await["message"], "Authentication required");
    // One error, and no other message.
    me(&mut stranger).await;
    me(&mut bob).await;
}

#[tokio::test]
async fn an_admins_handler_refuses_others() {
    let server = server();
    let mut bob = at_upgrade(&server, "/optional", "bob").await;
    bob.send("ADMIN_ACTION", json!({ "action": "mute", "targetUserId": "u-bob" })).await;
    assert_eq!(bob.expect_error("ERROR", "PERMISSION_DENIED").await["message"], "Admin access required");
    me(&mut bob).await;

    let mut ann = at_upgrade(&server, "/optional", "ann").await;
    ann.send("ADMIN_ACTION", json!({ "action": "mute", "targetUserId": "u-bob" })).await;
    ann.expect("ADMIN_ACTION_SUCCESS").await;
    assert_eq!(bob.expect("MUTED").await, json!({ "reason": "No reason provided" }));
    ann.send("ADMIN_ACTION", json!({ "action": "kick", "targetUserId": "u-bob" })).await;
    ann.expect("ADMIN_ACTION_SUCCESS").await;
    assert_eq!(bob.expect("KICKED").await, json!({ "reason": "No reason provided" }));
    assert_eq!(bob.expect_close().await.0, 4503);
}

#[tokio::test]
async fn an_invalid_token_is_anonymous_on_the_optional_route() {
    let server = server();
    let mut client = at_upgrade(&server, "/optional", "bob").await;
    assert_eq!(me(&mut client).await["user"], bob());
    let mut client = server.upgrade("/optional", &[("authorization", "Bearer nonsense")]).await.unwrap();
    assert_eq!(me(&mut client).await, json!({ "user": anonymous(), "topics": [] }));
    let mut client = server.connect("/optional").await;
    assert_eq!(me(&mut client).await["user"], anonymous());
}

#[tokio::test]
async fn a_failed_login_has_a_typed_error() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for (username, password, code, message) in [
        ("bob", "ann-secret", "UNAUTHENTICATED", "Invalid credentials"),
        ("eve", "eve-secret", "UNAUTHENTICATED", "Invalid credentials"),
        ("zoe", "zoe-secret", "INTERNAL", "Login failed"),
    ] {
        client.send("LOGIN", json!({ "username": username, "password": password })).await;
        assert_eq!(client.expect_error("ERROR", code).await["message"], message);
        if code == "INTERNAL" {
            // Sent by the hook `on_error`.
            client.expect_error("ERROR", code).await;
        }
    }
    client.send("LOGIN", json!({ "username": "bob" })).await;
    client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    client.send("LOGIN", json!({ "username": "bob", "password": "bob-secret" })).await;
    client.expect("AUTH_SUCCESS").await;
    assert_eq!(me(&mut client).await["user"], bob());
}

#[tokio::test]
async fn the_upgrade_is_refused_without_a_good_token() {
    let server = server();
    for path in ["/secure", "/secure?token=", "/secure?token=nonsense"] {
        assert_eq!(server.upgrade(path, &[]).await.unwrap_err().status, 401, "{path}");
    }
    let mut client = at_upgrade(&server, "/secure", "bob").await;
    assert_eq!(me(&mut client).await, json!({ "user": bob(), "topics": ["user:u-bob", "role:user"] }));
}

#[tokio::test]
async fn a_token_in_the_query_authenticates() {
    let server = server();
    let path = format!("/secure?token={}", token(&server, "ann").await);
    let mut client = server.connect(&path).await;
    let user = json!({ "userId": "u-ann", "username": "ann", "roles": ["user", "admin"], "authenticated": true });
    assert_eq!(me(&mut client).await["user"], user);
}

#[tokio::test]
async fn a_token_is_found_in_query_header_cookie_and_subprotocol() {
    let server = server();
    let token = token(&server, "bob").await;
    let query = format!("?token={token}");
    let (header, cookie, protocol) =
        (format!("Bearer {token}"), format!("theme=dark; auth_token={token}"), format!("bearer.{token}"));
    let modes = [
        (query.as_str(), vec![]),
        ("", vec![("authorization", header.as_str())]),
        ("", vec![("cookie", cookie.as_str())]),
        ("", vec![("sec-websocket-protocol", protocol.as_str())]),
    ];
    for (query, headers) in &modes {
        let mut client = server.upgrade(&format!("/secure{query}"), headers).await.unwrap();
        assert_eq!(me(&mut client).await["user"], bob(), "{headers:?}");
        let refusal = server.upgrade(&format!("/custom{query}"), headers).await.unwrap_err();
        assert_eq!(refusal.status, 401, "{headers:?}");
    }
    let mut client = server.upgrade("/custom", &[("x-auth-token", &token)]).await.unwrap();
    assert_eq!(me(&mut client).await["user"], bob());
    assert_eq!(server.upgrade("/secure", &[("x-auth-token", &token)]).await.unwrap_err().status, 401);
}

#[tokio::test]
async fn a_public_route_ignores_tokens() {
    let server = server();
    let path = format!("/public?token={}", token(&server, "bob").await);
    for path in ["/public", &path] {
        let mut client = server.connect(path).await;
        assert_eq!(me(&mut client).await, json!({ "topics": [] }));
    }
}
