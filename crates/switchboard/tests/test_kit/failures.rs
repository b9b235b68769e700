//! What a test says when it fails.

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;
use switchboard::{WsRouter, test::TestApp, ws_message};

use crate::app::{Add, Answer, AskMe, Join, Joined, Question, Wait, Welcome, apps};

/// Returns the message of a failure without the location, which must be in this folder.
pub(crate) async fn failure<T>(failing: impl Future<Output = T>) -> String {
    let panic = AssertUnwindSafe(failing).catch_unwind().await.err().expect("a failure");
    let text = panic.downcast_ref::<String>().unwrap().clone();
    let (place, text) = text.split_once(": ").unwrap();
    assert!(place.replace('\\', "/").contains("tests/test_kit/"), "{place}");
    text.to_owned()
}

#[tokio::test(start_paused = true)]
async fn another_message() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        let text = failure(ann.expect::<Joined>()).await;
        assert!(text.starts_with(r#"expected JOINED, got {"type":"WELCOME","meta":{"timestamp":"#), "{text}");
        assert!(text.ends_with(r#"},"payload":{"name":"ann"}}"#), "{text}");
        ann.send(Join { room: String::new() }).await;
        let text = failure(ann.expect_error("NOT_FOUND")).await;
        assert!(text.starts_with(r#"expected the error NOT_FOUND, got {"type":"ERROR""#), "{text}");
        ann.send(Join { room: "lobby".into() }).await;
        let text = failure(ann.expect_nothing()).await;
        assert!(text.starts_with(r#"expected nothing, got {"type":"JOINED""#), "{text}");
        ann.send(Join { room: "lobby".into() }).await;
        let text = failure(ann.expect_close(1000)).await;
        assert!(text.starts_with(r#"expected to be closed with 1000, got {"type":"JOINED""#), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_read() {
    #[ws_message("WELCOME")]
    struct Other {
        #[serde(rename = "nick")]
        _nick: String,
    }
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        let text = failure(ann.expect::<Other>()).await;
        assert!(text.starts_with("WELCOME does not decode as "), "{text}");
        assert!(text.contains("Other: missing field `nick` at "), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        let text = failure(ann.expect::<Joined>()).await;
        assert_eq!(text, "waited 5s for JOINED; nothing else arrived");
        ann.send(Join { room: "lobby".into() }).await;
        let text = failure(async { ann.call(Wait { ms: 10_000 }).await }).await;
        assert!(
            text.starts_with("waited 5s for the reply to WAIT (t1); arrived instead:\n  {\"type\":\"JOINED\""),
            "{text}"
        );
        let text = failure(ann.skip_to::<Answer>()).await;
        assert!(text.contains("expected ANSWER, but it did not arrive within 5s; arrived instead:\n"), "{text}");
        let text = failure(app.expect_published::<Answer>("attic")).await;
        assert!(
            text.contains("waited 5s for ANSWER to be published to \"attic\"; arrived instead:\n  to \"lobby\": "),
            "{text}"
        );
        let text = failure(app.expect_published::<Answer>("lobby")).await;
        assert!(text.starts_with("expected ANSWER to be published to \"lobby\", got to \"lobby\": {"), "{text}");
        ann.send(Join { room: "lobby".into() }).await;
        let text = failure(app.expect_nothing_published()).await;
        assert!(text.starts_with("expected nothing to be published, got to \"lobby\": {"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn too_much_to_keep() {
    let [app, _] = apps();
    for _ in 0..16 * 1024 + 7 {
        app.hub().publish("lobby", Joined { name: "ann".into() }).await.unwrap();
    }
    let text = failure(async { app.captured() }).await;
    assert_eq!(text, "too many messages were published and not taken: the oldest 7 are lost");
}

#[tokio::test(start_paused = true)]
async fn the_end() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        app.hub().connection(ann.id()).disconnect().await;
        let text = failure(ann.expect::<Joined>()).await;
        assert_eq!(text, "expected JOINED, but the connection was closed with 4503, \"kicked\"; nothing else arrived");
        let text = failure(ann.expect_close(1000)).await;
        assert_eq!(text, "expected to be closed with 1000, but the connection was closed with 4503, \"kicked\"");
        let text = failure(async { ann.call(Add { a: 1.0, b: 1.0 }).await }).await;
        assert!(text.starts_with("expected the reply to ADD (t1), but the connection was closed"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_panic() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.answer(|question: Question| -> Answer { panic!("place: no answer to {}", question.text) });
        let panic = AssertUnwindSafe(async { ann.call(AskMe).await }).catch_unwind().await.err().unwrap();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "place: no answer to name?");
    }
}

#[tokio::test(start_paused = true)]
async fn upgrades_and_requests_that_cannot_be() {
    let app = TestApp::new(WsRouter::<()>::new());
    let text = failure(async { app.connect().header("a b", "c") }).await;
    assert_eq!(text, "\"a b\" is not a header name");
    let text = failure(async { app.connect().path("no path").await.map(drop) }).await;
    assert!(text.starts_with("\"no path\" is not a valid path: "), "{text}");
    let app = TestApp::axum(axum::Router::new(), "/");
    let text = failure(async { app.hub() }).await;
    assert_eq!(text, "the hub is not known before the first connection: see `TestApp::with_hub`");
    let never = axum::routing::get(std::future::pending::<()>);
    let app = TestApp::axum(axum::Router::new().route("/", never), "/");
    let text = failure(async { app.connect().await.map(drop) }).await;
    assert_eq!(text, "the upgrade got no response within 5s");
}
