//! Section 4: which pages may connect, and when that is looked at.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use switchboard::{Hub, OriginPolicy, TrustedProxies, WsRouter};
use switchboard_tests::{client::Server, serve::ws_route};

use crate::server;
use crate::upgrade::handshake::status;

#[tokio::test]
async fn origin_must_be_the_same_by_default() {
    let server = server();
    let own = format!("http://{}", server.addr);
    assert_eq!(status(&server, "/ws", &[("origin", &own)]).await, 101);
    assert_eq!(status(&server, "/ws", &[]).await, 101);
    for foreign in [
        "http://evil.example",
        "null",
        "file://",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://localhost",
    ] {
        assert_eq!(status(&server, "/ws", &[("origin", foreign)]).await, 403, "{foreign}");
        // Before authentication: a cookie of the user changes nothing.
        let headers = [("origin", foreign), ("cookie", "auth_token=alice")];
        assert_eq!(status(&server, "/secure", &headers).await, 403, "{foreign}");
        // Nor does it become a 401 without one.
        assert_eq!(status(&server, "/secure", &headers[..1]).await, 403, "{foreign}");
    }
    let refusal = server.upgrade("/ws", &[("origin", "http://evil.example")]).await.unwrap_err();
    let body = refusal.body;
    assert!(body.contains("http://evil.example") && body.contains(&server.addr.to_string()), "{body}");
    assert!(body.contains("OriginPolicy"), "{body}");
}

#[tokio::test]
async fn origins_are_allowed_by_policy() {
    let route = |policy| ws_route(WsRouter::new().origin(policy));
    let app = Router::new()
        .route("/any", route(OriginPolicy::any()))
        .route("/list", route(OriginPolicy::list(["https://a.example"])))
        .route("/public", route(OriginPolicy::same_origin().public_origin("https://a.example")))
        .route("/required", route(OriginPolicy::same_origin().require_origin()));
    let server = Server::start(app);
    let own = format!("http://{}", server.addr);
    let (a, b) = ("https://a.example", "https://b.example");
    for (path, origin, expected) in [
        ("/any", b, 101),
        ("/list", a, 101),
        ("/list", b, 403),
        ("/list", &own, 403),
        ("/public", a, 101),
        ("/public", &own, 101),
        ("/public", b, 403),
        ("/required", &own, 101),
    ] {
        assert_eq!(status(&server, path, &[("origin", origin)]).await, expected, "{path} {origin}");
    }
    assert_eq!(status(&server, "/required", &[]).await, 403);
}

#[tokio::test]
async fn default_ports_are_normalised() {
    let server = server();
    for (host, origin, expected) in [
        ("a.example", "https://a.example:443", 101),
        ("a.example:443", "https://a.example", 101),
        ("a.example:80", "http://a.example", 101),
        ("A.EXAMPLE", "http://a.example:80", 101),
        ("a.example:8080", "https://a.example", 403),
        ("a.example", "https://a.example:8080", 403),
        ("a.example:80", "https://a.example", 403),
    ] {
        assert_eq!(status(&server, "/ws", &[("host", host), ("origin", origin)]).await, expected, "{host} {origin}");
    }
}

