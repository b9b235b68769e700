//! Section 3: error codes, retries, details.

use std::time::Duration;

use axum::Router;
use serde_json::{Value, json};
use switchboard::{WsError, WsRouter, ws_rpc};
use switchboard_tests::{
    client::{Client, Server},
    serve::ws_route,
};

use crate::server;

async fn fail(client: &mut Client, payload: Value) -> Value {
    client.request("FAIL", "c1", payload).await["payload"].take()
}

#[tokio::test]
async fn codes_that_are_not_retryable() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for code in [
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "UNIMPLEMENTED",
        "CANCELLED",
    ] {
        let error = fail(&mut client, json!({ "code": code, "message": "m", "retryAfterMs": 5 })).await;
        assert_eq!(error, json!({ "code": code, "message": "m", "retryable": false }));
    }
}

#[tokio::test]
async fn retryable_codes_and_their_backoff() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for (code, ms) in [("DEADLINE_EXCEEDED", 50), ("RESOURCE_EXHAUSTED", 100), ("UNAVAILABLE", 100), ("ABORTED", 50)] {
        let error = fail(&mut client, json!({ "code": code, "message": "m" })).await;
        assert_eq!(error, json!({ "code": code, "message": "m", "retryable": true, "retryAfterMs": ms }));
        let error = fail(&mut client, json!({ "code": code, "message": "m", "retryAfterMs": 7 })).await;
        assert_eq!(error["retryAfterMs"], 7);
    }
    let never = json!({ "code": "RESOURCE_EXHAUSTED", "message": "m", "retryAfterMs": null });
    let error = fail(&mut client, never).await;
    assert_eq!((error.get("retryAfterMs"), &error["retryable"]), (Some(&Value::Null), &json!(false)));
}

#[tokio::test]
async fn internal_and_custom_codes() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for code in ["INTERNAL", "OUT_OF_CAKE"] {
        let error = fail(&mut client, json!({ "code": code, "message": "m" })).await;
        assert_eq!(error, json!({ "code": code, "message": "m" }));
    }
}

#[ws_rpc("REFUSE", response = Refuse)]
struct Refuse {
    code: String,
    retryable: bool,
    retry_after_ms: Option<u64>,
}

#[tokio::test]
async fn retryable_is_left_to_the_server_for_internal_and_custom_codes_only() {
    let refuse = async |refuse: Refuse| {
        let error = WsError::new(refuse.code, "m").with_retryable(refuse.retryable);
        Err::<Refuse, _>(match refuse.retry_after_ms {
            Some(ms) => error.with_retry_after(Duration::from_millis(ms)),
            None => error,
        })
    };
    let server = Server::start(Router::new().route("/ws", ws_route(WsRouter::<()>::new().on(refuse))));
    let mut client = server.connect("/ws").await;
    for (code, set, retryable, after) in [
        ("INTERNAL", true, true, Some(7)),
        ("INTERNAL", false, false, None),
        ("OUT_OF_CAKE", true, true, Some(7)),
        ("OUT_OF_CAKE", false, false, None),
        ("NOT_FOUND", true, false, None),
        ("UNAVAILABLE", false, true, Some(7)),
    ] {
        let payload = json!({ "code": code, "retryable": set, "retryAfterMs": 7 });
        let error = client.request("REFUSE", "c", payload).await["payload"].take();
        let mut expected = json!({ "code": code, "message": "m", "retryable": retryable });
        if let Some(ms) = after {
            expected["retryAfterMs"] = json!(ms);
        }
        assert_eq!(error, expected);
    }
    // They have no suggested backoff.
    for code in ["INTERNAL", "OUT_OF_CAKE"] {
        let error = client.request("REFUSE", "c", json!({ "code": code, "retryable": true })).await["payload"].take();
        assert_eq!(error, json!({ "code": code, "message": "m", "retryable": true }));
    }
}

#[tokio::test]
async fn old_names_are_mapped() {
    let server = server();
    let mut client = server.connect("/ws").await;
    for (old, new) in [
        ("AUTHENTICATION_FAILED", "UNAUTHENTICATED"),
        ("AUTHORIZATION_FAILED", "PERMISSION_DENIED"),
        ("RESOURCE_NOT_FOUND", "NOT_FOUND"),
        ("RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"),
        ("VALIDATION_FAILED", "INVALID_ARGUMENT"),
        ("INVALID_MESSAGE_FORMAT", "INVALID_ARGUMENT"),
        ("UNSUPPORTED_MESSAGE_TYPE", "UNIMPLEMENTED"),
        ("INTERNAL_SERVER_ERROR", "INTERNAL"),
    ] {
        assert_eq!(fail(&mut client, json!({ "code": old, "message": "m" })).await["code"], new);
    }
}

#[tokio::test]
async fn details_are_sanitised() {
    let server = server();
    let mut client = server.connect("/ws").await;
    let mut secret = serde_json::Map::new();
    for key in [
        "password",
        "token",
        "authorization",
        "bearer",
        "jwt",
        "apikey",
        "api_key",
        "accesstoken",
        "access_token",
        "refreshtoken",
        "refresh_token",
        "cookie",
        "secret",
        "credentials",
        "auth",
        "PassWord",
        "accessToken",
    ] {
        secret.insert(key.to_owned(), json!("x"));
    }
    secret.insert("kept".to_owned(), json!(1));
    let details = json!({ "outer": [{ "inner": secret }], "tokens": 2 });
    let error = fail(&mut client, json!({ "code": "NOT_FOUND", "message": "m", "details": details })).await;
    assert_eq!(error["details"], json!({ "outer": [{ "inner": { "kept": 1 } }], "tokens": 2 }));
}
