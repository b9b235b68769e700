//! The test kit (feature `test`): an application is driven in memory, through the real upgrade,
//! extractors, hooks and engine, but without a port.
//!
//! ```
//! use switchboard::{Conn, WsError, WsRouter, test::TestApp, ws_message, ws_rpc};
//!
//! #[ws_message("SAY")]
//! struct Say {
//!     #[validate(length(min = 1))]
//!     text: String,
//! }
//!
//! #[ws_message("SAID")]
//! struct Said {
//!     text: String,
//! }
//!
//! #[ws_message("SUM")]
//! struct Sum {
//!     result: f64,
//! }
//!
//! #[ws_rpc("ADD", response = Sum)]
//! struct Add {
//!     a: f64,
//!     b: f64,
//! }
//!
//! async fn say(conn: Conn, say: Say) -> Result<(), WsError> {
//!     conn.publish("lobby", Said { text: say.text }).await?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let router = WsRouter::new()
//!     .on_open(async |conn: Conn| conn.subscribe("lobby").await.map(drop))
//!     .on(say)
//!     .on(async |add: Add| Sum { result: add.a + add.b });
//! let app = TestApp::new(router);
//! let (mut ann, mut bob) = (app.connect().await?, app.connect().await?);
//!
//! ann.send(Say { text: "hi".into() }).await;
//! assert_eq!(bob.expect::<Said>().await.text, "hi");
//! assert_eq!(app.expect_published::<Said>("lobby").await.text, "hi");
//!
//! assert_eq!(ann.call(Add { a: 1.0, b: 2.0 }).await?.result, 3.0);
//!
//! bob.send(Say { text: String::new() }).await;
//! bob.expect_error("INVALID_ARGUMENT").await;
//! # Ok(())
//! # }
//! ```
//!
//! The guide is [`guide::testing`](crate::guide::testing).
//!
//! # Panics
//!
//! Expectations panic when they are not met: so a test fails. The text begins with the place in the
//! test, says what was expected, and what came instead or meanwhile. Nothing is waited for longer
//! than the app's [`patience`](TestApp::patience), 5 seconds unless set, in tokio's time.
//!
//! # Cancel safety
//!
//! What waits can be dropped: nothing that has arrived is lost, but for what `skip_to` has skipped. A
//! frame whose future is dropped while it is sent is sent whole, perhaps with the next one, or not at
//! all.

mod app;
mod call;
mod client;
mod connect;
mod expect;
mod failure;
mod published;
mod question;
mod reader;
mod refusal;
mod server;
mod wire;

use std::time::Duration;

pub use self::{
    app::TestApp,
    call::{PendingCall, TestCall},
    client::TestClient,
    connect::Connect,
    published::CapturedPublish,
    question::Question,
    refusal::Refusal,
};

/// How long something is waited for unless the test says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nothing came for so long: it is quiet. When the clock stands still, it moves only once no task
/// can go on.
const QUIET: Duration = Duration::from_millis(10);
