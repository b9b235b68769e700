//! Guides, in reading order.
//!
//! 1. [`coming_from`]: the same things in axum's WebSockets, Socket.IO and ws-kit
//! 2. [`handlers`]: arguments, replies, concurrency, deadlines and cancellation
//! 3. [`topics`]: subscribing, publishing, authorisation, filters, slow consumers
//! 4. [`authentication`]: who may connect, as which user, and for how long
//! 5. [`middleware`]: layers around messages
//! 6. [`errors`]: what clients see, what is logged, what closes a connection
//! 7. [`testing`]: applications in memory, with a paused clock (feature `test`)
//! 8. [`shutdown`]: serving, draining, shutting down
//! 9. [`nodes`]: several nodes, joined by a broker (feature `cluster`)
//! 10. [`shared_messages`]: one crate of messages for the server and its Rust clients
//! 11. [`metrics`]: counters and histograms (feature `metrics`)
//! 12. [`memory`]: limits, and memory after a peak

#[doc = include_str!("../docs/coming_from.md")]
pub mod coming_from {}

#[doc = include_str!("../docs/handlers.md")]
pub mod handlers {}

#[doc = include_str!("../docs/topics.md")]
pub mod topics {}

#[doc = include_str!("../docs/authentication.md")]
pub mod authentication {}

#[doc = include_str!("../docs/middleware.md")]
pub mod middleware {}

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[cfg(feature = "test")]
#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/shutdown.md")]
pub mod shutdown {}

#[cfg(feature = "cluster")]
#[doc = include_str!("../docs/nodes.md")]
#[cfg_attr(feature = "test", doc = "", doc = include_str!("../docs/nodes_testing.md"))]
pub mod nodes {}

#[doc = include_str!("../docs/shared_messages.md")]
pub mod shared_messages {}

#[doc = include_str!("../docs/metrics.md")]
pub mod metrics {}

#[doc = include_str!("../docs/memory.md")]
pub mod memory {}
