//! Rows of the checklist that have no other place: one test each. `docs/checklist.md` maps all rows.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

use std::{fs, path::Path, sync::LazyLock};

use axum::{Router, extract};
use regex::Regex;
use serde_json::{Value, json};
use switchboard::{Conn, ErrorCode, Message, WsError, WsRouter, validator::ValidationError, ws_message, ws_payload};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

fn serve(ws: WsRouter) -> Server {
    Server::start(Router::new().route("/ws", ws_route(ws)))
}

/// What both ends of row 000-1 use.
mod shared {
    use switchboard::ws_message;

    #[ws_message("JOIN_ROOM")]
    pub(crate) struct JoinRoom {
        #[validate(length(min = 1, max = 20))]
        pub(crate) username: String,
    }

    #[ws_message("JOIN_SUCCESS")]
    #[derive(Debug, PartialEq)]
    pub(crate) struct JoinSuccess {
        pub(crate) user_count: usize,
    }
}

/// A client of ours writes and reads the server's own types.
#[tokio::test]
async fn one_declaration_for_both_ends() {
    use shared::{JoinRoom, JoinSuccess};

    async fn join(join: JoinRoom) -> Result<JoinSuccess, WsError> {
        match &*join.username {
            "Ann" => Ok(JoinSuccess { user_count: 1 }),
            _ => Err(WsError::permission_denied("only Ann")),
        }
    }
    async fn send<M: Message>(client: &mut Client, message: M) {
        message.validate().unwrap();
        client.send(M::TYPE, serde_json::to_value(message).unwrap()).await;
    }
    let server = serve(WsRouter::new().on(join));
    let mut client = server.connect("/ws").await;
    send(&mut client, JoinRoom { username: "Ann".into() }).await;
    let success: JoinSuccess = serde_json::from_value(client.expect(JoinSuccess::TYPE).await).unwrap();
    assert_eq!(success, JoinSuccess { user_count: 1 });
    send(&mut client, JoinRoom { username: "Bob".into() }).await;
    let error: WsError = serde_json::from_value(client.expect("ERROR").await).unwrap();
    assert_eq!((error.code(), error.message()), (&ErrorCode::PermissionDenied, "only Ann"));
    // The client learns of its mistake before it sends anything.
    assert!(JoinRoom { username: String::new() }.validate().is_err());
}

#[ws_message("SIGN_UP")]
struct SignUp {
    #[validate(custom(function = "jwt"))]
    jwt: String,
    #[validate(email)]
    email: String,
    #[validate(url)]
    url: String,
    #[validate(custom(function = "uuid"))]
    uuid: String,
    #[validate(custom(function = "ulid"))]
    ulid: String,
    #[validate(custom(function = "nanoid"))]
    nanoid: String,
    #[validate(ip(v4))]
    ipv4: String,
    #[validate(custom(function = "semver"))]
    semver: String,
    #[validate(custom(function = "date"))]
    date: String,
}

/// A rule that only says whether.
fn rule(name: &'static str, fits: bool) -> Result<(), ValidationError> {
    if fits { Ok(()) } else { Err(ValidationError::new(name)) }
}

/// Its form; whether the signature is good is for whoever has the key.
fn jwt(text: &str) -> Result<(), ValidationError> {
    rule("jwt", jsonwebtoken::dangerous::insecure_decode::<Value>(text).is_ok())
}

fn uuid(text: &str) -> Result<(), ValidationError> {
    rule("uuid", uuid::Uuid::try_parse(text).is_ok())
}

fn ulid(text: &str) -> Result<(), ValidationError> {
    rule("ulid", text.parse::<ulid::Ulid>().is_ok())
}

fn nanoid(text: &str) -> Result<(), ValidationError> {
    rule("nanoid", text.len() == 21 && text.chars().all(|c| nanoid::alphabet::SAFE.contains(&c)))
}

fn semver(text: &str) -> Result<(), ValidationError> {
    rule("semver", semver::Version::parse(text).is_ok())
}

fn date(text: &str) -> Result<(), ValidationError> {
    rule("date", time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).is_ok())
}

#[ws_message("SIGNED_UP")]
struct SignedUp {
    email: String,
}

#[ws_message("SAY")]
struct Say {
    text: String,
}

