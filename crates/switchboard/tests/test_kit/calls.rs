//! Requests, of clients and of the server.

use std::time::Duration;

use switchboard::WsError;

use crate::app::{Add, Answer, AskMe, Join, Joined, Question, Wait, Welcome, apps};

#[tokio::test(start_paused = true)]
async fn replies_errors_and_progress() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        assert_eq!(ann.call(Add { a: 1.0, b: 2.0 }).await.unwrap().result, 3.0);
        let mut ticks = Vec::new();
        ann.call(Wait { ms: 100 }).on_progress(|tick| ticks.push(tick.ms)).await.unwrap();
        assert_eq!(ticks, [50, 100]);
        let error =
            ann.call(Wait { ms: 1000 }).timeout(Duration::from_millis(600)).expect_error("DEADLINE_EXCEEDED").await;
        assert_eq!(error.retryable(), Some(true));
        ann.expect::<Welcome>().await;
        ann.expect_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn several_at_the_same_time_and_aborts() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        let long = ann.call(Wait { ms: 400 }).start().await;
        let endless = ann.call(Wait { ms: 20_000 }).start().await;
        let short = ann.call(Wait { ms: 100 }).start().await;
        assert_ne!(long.id(), short.id());
        ann.reply(short).await.unwrap();
        assert_eq!(ann.progress(&long).await.ms, 200);
        ann.abort(&endless).await;
        assert_eq!(ann.reply(endless).await.err().unwrap().code().as_str(), "CANCELLED");
        ann.expect_nothing_for(Duration::from_secs(1)).await;
        ann.reply(long).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_has_one_effect() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        let first = ann.call(Add { a: 1.0, b: 2.0 }).idempotency_key("k").await.unwrap();
        let again = ann.call(Add { a: 1.0, b: 2.0 }).idempotency_key("k").await.unwrap();
        assert_eq!(first.result, again.result);
        ann.call(Add { a: 2.0, b: 2.0 }).idempotency_key("k").expect_error("FAILED_PRECONDITION").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_asks() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        ann.answer(|question: Question| Answer { text: format!("{} Ann", question.text) });
        assert_eq!(ann.call(AskMe).await.unwrap().text, "name? Ann");
        ann.answer(|_: Question| Err::<Answer, _>(WsError::not_found("no name")));
        assert_eq!(ann.call(AskMe).expect_error("NOT_FOUND").await.message(), "no name");

        let mut bob = app.connect().bearer("bob").await.unwrap();
        let asked = bob.call(AskMe).start().await;
        bob.skip_to::<Joined>().await;
        let question = bob.expect_call::<Question>().await;
        assert_eq!(question.request().text, "name?");
        question.answer(Answer { text: "Bob".into() }).await;
        assert_eq!(bob.reply(asked).await.unwrap().text, "Bob");
        let asked = bob.call(AskMe).start().await;
        bob.expect::<Joined>().await;
        bob.expect_call::<Question>().await.refuse(WsError::unavailable("busy")).await;
        assert_eq!(bob.reply(asked).await.err().unwrap().code().as_str(), "UNAVAILABLE");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_receive_loses_no_message() {
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        let short = Duration::from_millis(10);
        assert!(tokio::time::timeout(short, ann.expect::<Joined>()).await.is_err());
        assert!(tokio::time::timeout(short, ann.call(Wait { ms: 1000 })).await.is_err());
        ann.send(Join { room: "lobby".into() }).await;
        // Its reply comes meanwhile, and is ignored.
        tokio::time::sleep(Duration::from_secs(2)).await;
        ann.expect::<Joined>().await;
        ann.expect_nothing().await;
    }
}
