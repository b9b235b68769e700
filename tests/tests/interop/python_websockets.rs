//! Python's `websockets`.

use std::path::Path;

use crate::{
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
    // CARGO_TARGET_TMPDIR is a folder of the target folder.
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("bin/python");
    assert!(python.is_file(), "{} is not there; run: cargo xtask setup", python.display());
    script::run(&python, "echo.py", transport).await
}
