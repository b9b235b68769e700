//! `cargo xtask loom`: checks the models of queues, topics and the ends of requests in all thread
//! interleavings.

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

/// The condition applies only to this crate: some dependencies have one of the same name, and must
/// not change.
fn build() -> CommandLine {
    let build =
        "rustc --package switchboard --lib --profile test --all-features --message-format json-render-diagnostics";
    CommandLine::cargo(build).args(["--", "--cfg", "loom"])
}
