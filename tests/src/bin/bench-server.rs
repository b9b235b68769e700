//! The server that is measured, on one thread, or on `WORKERS` threads with `RT=multi`.

use switchboard_tests::{bench, serve::run};

fn main() -> std::io::Result<()> {
    run(bench::app())
}
