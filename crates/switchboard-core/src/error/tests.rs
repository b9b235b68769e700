use serde_json::json;

use super::*;

fn wire(error: &WsError) -> Value {
    serde_json::to_value(error).unwrap()
}

#[test]
fn codes_that_are_not_retryable_never_carry_a_backoff() {
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
        let error = WsError::new(code, "m").with_retry_after(Duration::from_millis(5)).with_retryable(true);
        assert_eq!(wire(&error), json!({"code": code, "message": "m", "retryable": false}));
    }
}

#[test]
fn retryable_codes_suggest_their_backoff() {
    for (code, ms) in [("DEADLINE_EXCEEDED", 50), ("RESOURCE_EXHAUSTED", 100), ("UNAVAILABLE", 100), ("ABORTED", 50)] {
        let error = WsError::new(code, "m");
        assert_eq!(wire(&error), json!({"code": code, "message": "m", "retryable": true, "retryAfterMs": ms}));
        assert_eq!(wire(&error.with_retry_after(Duration::from_millis(7)))["retryAfterMs"], 7);
    }
    let never = WsError::resource_exhausted("m").never_retry();
    assert_eq!(
        wire(&never),
        json!({"code": "RESOURCE_EXHAUSTED", "message": "m", "retryable": false, "retryAfterMs": null})
    );
}

#[test]
fn internal_and_custom_codes_leave_retryable_to_the_server() {
    assert_eq!(wire(&WsError::new("INTERNAL", "m")), json!({"code": "INTERNAL", "message": "m"}));
    let custom = WsError::new("OUT_OF_CAKE", "m").with_retryable(true).with_retry_after(Duration::from_millis(9));
    assert_eq!(wire(&custom), json!({"code": "OUT_OF_CAKE", "message": "m", "retryable": true, "retryAfterMs": 9}));
}

#[test]
fn a_written_error_is_read_back() {
    for error in [
        WsError::not_found("m").with_detail("a", 1),
        WsError::unavailable("m").with_retry_after(Duration::from_millis(7)),
        WsError::resource_exhausted("m").never_retry(),
        WsError::new("OUT_OF_CAKE", "m").with_retryable(true),
    ] {
        let read: WsError = serde_json::from_value(wire(&error)).unwrap();
        assert_eq!(wire(&read), wire(&error));
    }
    assert!(serde_json::from_value::<WsError>(json!({ "code": 1, "message": "m" })).is_err());
}

#[test]
fn details_lose_credentials_at_any_depth() {
    let error = WsError::not_found("m").with_details(json!({
        "Token": "t", "a": [{"PASSWORD": "p", "b": 1}], "apiKey": "k", "c": {"Access_Token": 1}
    }));
    assert_eq!(wire(&error)["details"], json!({"a": [{"b": 1}], "c": {}}));
    assert_eq!(wire(&WsError::not_found("m").with_detail("secret", 1))["details"], json!({}));
}

#[test]
fn foreign_errors_are_internal_and_ours_stay() {
    let foreign: BoxError = "disk on fire".into();
    let error = WsError::from(foreign);
    assert_eq!(wire(&error), json!({"code": "INTERNAL", "message": "internal error"}));
    assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    let ours: BoxError = WsError::not_found("x").into();
    assert_eq!(WsError::from(ours).code(), &ErrorCode::NotFound);
    #[derive(Debug)]
    struct Wrapper(WsError);
    impl fmt::Display for Wrapper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapper")
        }
    }
    impl StdError for Wrapper {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }
    let wrapped: BoxError = Wrapper(WsError::not_found("x").with_detail("a", 1)).into();
    assert_eq!(wire(&WsError::from(wrapped))["details"], json!({"a": 1}));
}

#[test]
fn debug_output_shows_the_cause_that_the_wire_hides() {
    let error = WsError::internal(std::io::Error::other("disk full"));
    let debug = format!("{error:?}");
    assert!(debug.contains("disk full") && debug.contains("Internal"), "{debug}");
    assert!(!wire(&error).to_string().contains("disk full"));
}

#[test]
fn errors_are_displayed_with_code_and_message() {
    assert_eq!(WsError::not_found("no such room").to_string(), "NOT_FOUND: no such room");
    assert_eq!(WsError::internal(std::io::Error::other("disk full")).to_string(), "INTERNAL: internal error");
}
