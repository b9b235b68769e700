//! The server that is measured: `RT=multi` for a runtime of `WORKERS` threads, else one thread.

use switchboard_tests::{bench, serve::serve};
use tokio::runtime::Builder;

fn main() -> std::io::Result<()> {
    if std::env::var("RT").as_deref() == Ok("multi") {
        let workers = std::env::var("WORKERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
        // The thread that blocks is no worker: nothing of the server may run on it.
        runtime.block_on(async { tokio::spawn(serve(bench::app())).await? })
    } else {
        Builder::new_current_thread().enable_all().build()?.block_on(serve(bench::app()))
    }
}
