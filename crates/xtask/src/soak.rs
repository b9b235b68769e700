//! `cargo xtask soak`: the soak tests at full size, optimised.

use anyhow::Result;
use devkit::CommandLine;

use crate::step::Steps;

/// How many connections there are at the same time. Each costs a file in the server and one in the test.
const CONNECTIONS: &str = "10000";

/// How often they all come, and go: what the first round leaves is what the others are compared with.
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
    // Without nextest, whose patience is that of tests; one after the other, each with the machine to itself.
    CommandLine::cargo("test --release --package switchboard-tests --test soak -- --nocapture --test-threads 1")
        .env("SWITCHBOARD_SOAK_CONNECTIONS", CONNECTIONS)
        .env("SWITCHBOARD_SOAK_ROUNDS", ROUNDS)
        .env("SWITCHBOARD_SOAK_JOINS", JOINS)
}
