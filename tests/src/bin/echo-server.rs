//! An echo server for the Autobahn test suite.

use switchboard_tests::{echo, serve::serve};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    serve(echo::app()).await
}
