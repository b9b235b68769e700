//! The server that `bench-server` is compared to: the same application, written by hand on axum.

use switchboard_tests::{by_hand, serve::run};

fn main() -> std::io::Result<()> {
    run(by_hand::app())
}
