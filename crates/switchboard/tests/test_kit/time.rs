//! A clock that stands still until nothing else can happen.

use std::time::{Duration, Instant};

use switchboard::{Config, WsRouter, test::TestApp, ws_message, ws_rpc};

use crate::app::{Add, Wait, Welcome, apps, rooms};

#[tokio::test(start_paused = true)]
async fn heartbeats_are_answered_and_missed() {
    let begin = Instant::now();
    for app in apps() {
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.expect::<Welcome>().await;
        // Many pings, none of which this test sees.
        ann.expect_nothing_for(Duration::from_secs(3600)).await;
        ann.call(Add { a: 1.0, b: 2.0 }).await.unwrap();
        ann.hold();
        // Ping and pong, and less than what is left for the close frame.
        tokio::time::sleep(Duration::from_secs(36)).await;
        ann.resume();
        assert_eq!(ann.expect_close(1008).await, "Heartbeat timeout");
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "the clock did not stand still: {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn deadlines_pass_at_once() {
    for app in apps() {
        let app = app.patience(Duration::from_secs(60));
        let mut ann = app.connect().bearer("ann").await.unwrap();
        ann.call(Wait { ms: 600_000 }).expect_error("DEADLINE_EXCEEDED").await;
        ann.set_patience(Duration::MAX);
        ann.call(Wait { ms: 20_000 }).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_does_not_come_in_time() {
    let config = Config::new().identify_timeout(Duration::from_secs(10));
    let app = TestApp::new(rooms().config(config)).patience(Duration::from_secs(11));
    let mut ann = app.connect().bearer("ann").await.unwrap();
    ann.expect::<Welcome>().await;
    ann.expect_nothing_for(Duration::from_secs(9)).await;
    ann.expect_close(1008).await;
}

#[ws_message("BULK")]
struct Bulk {
    text: String,
}

#[ws_rpc("SEND_MUCH", response = Bulk)]
struct SendMuch;

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_a_slow_consumer() {
    let much = async |conn: switchboard::Conn, _: SendMuch| {
        for _ in 0..100 {
            if conn.send(Bulk { text: "x".repeat(32 * 1024) }).is_err() {
                break;
            }
        }
        Bulk { text: String::new() }
    };
    let app = TestApp::new(WsRouter::new().on(much));
    let mut ann = app.connect().await.unwrap();
    ann.hold();
    let pending = ann.call(SendMuch).start().await;
    app.settle().await;
    ann.resume();
    // What was under way comes, then the reason.
    assert_eq!(ann.skip_to_close(4002).await, "slow consumer");
    drop(pending);
}
