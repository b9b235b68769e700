//! Arbitrary requests to the server's side of the handshake, and its answers to the client's.
//!
//! Input: a line with the method, the version of HTTP and, if there is one, `:protocol`; then
//! a line for each header. As in HTTP/1.1, but any byte may be anywhere.

#![no_main]

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use libfuzzer_sys::fuzz_target;
use switchboard_frame::handshake::{
    MAX_SUBPROTOCOLS, Refusal, Request, accept_key, check_response, choose_subprotocol, offered_subprotocols,
};

const KNOWN: [&str; 3] = ["switchboard.v1.json", "chat", "b"];

fn version(text: &[u8]) -> Option<Version> {
    Some(match text {
        b"HTTP/0.9" => Version::HTTP_09,
        b"HTTP/1.0" => Version::HTTP_10,
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/2" => Version::HTTP_2,
        b"HTTP/3" => Version::HTTP_3,
        _ => return None,
    })
}

fn headers<'d>(lines: impl Iterator<Item = &'d [u8]>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().map(HeaderName::from_bytes);
        let value = parts.next().map(|value| HeaderValue::from_bytes(value.strip_prefix(b" ").unwrap_or(value)));
        if let (Some(Ok(name)), Some(Ok(value))) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

fn only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut lines = headers.get_all(name).iter();
    lines.next().filter(|_| lines.next().is_none()).map(HeaderValue::as_bytes)
}

/// Whether a token stands anywhere in a header, in any case: less than is asked for.
fn mentions(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .any(|line| line.as_bytes().windows(token.len()).any(|window| window.eq_ignore_ascii_case(token.as_bytes())))
}

fn check_accepted(request: &Request, method: &Method, version: Version, headers: &HeaderMap, protocol: Option<&str>) {
    assert_eq!(only(headers, header::SEC_WEBSOCKET_VERSION), Some(&b"13"[..]));
    let offered: Vec<_> = offered_subprotocols(headers).collect();
    assert!(offered.len() <= MAX_SUBPROTOCOLS);
    assert_eq!(offered.is_empty(), !headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL));
    let mut response: HeaderMap = request.headers().collect();
    if request.is_extended_connect() {
        assert!(version > Version::HTTP_11 && method == Method::CONNECT);
        assert!(protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")));
        assert_eq!((request.status(), response.len()), (StatusCode::OK, 0));
        return;
    }
    assert!(version == Version::HTTP_11 && method == Method::GET);
    assert!(mentions(headers, header::UPGRADE, "websocket") && mentions(headers, header::CONNECTION, "upgrade"));
    let key = only(headers, header::SEC_WEBSOCKET_KEY).expect("one key");
    assert_eq!(key.len(), 24);
    let key = std::str::from_utf8(key).expect("a key of ASCII");

    // A client accepts this answer, and no other key's.
    let chosen = choose_subprotocol(headers, &KNOWN);
    if let Some(chosen) = chosen {
        response.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(chosen));
    }
    assert_eq!(check_response(request.status(), &response, key, &offered), Ok(chosen));
    assert!(
        check_response(request.status(), &response, "dGhlIHNhbXBsZSBub25jZQ==", &offered).is_err()
            || key == "dGhlIHNhbXBsZSBub25jZQ=="
    );
    // Any offered one can be the answer.
    for protocol in offered.iter().take(3) {
        response.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(protocol).expect("a token"));
        assert_eq!(check_response(request.status(), &response, key, &offered), Ok(Some(*protocol)));
    }
}

fn check_refused(refusal: Refusal) {
    assert!(matches!(refusal.status().as_u16(), 400 | 426 | 501));
    assert!(!refusal.to_string().is_empty());
    let names: BTreeSet<_> = refusal.headers().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names.is_empty(), refusal.status() != StatusCode::UPGRADE_REQUIRED);
}

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut first = lines.next().unwrap_or_default().splitn(3, |byte| *byte == b' ');
    let Some(Ok(method)) = first.next().map(Method::from_bytes) else { return };
    let Some(version) = first.next().and_then(version) else { return };
    let protocol = first.next().and_then(|protocol| std::str::from_utf8(protocol).ok());
    let headers = headers(lines);

    match Request::check(&method, version, &headers, protocol) {
        Ok(request) => check_accepted(&request, &method, version, &headers, protocol),
        Err(refusal) => check_refused(refusal),
    }

    for protocol in offered_subprotocols(&headers) {
        assert!(!protocol.is_empty() && protocol.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','));
    }
    let chosen = choose_subprotocol(&headers, &KNOWN);
    let first_known = KNOWN.into_iter().find(|known| offered_subprotocols(&headers).any(|offered| offered == *known));
    assert_eq!(chosen, first_known);

    // The same headers as a server's answer.
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    if let Ok(chosen) = check_response(StatusCode::SWITCHING_PROTOCOLS, &headers, key, &KNOWN) {
        let accept = only(&headers, header::SEC_WEBSOCKET_ACCEPT).expect("one accept");
        assert_eq!(accept.trim_ascii(), accept_key(key.as_bytes()));
        assert!(chosen.is_none_or(|chosen| KNOWN.contains(&chosen)));
        assert_eq!(chosen.is_some(), headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL));
    }
});
