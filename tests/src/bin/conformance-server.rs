//! The server for black-box protocol tests.

use switchboard_tests::{broker, conformance, serve::serve};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = broker::build(conformance::hub()).await?;
    let (stop, mut stopped) = mpsc::channel(1);
    tokio::select! {
        served = serve(conformance::app_with(&hub, stop), &hub) => served,
        // The server was drained, as a client requested.
        _ = stopped.recv() => Ok(()),
    }
}
