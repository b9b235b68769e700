//! `cargo xtask soak`: runs the soak tests at full size, optimised.

use anyhow::Result;
use devkit::CommandLine;

use crate::step::Steps;

/// The number of concurrent connections. Each needs an open file in the server and one in the test.
const CONNECTIONS: &str = "10000";

/// How often all of them connect and leave. The memory after the first round is the baseline for
/// the others.
const ROUNDS: &str = "6";

/// How often one client joins and leaves.
const JOINS: &str = "1000000";

pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::new();
    let result = steps.commands("soak", &[command()]);
    println!("\n{steps}");
    result
}

fn command() -> CommandLine {
    // Without nextest, which limits the time of tests. One after the other, each with the machine
    // to itself.
    CommandLine::cargo("test --release --package switchboard-tests --test soak -- --nocapture --test-threads 1")
        .env("SWITCHBOARD_SOAK_CONNECTIONS", CONNECTIONS)
        .env("SWITCHBOARD_SOAK_ROUNDS", ROUNDS)
        .env("SWITCHBOARD_SOAK_JOINS", JOINS)
}
