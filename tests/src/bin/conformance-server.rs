//! The server that black-box clients test the protocol against.

use switchboard_tests::{conformance, serve::serve};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (stop, mut stopped) = mpsc::channel(1);
    tokio::select! {
        served = serve(conformance::app_with(stop)) => served,
        // Emptied, as asked.
        _ = stopped.recv() => Ok(()),
    }
}
