//! The handshake against tungstenite's, without a connection.

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use proptest::prelude::*;
use switchboard_frame::handshake::{self, accept_key, check_response, choose_subprotocol, client_key};
use tungstenite::{client::ClientRequestBuilder, client::IntoClientRequest as _, handshake::derive_accept_key};

proptest! {
    #[test]
    fn rfc_6455_4_2_2_the_accept_key_is_theirs(key in proptest::collection::vec(any::<u8>(), 0..40)) {
        let theirs = derive_accept_key(&key);
        prop_assert_eq!(&accept_key(&key)[..], theirs.as_bytes());
    }

    #[test]
    fn rfc_6455_4_1_a_server_of_theirs_takes_our_key(random in any::<[u8; 16]>()) {
        let key = client_key(random);
        let request = Request::builder()
            .method(Method::GET)
            .version(Version::HTTP_11)
            .uri("ws://a.example/")
            .header("host", "a.example")
            .header("upgrade", "websocket")
            .header("connection", "Upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", &key);
        let response = tungstenite::handshake::server::create_response(&request.body(()).unwrap()).unwrap();
        prop_assert_eq!(check_response(response.status(), response.headers(), &key, &["chat"]), Ok(None));
    }
}

#[test]
fn rfc_6455_4_2_1_a_client_of_theirs_is_accepted() {
    let builder = ClientRequestBuilder::new("ws://a.example/".parse().unwrap()).with_sub_protocol("chat");
    let request = builder.into_client_request().unwrap();
    let accepted = handshake::Request::check(request.method(), request.version(), request.headers(), None).unwrap();
    assert_eq!(accepted.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(choose_subprotocol(request.headers(), &["chat"]), Some("chat"));
    let key = request.headers()["sec-websocket-key"].as_bytes();
    assert_eq!(accepted.accept(), Some(&HeaderValue::try_from(derive_accept_key(key)).unwrap()));
    let answer: HeaderMap = accepted.headers().collect();
    assert_eq!(answer["sec-websocket-accept"], derive_accept_key(key));
}