/// What a proxy would say is only what a client says.
#[tokio::test]
async fn origin_ignores_forwarded_headers() {
    let ws = WsRouter::<()>::new;
    let proxied = ws().trusted_proxies(TrustedProxies::new(["127.0.0.1"]).unwrap());
    let server = Server::start(Router::new().route("/ws", ws_route(ws())).route("/proxied", ws_route(proxied)));
    let headers = [
        ("origin", "https://evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
    ];
    for path in ["/ws", "/proxied"] {
        assert_eq!(status(&server, path, &headers[1..]).await, 101, "{path}");
        assert_eq!(status(&server, path, &headers).await, 403, "{path}");
    }
}

/// Also where a route asks that refusals be accepted and closed: that is for those of the application.
#[tokio::test]
async fn the_origins_403_stays_http() {
    let server = server();
    for cookie in ["auth_token=alice", "auth_token=nobody"] {
        let headers = [("origin", "http://evil.example"), ("cookie", cookie)];
        assert_eq!(status(&server, "/secure-close", &headers).await, 403, "{cookie}");
    }
    // It is such a route.
    assert_eq!(server.connect("/secure-close").await.expect_close().await.0, 4401);
}

#[tokio::test]
async fn checks_of_an_upgrade_have_an_order() {
    let calls = Arc::new(AtomicUsize::new(0));
    let authenticate = async |State(calls): State<Arc<AtomicUsize>>, headers: HeaderMap| {
        calls.fetch_add(1, SeqCst);
        if headers.contains_key("x-pass") { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    };
    let ws = WsRouter::new().hub(Hub::builder().max_connections(1).build()).authenticate(authenticate);
    let server = Server::start(Router::new().route("/ws", ws_route(ws)).with_state(Arc::clone(&calls)));
    let foreign = ("origin", "http://evil.example");
    // The Origin before the extractors.
    assert_eq!((status(&server, "/ws", &[foreign]).await, calls.load(SeqCst)), (403, 0));
    assert_eq!((status(&server, "/ws", &[]).await, calls.load(SeqCst)), (401, 1));
    let _one = server.upgrade("/ws", &[("x-pass", "")]).await.unwrap();
    assert_eq!(calls.load(SeqCst), 2);
    // The limits before the extractors, and the Origin before the limits.
    assert_eq!((status(&server, "/ws", &[]).await, calls.load(SeqCst)), (503, 2));
    assert_eq!((status(&server, "/ws", &[foreign]).await, calls.load(SeqCst)), (403, 2));
}

#[tokio::test]
async fn kind_f13_webviews_and_extensions_can_be_listed() {
    let listed =
        ["capacitor://localhost", "chrome-extension://abcdefghijklmnop", "tauri://localhost", "app://-", "null"];
    let route = |policy| ws_route(WsRouter::new().origin(policy));
    let app = Router::new().route("/list", route(OriginPolicy::list(listed)));
    let server = Server::start(app.route("/own", route(OriginPolicy::same_origin())));
    for origin in listed {
        assert_eq!(status(&server, "/list", &[("origin", origin)]).await, 101, "{origin}");
        assert_eq!(status(&server, "/own", &[("origin", origin)]).await, 403, "{origin}");
    }
    for origin in ["capacitor://localhost:80", "chrome-extension://x", "https://localhost", "file://", "app://-/"] {
        assert_eq!(status(&server, "/list", &[("origin", origin)]).await, 403, "{origin}");
    }
}

#[test]
fn an_entry_that_is_no_origin_is_named_when_the_router_is_mounted() {
    for wrong in ["https://a.example/", "a.example", "*", "https://", "capacitor://localhost/index.html", ""] {
        for policy in
            [OriginPolicy::list(["https://a.example", wrong]), OriginPolicy::same_origin().public_origin(wrong)]
        {
            let mount = std::panic::AssertUnwindSafe(|| ws_route::<(), _, _, _>(WsRouter::<()>::new().origin(policy)));
            let panic = std::panic::catch_unwind(mount).map(|_| ()).unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert!(
                text.starts_with(&format!("`{wrong}` in the `OriginPolicy`")) && text.contains("scheme://host"),
                "{text}"
            );
        }
    }
}

/// The client is the proxy here.
#[tokio::test]
async fn attack_b16_a_page_has_the_scheme_of_the_server() {
    let ws = WsRouter::<()>::new;
    let proxied = || ws().trusted_proxies(TrustedProxies::new(["127.0.0.1"]).unwrap());
    let https = OriginPolicy::same_origin().require_https();
    let app = Router::new()
        .route("/ws", ws_route(ws()))
        .route("/proxied", ws_route(proxied()))
        .route("/https", ws_route(ws().origin(https)))
        .route("/public", ws_route(ws().origin(OriginPolicy::same_origin().public_origin("https://a.example"))));
    let server = Server::start(app);
    for (path, proto, http, https) in [
        // Not known, or said by a stranger.
        ("/ws", "", 101, 101),
        ("/ws", "https", 101, 101),
        ("/proxied", "", 101, 101),
        ("/proxied", "https", 403, 101),
        ("/proxied", "HTTPS, http", 403, 101),
        ("/proxied", "wss", 403, 101),
        ("/proxied", "http", 101, 403),
        ("/https", "", 403, 101),
        ("/public", "", 403, 101),
    ] {
        for (origin, expected) in [("http://a.example", http), ("https://a.example", https)] {
            let headers = [("host", "a.example"), ("origin", origin), ("x-forwarded-proto", proto)];
            assert_eq!(status(&server, path, &headers).await, expected, "{path} {proto} {origin}");
        }
    }
}
