use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The headers of a browser's upgrade.
fn upgrade() -> HeaderMap {
    headers(&[
        ("host", "server.example.com"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", KEY),
        ("origin", "http://example.com"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
    ])
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn get(headers: &HeaderMap) -> Result<Request, Refusal> {
    Request::check(&Method::GET, Version::HTTP_11, headers, None)
}

fn refusal(change: impl FnOnce(&mut HeaderMap)) -> Option<Refusal> {
    let mut headers = upgrade();
    change(&mut headers);
    get(&headers).err()
}

/// Returns the refusal if a header has these lines.
fn with(name: &'static str, values: &[&'static str]) -> Option<Refusal> {
    refusal(|headers| {
        headers.remove(name);
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
    })
}

fn connect(version: Version, method: &Method, protocol: Option<&str>) -> Result<Request, Refusal> {
    Request::check(method, version, &headers(&[("sec-websocket-version", "13")]), protocol)
}

#[test]
fn rfc_6455_4_2_2_the_answer_to_an_upgrade() {
    let request = get(&upgrade()).unwrap();
    assert!(!request.is_extended_connect());
    assert_eq!(request.status(), StatusCode::SWITCHING_PROTOCOLS);
    let answer: HeaderMap = request.headers().collect();
    assert_eq!(answer.len(), 3, "no extension is accepted: {answer:?}");
    assert_eq!(answer["connection"], "Upgrade");
    assert_eq!(answer["upgrade"], "websocket");
    assert_eq!(answer["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(request.accept(), Some(&answer["sec-websocket-accept"]));
}

#[test]
fn rfc_6455_4_2_1_http_1_1_at_least() {
    for version in [Version::HTTP_09, Version::HTTP_10] {
        let refusal = Request::check(&Method::GET, version, &upgrade(), None).unwrap_err();
        assert_eq!((refusal, refusal.status().as_u16()), (Refusal::HttpVersion, 400));
    }
}

#[test]
fn rfc_6455_4_2_1_the_method_is_get() {
    for method in [Method::POST, Method::HEAD, Method::OPTIONS, Method::CONNECT] {
        let refusal = Request::check(&method, Version::HTTP_11, &upgrade(), Some("websocket")).unwrap_err();
        assert_eq!((refusal, refusal.status().as_u16()), (Refusal::Method, 400), "{method}");
    }
}

#[test]
fn rfc_6455_4_2_1_upgrade_is_websocket_among_others_and_in_any_case() {
    for values in [&["WebSocket"][..], &["h2c, websocket"], &["h2c", " websocket\t"], &[",websocket,"]] {
        assert_eq!(with("upgrade", values), None, "{values:?}");
    }
    for values in [&[][..], &["h2c"], &["websockets"], &["web socket"], &[""], &["websocket/13"]] {
        assert_eq!(with("upgrade", values), Some(Refusal::NoUpgrade), "{values:?}");
    }
    // Bytes beyond ASCII do not hide other elements.
    let beyond = HeaderValue::from_bytes(b"\xff, websocket").unwrap();
    assert_eq!(refusal(|headers| drop(headers.insert("upgrade", beyond))), None);
}

#[test]
fn a_426_response_names_the_required_upgrade() {
    let answer: HeaderMap = Refusal::NoUpgrade.headers().collect();
    assert_eq!(Refusal::NoUpgrade.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(answer, headers(&[("upgrade", "websocket"), ("connection", "Upgrade")]));
}

#[test]
fn rfc_6455_4_2_1_connection_has_upgrade() {
    for values in [&["upgrade"][..], &["keep-alive, Upgrade"], &["keep-alive", "UPGRADE"]] {
        assert_eq!(with("connection", values), None, "{values:?}");
    }
    for values in [&[][..], &["keep-alive"], &["upgraded"], &["keep-alive upgrade"]] {
        assert_eq!(with("connection", values), Some(Refusal::NoConnectionUpgrade), "{values:?}");
    }
    assert_eq!(Refusal::NoConnectionUpgrade.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn rfc_6455_4_4_another_version_426_names_ours() {
    for value in ["8", "0", "14", "013", "13, 8", "thirteen", "", "-13"] {
        assert_eq!(with("sec-websocket-version", &[value]), Some(Refusal::OtherVersion), "{value}");
    }
    assert_eq!(Refusal::OtherVersion.status(), StatusCode::UPGRADE_REQUIRED);
    let answer: HeaderMap = Refusal::OtherVersion.headers().collect();
    assert_eq!(answer, headers(&[("sec-websocket-version", "13")]));
}

#[test]
fn rfc_6455_11_3_5_exactly_one_version() {
    for values in [&[][..], &["13", "13"], &["13", "8"]] {
        assert_eq!(with("sec-websocket-version", values), Some(Refusal::NoVersion), "{values:?}");
    }
    assert_eq!(Refusal::NoVersion.status(), StatusCode::BAD_REQUEST);
    let connect = Request::check(&Method::CONNECT, Version::HTTP_2, &HeaderMap::new(), Some("websocket"));
    assert_eq!(connect.err(), Some(Refusal::NoVersion));
}

#[test]
fn rfc_6455_11_3_1_exactly_one_key_of_16_bytes() {
    for values in [&[][..], &[KEY, KEY], &["dGhlIHNhbXBsZSBub25jZQ"], &["c2hvcnQ="], &[""]] {
        assert_eq!(with("sec-websocket-key", values), Some(Refusal::Key), "{values:?}");
    }
    assert_eq!(Refusal::Key.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn rfc_6455_4_2_1_subprotocols() {
    assert_eq!(with("sec-websocket-protocol", &["chat, superchat", "x"]), None);
    assert_eq!(with("sec-websocket-protocol", &["chat superchat"]), Some(Refusal::Subprotocol));
    let many = HeaderValue::from_str(&"a,".repeat(64)).unwrap();
    let refusal = refusal(|headers| drop(headers.insert("sec-websocket-protocol", many)));
    assert_eq!(refusal, Some(Refusal::TooManySubprotocols));
    for refusal in [Refusal::Subprotocol, Refusal::TooManySubprotocols] {
        assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn rfc_8441_5_extended_connect() {
    for version in [Version::HTTP_2, Version::HTTP_3] {
        for protocol in ["websocket", "WebSocket"] {
            let request = connect(version, &Method::CONNECT, Some(protocol)).unwrap();
            assert!(request.is_extended_connect());
            assert_eq!(request.status(), StatusCode::OK);
            assert_eq!((request.headers().count(), request.accept()), (0, None));
        }
    }
}

#[test]
fn rfc_8441_4_not_an_extended_connect() {
    for (method, protocol) in [
        (Method::CONNECT, None),
        (Method::GET, None),
        (Method::GET, Some("websocket")),
        (Method::POST, Some("websocket")),
    ] {
        let refusal = connect(Version::HTTP_2, &method, protocol).unwrap_err();
        // Not 426, which requires the header `Upgrade` that HTTP/2 does not have.
        assert_eq!((refusal, refusal.status().as_u16()), (Refusal::NotExtendedConnect, 426), "{method} {protocol:?}");
    }
    let upgrade = Request::check(&Method::GET, Version::HTTP_2, &upgrade(), None);
    assert_eq!(upgrade.err(), Some(Refusal::NotExtendedConnect));
}

#[test]
fn rfc_9220_3_another_protocol_is_not_implemented() {
    for protocol in ["webtransport", "connect-udp", "", "websocket "] {
        let refusal = connect(Version::HTTP_2, &Method::CONNECT, Some(protocol)).unwrap_err();
        assert_eq!((refusal, refusal.status().as_u16()), (Refusal::OtherProtocol, 400), "{protocol}");
    }
}

#[test]
fn rfc_8441_5_version_and_subprotocols_count_there_too() {
    let check = |lines| Request::check(&Method::CONNECT, Version::HTTP_2, &headers(lines), Some("websocket")).err();
    assert_eq!(check(&[("sec-websocket-version", "8")]), Some(Refusal::OtherVersion));
    assert_eq!(
        check(&[("sec-websocket-version", "13"), ("sec-websocket-protocol", "a b")]),
        Some(Refusal::Subprotocol)
    );
    // The key is ignored.
    assert_eq!(check(&[("sec-websocket-version", "13"), ("sec-websocket-key", "x")]), None);
}
