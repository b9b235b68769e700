//! Node's `ws`.

use crate::{
    driver::program,
    plan::{Fragments, assert_seen},
    script,
    server::Transport,
};

#[tokio::test]
async fn on_native() {
    assert_seen(&seen(Transport::Native).await, Fragments::Seen);
}

#[tokio::test]
async fn on_axum() {
    assert_seen(&seen(Transport::Axum).await, Fragments::Seen);
}

async fn seen(transport: Transport) -> serde_json::Value {
    script::run(&program("node"), "echo.mjs", transport).await
}
