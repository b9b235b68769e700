//! An echo server for the Autobahn test suite.

use switchboard::Hub;
use switchboard_tests::{echo, serve::serve};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = Hub::new();
    serve(echo::app_on(&hub), &hub).await
}
