//! The server that `bench-server` is compared with: the same application, written by hand on axum.

use switchboard::Hub;
use switchboard_tests::{baseline, serve::run};

fn main() -> std::io::Result<()> {
    // It has connections of its own, which no hub knows.
    run(async || Ok((baseline::app(), Hub::new())))
}
