//! `cargo xtask loom`: the models of queues, topics and the ends of requests, in all orders of their
//! threads' steps.

use anyhow::{Context as _, Result};
use devkit::CommandLine;
use serde_json::Value;

pub(crate) fn run() -> Result<()> {
    let messages = build().output()?;
    let program = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(str::to_owned))
        .next_back()
        .context("cargo names no test program")?;
    CommandLine::new(&program).arg("loom_tests::").run()
}

/// The condition is only for this crate: dependencies, some of which know the same one, stay as they are.
fn build() -> CommandLine {
    let build =
        "rustc --package switchboard --lib --profile test --all-features --message-format json-render-diagnostics";
    CommandLine::cargo(build).args(["--", "--cfg", "loom"])
}
