//! The server that black-box clients test the protocol against.

use switchboard_tests::{conformance, serve::serve};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    serve(conformance::app()).await
}
