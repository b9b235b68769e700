//! The protocol of `docs/protocol.md` over real sockets, in folders after its sections.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

mod closing;
mod delivery;
mod errors;
mod extended;
mod failures;
mod kinds;
mod limits;
mod messages;
mod transcript;
mod upgrade;

use switchboard_tests::{client::Server, conformance};

fn server() -> Server {
    Server::start(conformance::app())
}
