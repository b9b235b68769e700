//! What is published.

use std::time::Duration;

use axum::{Router, body::Body, http::Request};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use switchboard::{BatchOptions, Hub, WsRouter, test::TestApp};

use crate::app::{Answer, Join, Joined, Say, apps, site};

#[tokio::test(start_paused = true)]
async fn publishes_are_seen_also_by_nobody() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        app.expect_nothing_published().await;
        ann.send(Say { room: "attic".into(), text: "hello?".into() }).await;
        ann.send(Join { room: "lobby".into() }).await;
        // Each topic by itself.
        assert_eq!(app.expect_published::<Joined>("lobby").await.name, "ann");
        assert_eq!(app.expect_published::<Answer>("attic").await.text, "hello?");
        app.expect_nothing_published().await;

        ann.send(Join { room: "cellar".into() }).await;
        app.settle().await;
        app.hub().publish("cellar", Answer { text: "from above".into() }).await.unwrap();
        let [joined, answer] = app.captured().try_into().unwrap();
        assert_eq!((joined.topic(), joined.message_type(), joined.sender()), ("cellar", "JOINED", Some(ann.id())));
        assert_eq!(joined.message::<Joined>().unwrap().name, "ann");
        assert!(joined.message::<Answer>().is_none());
        assert_eq!((answer.message_type(), answer.sender()), ("ANSWER", None));
        assert!(app.captured().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn publishes_that_are_refused_are_none() {
    for app in apps() {
        app.hub().publish("no spaces", Answer { text: String::new() }).await.unwrap_err();
        drop(app.hub().publish("x", Answer { text: String::new() }));
        app.expect_nothing_published().await;
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_and_batched_publishes_are_captured() {
    let hub = Hub::builder().normalize_topics(|name| name.to_lowercase()).build();
    let app = TestApp::new(WsRouter::<()>::new().hub(hub.clone()));
    let answer = |text: &str| Answer { text: text.into() };
    let last = hub.topic("Last").throttle(Duration::from_secs(1));
    let all = hub.topic("All").batch(BatchOptions::new(), |texts: Vec<&str>| Answer { text: texts.join(" ") });
    for text in ["1", "2", "3"] {
        last.publish(answer(text)).unwrap();
        all.push(text).unwrap();
    }
    // What never left by itself is not seen by itself.
    assert_eq!(app.expect_published::<Answer>("LAST").await.text, "3");
    assert_eq!(app.expect_published::<Answer>("aLL").await.text, "1 2 3");
    app.expect_nothing_published().await;
}

#[tokio::test(start_paused = true)]
async fn of_a_whole_application_too() {
    async fn announce(router: &Router, text: &'static str) {
        let request = Request::post("/announce").body(Body::from(text)).unwrap();
        assert!(TowerToHyperService::new(router.clone()).call(request).await.unwrap().status().is_success());
    }
    let (router, hub) = site();
    let named = TestApp::axum(router.clone(), "/ws").with_hub(&hub);
    let found = TestApp::axum(router.clone(), "/ws");
    announce(&router, "one").await;
    let ann = found.connect().bearer("ann").await.unwrap();
    announce(&router, "two").await;
    assert_eq!(named.expect_published::<Answer>("all").await.text, "one");
    // Each app has its own list.
    for app in [named, found] {
        assert_eq!(app.expect_published::<Answer>("all").await.text, "two");
        app.expect_nothing_published().await;
    }
    drop(ann);
}
