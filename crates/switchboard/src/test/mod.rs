//! The test kit (feature `test`): drives an application in memory, through the real HTTP upgrade,
//! extractors, hooks and engine, without a port.
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
//! See also the guide [`testing`](crate::guide::testing).
//!
//! # Panics
//!
//! Expectations that are not met panic. The message begins with the location in the test, and says what
//! was expected and what arrived instead. Nothing waits longer than the app's
//! [`patience`](TestApp::patience), 5 seconds of tokio's time by default.
//!
//! # Cancel safety
//!
//! Futures that wait are cancel safe: no message that has arrived is lost, except those that `skip_to`
//! has skipped. If a future that sends is dropped, its frame is sent completely, at the latest with the
//! next one, or not at all.

mod app;
mod call;
mod client;
mod connect;
mod expect;
mod failure;
mod http;
#[cfg(feature = "cluster")]
mod nodes;
mod published;
mod question;
mod reader;
mod refusal;
mod server;
mod wire;

use std::time::Duration;

#[cfg(feature = "cluster")]
pub use self::nodes::{TestCluster, TestNode};
pub use self::{
    app::TestApp,
    call::{PendingCall, TestCall},
    client::TestClient,
    connect::Connect,
    http::{HttpClient, HttpRequest, HttpResponse},
    published::CapturedPublish,
    question::Question,
    refusal::Refusal,
};

/// The default of [`TestApp::patience`].
const PATIENCE: Duration = Duration::from_secs(5);

/// After this time without a message, the application is quiet. A paused clock advances only when no
/// task can make progress.
const QUIET: Duration = Duration::from_millis(10);
