//! Section 4: the upgrade.

use std::time::Duration;

use axum::{Router, http::StatusCode};
use serde_json::json;
use switchboard::{BearerToken, Config, Conn, TokenSources, WsRouter, ws_message};
use switchboard_tests::client::{Client, Refusal, Server};
use switchboard_tests::serve::ws_route;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::server;

const HANDSHAKE: [(&str, &str); 4] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Sends a request with the handshake's headers but for `changed`, and reads the response's head.
async fn raw(server: &Server, version: &str, changed: &[(&str, Option<&str>)]) -> String {
    let mut request = format!("GET /ws {version}\r\nHost: {}\r\n", server.addr);
    for (name, value) in HANDSHAKE {
        let value = changed.iter().find(|(changed, _)| *changed == name).map_or(Some(value), |(_, value)| *value);
        if let Some(value) = value {
            request += &format!("{name}: {value}\r\n");
        }
    }
    for (name, value) in changed.iter().filter(|(name, _)| !HANDSHAKE.iter().any(|(known, _)| known == name)) {
        request += &format!("{name}: {}\r\n", value.unwrap_or_default());
    }
    exchange(server, request + "\r\n").await
}

/// Sends a request as it is, and reads the response's head.
async fn exchange(server: &Server, request: String) -> String {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

#[tokio::test]
async fn an_upgrade_is_answered_with_101_and_its_headers() {
    let server = server();
    let head = raw(&server, "HTTP/1.1", &[]).await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    let mut client = server.connect("/ws").await;
    let id = client.headers["x-client-id"].to_str().unwrap().to_owned();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "a UUID v7");
    let me = client.request("WHOAMI", "c1", json!({})).await;
    assert_eq!(me["payload"]["clientId"], id);
}

#[tokio::test]
async fn requests_that_are_no_handshake_are_refused() {
    let server = server();
    for (changed, status) in [
        (("Upgrade", None), "426"),
        (("Upgrade", Some("h2c")), "426"),
        (("Sec-WebSocket-Version", Some("8")), "426"),
        (("Sec-WebSocket-Version", None), "400"),
        (("Sec-WebSocket-Key", None), "400"),
        (("Sec-WebSocket-Key", Some("short")), "400"),
        (("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZSE!")), "400"),
        (("Connection", Some("keep-alive")), "400"),
    ] {
        let head = raw(&server, "HTTP/1.1", &[changed]).await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{changed:?}: {head}");
        if changed.0 == "Sec-WebSocket-Version" && status == "426" {
            assert!(head.contains("sec-websocket-version: 13"), "{head}");
        }
    }
    let head = raw(&server, "HTTP/1.0", &[]).await;
    assert!(head.contains(" 400"), "{head}");
    let many = vec!["p"; 65].join(",");
    let head = raw(&server, "HTTP/1.1", &[("Sec-WebSocket-Protocol", Some(&many))]).await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert_eq!(server.http("GET", "/ws", None).await.0, 426);
    assert_eq!(server.http("POST", "/ws", Some(json!({}))).await.0, 405);
}

pub(crate) async fn status(server: &Server, path: &str, headers: &[(&str, &str)]) -> u16 {
    server.upgrade(path, headers).await.map_or_else(|refusal| refusal.status.as_u16(), |_| 101)
}