/// A schema with every validator of the quick start, a router of its own for the chat, an error.
#[tokio::test]
async fn the_quick_start_validates_every_format() {
    async fn sign_up(sign_up: SignUp) -> SignedUp {
        SignedUp { email: sign_up.email }
    }
    async fn say(say: Say) -> Result<Say, WsError> {
        if say.text == "spam" { Err(WsError::resource_exhausted("Too much")) } else { Ok(say) }
    }
    let chat = WsRouter::new().on(say);
    let server = serve(WsRouter::new().on(sign_up).merge(chat));
    let mut client = server.connect("/ws").await;
    let good = json!({
        "jwt": "eyJhbGciOiJIUzI1NiJ9.e30.abc-_", "email": "ann@example.com", "url": "https://example.com/a",
        "uuid": "0190163d-8694-739b-aea5-966c26f8ad91", "ulid": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "nanoid": "V1StGXR8_Z5jdHi6B-myT", "ipv4": "192.0.2.1", "semver": "1.20.3", "date": "2024-02-29",
    });
    client.send("SIGN_UP", good.clone()).await;
    assert_eq!(client.expect("SIGNED_UP").await, json!({ "email": "ann@example.com" }));
    for (key, bad, code) in [
        ("jwt", "e30.e30", "jwt"),
        // No JSON, and no algorithm.
        ("jwt", "abc.e30.abc", "jwt"),
        ("jwt", "e30.e30.abc", "jwt"),
        ("email", "ann", "email"),
        ("url", "example", "url"),
        ("uuid", "0190163d-8694-739b-aea5-966c26f8ad9", "uuid"),
        ("uuid", "0190163d-8694-739b-aea5-966c26f8ad9g", "uuid"),
        ("ulid", "01ARZ3NDEKTSV4RRFFQ69G5FA", "ulid"),
        ("ulid", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "ulid"),
        ("nanoid", "V1StGXR8", "nanoid"),
        ("nanoid", "V1StGXR8_Z5jdHi6B-my!", "nanoid"),
        ("ipv4", "2001:db8::1", "ip"),
        ("ipv4", "256.0.0.1", "ip"),
        ("semver", "1.20", "semver"),
        ("semver", "1.02.3", "semver"),
        ("date", "29.02.2024", "date"),
        ("date", "9999-99-99", "date"),
        ("date", "2023-02-29", "date"),
        ("date", "2024-2-9", "date"),
    ] {
        let mut payload = good.clone();
        payload[key] = json!(bad);
        client.send("SIGN_UP", payload).await;
        assert_eq!(issues(&mut client).await, [(key.to_owned(), code.to_owned())]);
    }
    for (key, other) in [("semver", "1.0.0-rc.1+build.5"), ("date", "9999-12-31"), ("date", "2000-02-29")] {
        let mut payload = good.clone();
        payload[key] = json!(other);
        client.send("SIGN_UP", payload).await;
        client.expect("SIGNED_UP").await;
    }
    client.send("SAY", json!({ "text": "hi" })).await;
    assert_eq!(client.expect("SAY").await, json!({ "text": "hi" }));
    client.send("SAY", json!({ "text": "spam" })).await;
    client.expect_error("ERROR", "RESOURCE_EXHAUSTED").await;
}

/// The paths and codes of a refused payload.
async fn issues(client: &mut Client) -> Vec<(String, String)> {
    let error = client.expect_error("ERROR", "INVALID_ARGUMENT").await;
    let issues = error["details"]["issues"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    issues.iter().map(|issue| (text(&issue["path"]), text(&issue["code"]))).collect()
}

/// All examples are compiled with the workspace, and all have tests of what they do: with the others, or, where the
/// program itself is started, in the example's own package.
#[test]
fn every_example_has_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut examples, mut untested) = (0, Vec::new());
    for entry in fs::read_dir(root.join("../examples")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let module = name.replace('-', "_");
        let tested = ["", "state", "topics"].iter().any(|topic| {
            let folder = root.join("tests/examples").join(topic);
            folder.join(&module).is_dir() || folder.join(format!("{module}.rs")).exists()
        });
        if entry.path().join("Cargo.toml").exists() {
            examples += 1;
            if !tested && !entry.path().join("tests/program.rs").exists() {
                untested.push(name);
            }
        }
    }
    assert_eq!((examples, untested), (21, Vec::<String>::new()));
}

