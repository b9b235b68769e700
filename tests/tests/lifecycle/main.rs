//! From the upgrade to the end: who may connect, for how long, and how it ends.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod authentication;
mod detached;
mod draining;
mod fairness;
mod floods;
mod heartbeat;
mod limits;
mod logs;
mod panics;
mod reauthorizing;
mod unknown;

use switchboard_tests::{client::Server, conformance};

fn server() -> Server {
    Server::start(conformance::app())
}