async fn user(client: Result<Client, Refusal>) -> String {
    let me = client.unwrap().request("WHOAMI", "c1", json!({})).await;
    me["payload"]["user"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn token_sources_have_an_order() {
    let server = server();
    let (header, cookie, entry) = (
        ("authorization", "Bearer alice"),
        ("cookie", "a=b; auth_token=alice"),
        ("sec-websocket-protocol", "bearer.alice"),
    );
    for headers in [&[header][..], &[cookie], &[entry]] {
        assert_eq!(user(server.upgrade("/secure", headers).await).await, "alice");
    }
    assert_eq!(user(server.upgrade("/secure?access_token=alice", &[]).await).await, "alice");
    let bob = "/secure?access_token=bob";
    assert_eq!(user(server.upgrade(bob, &[header]).await).await, "alice");
    assert_eq!(user(server.upgrade(bob, &[cookie]).await).await, "alice");
    assert_eq!(server.upgrade(bob, &[("authorization", "Bearer nobody")]).await.unwrap_err().status, 401);
}

#[tokio::test]
async fn the_extractors_rejection_is_the_response() {
    let server = server();
    assert_eq!(status(&server, "/secure", &[]).await, 401);
    assert_eq!(status(&server, "/secure?access_token=nobody", &[]).await, 401);
    assert_eq!(status(&server, "/secure?access_token=boom", &[]).await, 500);
    let refusal = server.upgrade("/secure", &[]).await.unwrap_err();
    assert_eq!(refusal.headers["www-authenticate"], "Bearer");
    let ws = WsRouter::<()>::new().authenticate(async || Err::<(), _>((StatusCode::FORBIDDEN, "not you")));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let refusal = server.upgrade("/ws", &[]).await.unwrap_err();
    assert_eq!((refusal.status.as_u16(), refusal.body.as_str()), (403, "not you"));
}

#[ws_message("ASK")]
struct Ask;

#[ws_message("TOLD")]
struct Told {
    token: String,
}

/// All sources at once, then one less each time.
#[tokio::test]
async fn the_first_token_found_wins() {
    let tell = async |conn: Conn<String>, _: Ask| Told { token: conn.data().clone() };
    let custom = |parts: &axum::http::request::Parts| Some(parts.headers.get("x-token")?.to_str().ok()?.to_owned());
    let ws = WsRouter::<(), String>::new()
        // Chosen whatever the token came in: the client would not take it if nothing was.
        .protocols(["chat"])
        .tokens(TokenSources::new().cookie("auth").custom(custom))
        .on(tell)
        .authenticate(async |token: BearerToken| Ok::<_, StatusCode>(token.into_string()));
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let sources = ["header", "cookie", "query", "entry", "custom"];
    for (missing, expected) in sources.into_iter().enumerate() {
        let has = |source| sources[missing..].contains(&source);
        let mut headers = vec![("x-token", "custom"), ("sec-websocket-protocol", "chat")];
        if has("header") {
            headers.push(("authorization", "Bearer header"));
        }
        if has("cookie") {
            headers.push(("cookie", "a=b; auth=cookie"));
        }
        if has("entry") {
            headers[1].1 = "chat, bearer.entry";
        }
        let path = if has("query") { "/ws?access_token=query" } else { "/ws" };
        let mut client = server.upgrade(path, &headers).await.unwrap();
        client.text(r#"{"type":"ASK"}"#).await;
        assert_eq!(client.expect("TOLD").await, json!({ "token": expected }));
    }
    assert_eq!(server.upgrade("/ws", &[]).await.unwrap_err().status, 401);
}

#[tokio::test]
async fn subprotocols_are_chosen_by_the_servers_order() {
    let allow = async |token: Option<BearerToken>| {
        if token.is_some_and(|token| token.as_str() == "no") { Err(StatusCode::UNAUTHORIZED) } else { Ok(()) }
    };
    let ws = WsRouter::<()>::new().protocols(["chat.v2", "chat.v1"]).tokens(TokenSources::new()).authenticate(allow);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    for (offered, chosen) in [
        ("chat.v1, chat.v2", Some("chat.v2")),
        ("x, chat.v1", Some("chat.v1")),
        ("bearer.t, chat.v1", Some("chat.v1")),
        ("bearer.t, x", Some("bearer.t")),
        // Ours before the application's own, and of ours the client's first.
        ("chat.v1, switchboard.v1.json", Some("switchboard.v1.json")),
        ("bearer.t, switchboard.v1.msgpack", Some("switchboard.v1.msgpack")),
        ("switchboard.v1.json, switchboard.v1.msgpack", Some("switchboard.v1.json")),
        ("switchboard.v1.msgpack, switchboard.v1.json", Some("switchboard.v1.msgpack")),
    ] {
        let client = server.upgrade("/ws", &[("sec-websocket-protocol", offered)]).await.unwrap();
        let protocol = client.headers.get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
        assert_eq!(protocol, chosen, "{offered}");
    }
    // None is known: none is chosen, and it is the client that gives up.
    let head = raw(&server, "HTTP/1.1", &[("Sec-WebSocket-Protocol", Some("x, y"))]).await;
    assert!(head.starts_with("http/1.1 101") && !head.contains("sec-websocket-protocol"), "{head}");
}

/// A browser sends its cookies along, and a page its token to routes that need none.
#[tokio::test]
async fn an_entry_with_a_token_is_echoed_also_where_it_is_not_used() {
    let server = server();
    let entry = ("sec-websocket-protocol", "bearer., bearer.alice");
    for (path, other) in [
        ("/ws", None),
        ("/limited", None),
        ("/secure", Some(("cookie", "auth_token=bob"))),
        ("/secure", Some(("authorization", "Bearer bob"))),
        ("/secure?access_token=bob", None),
    ] {
        let headers: Vec<_> = [entry].into_iter().chain(other).collect();
        let client = server.upgrade(path, &headers).await.unwrap();
        assert_eq!(client.headers["sec-websocket-protocol"], "bearer.alice", "{path} {other:?}");
    }
    let client = server.upgrade("/secure-close", &[entry, ("cookie", "auth_token=eve")]).await.unwrap();
    assert_eq!(client.headers["sec-websocket-protocol"], "bearer.alice");
}

#[tokio::test]
async fn extractors_at_the_upgrade_have_a_deadline() {
    let never = async || std::future::pending::<Result<(), StatusCode>>().await;
    let config = Config::new().upgrade_timeout(Duration::from_millis(20));
    let ws = WsRouter::<()>::new().config(config).authenticate(never);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)));
    let refusal = server.upgrade("/ws", &[]).await.unwrap_err();
    assert_eq!(refusal.status, 503);
    assert!(refusal.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn path_parameters_and_the_peers_address() {
    let server = server();
    let me = server.connect("/ws/rooms/blue").await.request("WHOAMI", "c1", json!({})).await;
    assert_eq!(me["payload"]["room"], "blue");
    assert!(me["payload"]["remoteAddr"].as_str().unwrap().starts_with("127.0.0.1:"));
    let me = server.connect("/ws").await.request("WHOAMI", "c1", json!({})).await;
    assert_eq!(me["payload"].get("room"), None);
}

#[tokio::test]
async fn kind_f18_other_methods_are_405_and_say_which_are_not() {
    let ws = || ws_route(WsRouter::<()>::new());
    let inner = Router::new().route("/ws", ws()).nest("/deep", Router::new().route("/{room}/ws", ws()));
    let app = Router::new().route("/ws", ws()).nest("/api", inner).merge(Router::new().route("/merged", ws()));
    let server = Server::start(app);
    for path in ["/ws", "/api/ws", "/api/deep/blue/ws", "/merged", "/ws?access_token=t"] {
        for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            // Whether it looks like an upgrade or not.
            for headers in [&[][..], &HANDSHAKE] {
                let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", server.addr);
                for (name, value) in headers {
                    request += &format!("{name}: {value}\r\n");
                }
                let head = exchange(&server, request + "\r\n").await;
                assert!(head.starts_with("http/1.1 405"), "{method} {path}: {head}");
                let allow = head.lines().find_map(|line| line.strip_prefix("allow: "));
                assert!(allow.is_some_and(|allow| allow.split(',').any(|method| method.trim() == "get")), "{head}");
            }
        }
        assert_eq!(status(&server, path, &[]).await, 101);
    }
}

#[tokio::test]
async fn kind_f19_an_empty_cookie_or_parameter_hides_no_token() {
    let server = server();
    for cookie in [
        "auth_token=; auth_token=alice",
        "a=b; auth_token=\"\"; auth_token=\"alice\"",
        "auth_token=%61lice",
        "auth_token=%20; auth_token=alice; auth_token=bob",
    ] {
        assert_eq!(user(server.upgrade("/secure", &[("cookie", cookie)]).await).await, "alice", "{cookie}");
    }
    let path = "/secure?access_token=&access_token=%61lice";
    assert_eq!(user(server.upgrade(path, &[]).await).await, "alice");
    let entries = [("sec-websocket-protocol", "bearer., bearer.%61lice")];
    let client = server.upgrade("/secure", &entries).await.unwrap();
    assert_eq!(client.headers["sec-websocket-protocol"], "bearer.%61lice");
    assert_eq!(user(Ok(client)).await, "alice");
    // Several headers of the name, as HTTP/2 has them.
    let mut request = format!("GET /secure HTTP/1.1\r\nHost: {}\r\n", server.addr);
    for (name, value) in HANDSHAKE {
        request += &format!("{name}: {value}\r\n");
    }
    request += "Cookie: auth_token=\r\nCookie: x=y; auth_token=alice\r\n\r\n";
    assert!(exchange(&server, request).await.starts_with("http/1.1 101"));
    for none in ["auth_token=", "auth_token=%20", "auth_token", "xauth_token=alice"] {
        assert_eq!(status(&server, "/secure", &[("cookie", none)]).await, 401, "{none}");
    }
}
