//! The server that `bench-server` is compared with: the same application, written by hand on axum.

use switchboard_tests::{baseline, serve::run};

fn main() -> std::io::Result<()> {
    run(baseline::app())
}
