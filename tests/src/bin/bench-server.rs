//! The server that is measured: `RT=multi` for a runtime of `WORKERS` threads, else one thread.

use switchboard_tests::{bench, serve::run};

fn main() -> std::io::Result<()> {
    run(bench::app())
}
