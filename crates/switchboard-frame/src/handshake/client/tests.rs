use http::{HeaderValue, Method, Version};

use super::*;
use crate::handshake::{Request, client_key};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Checks a good response in which a header has these lines instead.
fn with(name: &'static str, values: &[&'static str]) -> Result<Option<&'static str>, ResponseError> {
    let mut headers = HeaderMap::new();
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    headers.insert("connection", HeaderValue::from_static("Upgrade"));
    headers.insert("sec-websocket-accept", HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    headers.remove(name);
    for value in values {
        headers.append(name, HeaderValue::from_static(value));
    }
    check_response(StatusCode::SWITCHING_PROTOCOLS, &headers, KEY, &["soap", "chat"])
}

#[test]
fn rfc_6455_4_1_a_server_of_ours_is_accepted() {
    let key = client_key([7; 16]);
    let mut request = HeaderMap::new();
    request.insert("upgrade", HeaderValue::from_static("websocket"));
    request.insert("connection", HeaderValue::from_static("upgrade"));
    request.insert("sec-websocket-version", HeaderValue::from_static("13"));
    request.insert("sec-websocket-key", HeaderValue::from_str(&key).unwrap());
    let request = Request::check(&Method::GET, Version::HTTP_11, &request, None).unwrap();
    let headers = request.headers().collect();
    assert_eq!(check_response(request.status(), &headers, &key, &["chat"]), Ok(None));
    let other = client_key([8; 16]);
    assert_eq!(check_response::<&str>(request.status(), &headers, &other, &[]), Err(ResponseError::Accept));
}

#[test]
fn rfc_6455_4_1_the_status_is_101() {
    for status in [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::FOUND, StatusCode::UPGRADE_REQUIRED] {
        let checked = check_response::<&str>(status, &HeaderMap::new(), KEY, &[]);
        assert_eq!(checked, Err(ResponseError::Status(status)));
    }
}

#[test]
fn rfc_6455_4_1_upgrade_and_connection() {
    assert_eq!(with("upgrade", &["WebSocket"]), Ok(None));
    for values in [&[][..], &["h2c"], &["websocket, h2c"], &["websocket", "websocket"]] {
        assert_eq!(with("upgrade", values), Err(ResponseError::Upgrade), "{values:?}");
    }
    assert!(ResponseError::Upgrade.to_string().contains("Upgrade: websocket"));
    assert_eq!(with("connection", &["keep-alive, upgrade"]), Ok(None));
    for values in [&[][..], &["close"]] {
        assert_eq!(with("connection", values), Err(ResponseError::Connection), "{values:?}");
    }
}

#[test]
fn rfc_6455_4_1_accept_belongs_to_the_key() {
    assert_eq!(with("sec-websocket-accept", &[" s3pPLMBiTxaQ9kYGzzhZRbK+xOo= "]), Ok(None));
    let good = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    for values in [&[][..], &[good, good], &["S3pPLMBiTxaQ9kYGzzhZRbK+xOo="], &["s3pPLMBiTxaQ9kYGzzhZRbK+xOo"], &[KEY]]
    {
        assert_eq!(with("sec-websocket-accept", values), Err(ResponseError::Accept), "{values:?}");
    }
}

#[test]
fn rfc_6455_4_1_no_extension_that_was_not_offered() {
    assert_eq!(with("sec-websocket-extensions", &["permessage-deflate"]), Err(ResponseError::Extension));
    assert_eq!(with("sec-websocket-extensions", &[""]), Ok(None));
}

#[test]
fn rfc_6455_4_1_a_subprotocol_that_was_offered() {
    assert_eq!(with("sec-websocket-protocol", &["chat"]), Ok(Some("chat")));
    for values in [&["Chat"][..], &["chat, soap"], &["chat", "chat"], &[""], &["other"]] {
        assert_eq!(with("sec-websocket-protocol", values), Err(ResponseError::Subprotocol), "{values:?}");
    }
}
