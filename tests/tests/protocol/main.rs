//! The protocol over real sockets, a test for each row of `docs/protocol.md` that is in scope.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod kinds_decoding;
mod kinds_raw_values;
mod kinds_shapes;
mod kinds_types;
mod section_1_envelopes;
mod section_1_frames;
mod section_1_requests;
mod section_1_types;
mod section_2_bad_messages;
mod section_2_panics;
mod section_2_races;
mod section_2_situations;
mod section_3_errors;
mod section_4_origin;
mod section_4_upgrade;
mod section_5_extended;
mod section_6_closing;
mod section_7_calls;
mod section_7_concurrency;
mod section_7_idempotency;
mod section_7_ordering;
mod section_7_pressure;
mod section_7_publishing;
mod section_8_defaults;
mod section_8_progress;

use switchboard_tests::{client::Server, conformance};

fn server() -> Server {
    Server::start(conformance::app())
}
