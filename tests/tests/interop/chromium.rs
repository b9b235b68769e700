//! Chromium, whose interface knows no fragments and no pings.

use axum::{Router, http::header::CONTENT_TYPE, response::Html, routing::get};
use serde_json::Value;
use switchboard_tests::client;

use crate::{
    driver::{Driver, Screen},
    plan::{Fragments, assert_seen, plan},
    server::{Server, Transport},
};

/// Calls the last argument when done.
const EXCHANGE: &str = "
    const [url, plan, done] = arguments;
    const all = async () => {
        const { connect, exchange } = await import('/exchange.mjs');
        const seen = await exchange(WebSocket, url, plan);
        // Still open, and with an answer on its way, when the page goes.
        const ws = await connect(WebSocket, url);
        ws.send('x'.repeat(1048576));
        return seen;
    };
    all().then(done, (error) => done(String(error)));";

const AGAIN: &str = "
    const [url, plan, done] = arguments;
    const all = async () => {
        const { connect, echo, next } = await import('/exchange.mjs');
        const ws = await connect(WebSocket, url);
        const said = await echo(ws, plan.again);
        ws.close();
        await next(ws, 'close');
        return said;
    };
    all().then(done, (error) => done(String(error)));";

#[tokio::test]
async fn on_native() {
    assert_seen(&seen("native", Transport::Native).await, Fragments::NoInterface);
}

#[tokio::test]
async fn on_axum() {
    assert_seen(&seen("axum", Transport::Axum).await, Fragments::NoInterface);
}

async fn seen(name: &'static str, transport: Transport) -> Value {
    let server = Server::start(transport).await;
    let site = client::Server::start(site());
    let driver = Driver::start();
    let browser = driver.open_browser(Screen { name, width: 800, height: 600, phone: false }).await;
    browser.goto(&format!("http://{}/", site.addr)).await.expect("the page loads");
    let arguments = vec![server.url().into(), plan()];
    let mut seen = browser.execute_async(EXCHANGE, arguments.clone()).await.expect("the script runs");
    assert!(seen.is_object(), "{seen}");
    browser.refresh().await.expect("the page loads again");
    seen["again"] = browser.execute_async(AGAIN, arguments).await.expect("the script runs");
    assert_eq!(driver.console(&browser).await, [""; 0]);
    browser.close().await.expect("the browser closes");
    server.stop().await;
    seen
}

/// A page of another origin than the server's, because a module cannot be loaded from nowhere.
fn site() -> Router {
    let page = || async { Html("<!doctype html><title>echo</title><link rel=icon href='data:,'>") };
    let module = || async { ([(CONTENT_TYPE, "text/javascript")], include_str!("../../interop/exchange.mjs")) };
    Router::new().route("/", get(page)).route("/exchange.mjs", get(module))
}