static ARTICLE: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[A-Z]{2}-[0-9]+$").unwrap());

#[ws_message("ORDER")]
struct Order {
    #[validate(regex(path = *ARTICLE))]
    article: String,
    #[validate(length(min = 2, max = 5))]
    name: String,
    #[validate(range(min = 1, max = 9))]
    count: u32,
    size: Size,
    #[validate(url)]
    page: String,
    #[validate(nested, length(max = 2))]
    parts: Option<Vec<Part>>,
}

#[ws_payload]
enum Size {
    Small,
    Large,
}

#[ws_payload]
struct Part {
    #[validate(length(min = 1))]
    part_name: String,
}

#[tokio::test]
async fn a_message_is_validated_as_it_is_declared() {
    let server = serve(WsRouter::new().on(async |order: Order| order));
    let mut client = server.connect("/ws").await;
    let good = json!({
        "article": "BX-7", "name": "box", "count": 3, "size": "small", "page": "https://example.com", "parts": null,
    });
    for parts in [json!(null), json!([]), json!([{ "partName": "lid" }, { "partName": "base" }])] {
        let mut payload = good.clone();
        payload["parts"] = parts;
        client.send("ORDER", payload.clone()).await;
        assert_eq!(client.expect("ORDER").await, payload);
    }
    for (key, bad, path, code) in [
        ("article", json!("BX-7 "), "article", "regex"),
        ("name", json!("b"), "name", "length"),
        ("name", json!("boxbox"), "name", "length"),
        ("count", json!(0), "count", "range"),
        ("count", json!(10), "count", "range"),
        ("size", json!("medium"), "size", "enum"),
        ("page", json!("page"), "page", "url"),
        ("parts", json!([{ "partName": "lid" }, { "partName": "" }]), "parts[1].partName", "length"),
        ("parts", json!([{ "partName": "lid" }, { "name": "" }]), "parts[1].name", "unknown_field"),
        ("parts", json!([{ "partName": "a" }, { "partName": "b" }, { "partName": "c" }]), "parts", "length"),
    ] {
        let mut payload = good.clone();
        payload[key] = bad;
        client.send("ORDER", payload.clone()).await;
        let found = issues(&mut client).await;
        assert!(found.contains(&(path.to_owned(), code.to_owned())), "{payload}: {found:?}");
    }
}

#[ws_message("POST")]
struct Post {
    topics: Vec<String>,
    text: String,
}

#[ws_message("POSTED")]
struct Posted {
    text: String,
}

/// A room, everybody, several topics at once, and one user on all devices.
#[tokio::test]
async fn a_publish_reaches_a_room_all_or_one_user() {
    async fn opened(conn: Conn, place: extract::Path<(String, String)>) -> Result<(), WsError> {
        let (user, room) = &*place;
        for topic in ["global", &format!("user:{user}"), &format!("room:{room}")] {
            conn.subscribe(topic).await?;
        }
        conn.send(Posted { text: "open".into() })?;
        Ok(())
    }
    async fn post(conn: Conn, post: Post) -> Result<(), WsError> {
        for topic in post.topics {
            conn.publish(topic, Posted { text: post.text.clone() }).await?;
        }
        Ok(())
    }
    let ws = WsRouter::<()>::new().on_open(opened).on(post);
    let server = Server::start(Router::new().route("/{user}/{room}", ws_route(ws)));
    let mut clients = Vec::new();
    for path in ["/ann/blue", "/ann/red", "/bob/blue"] {
        let mut client = server.connect(path).await;
        client.expect("POSTED").await;
        clients.push(client);
    }
    let posts: [(&[&str], &str); 4] = [
        (&["room:blue"], "to blue"),
        (&["user:ann"], "to ann"),
        (&["room:red", "user:bob"], "to both"),
        (&["global"], "to all"),
    ];
    for (topics, text) in posts {
        clients[0].send("POST", json!({ "topics": topics, "text": text })).await;
    }
    let heard: [&[&str]; 3] =
        [&["to blue", "to ann", "to all"], &["to ann", "to both", "to all"], &["to blue", "to both", "to all"]];
    for (client, heard) in clients.iter_mut().zip(heard) {
        for text in heard {
            assert_eq!(client.expect("POSTED").await, json!({ "text": text }));
        }
    }
}
