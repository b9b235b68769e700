//! The suite that every [`Broker`] passes: what the layers above rely on.
//!
//! An adapter's tests implement [`Target`], and expand [`broker_conformance!`](crate::broker_conformance) to one test
//! for each case. The suite needs no particular runtime.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use switchboard_core::{
//!     broker::{Broker, MemoryBus},
//!     conformance::Target,
//! };
//!
//! struct InMemory(MemoryBus);
//!
//! impl Target for InMemory {
//!     async fn broker(&self) -> Arc<dyn Broker> {
//!         Arc::new(self.0.broker())
//!     }
//!
//!     async fn sleep(&self, duration: Duration) {
//!         tokio::time::sleep(duration).await;
//!     }
//! }
//!
//! switchboard_core::broker_conformance!(tokio::test, InMemory(MemoryBus::new()));
//! # fn main() {}
//! ```
//!
//! # Panics
//!
//! A case panics if the broker does not keep a promise, with a text that says which.

mod cases;
mod listener;
mod node;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

pub use self::cases::{
    delivery::{
        bytes_arrive_unchanged, large_messages_arrive, messages_reach_all_subscribers_and_no_others,
        order_is_kept_for_each_publisher_and_channel, publishing_needs_no_polling,
    },
    lifecycle::{
        a_channel_left_during_a_reconnect_stays_left, a_reconnect_restores_all_channels,
        a_slow_sink_loses_nothing_silently, shutdown_ends_everything, starting_twice_is_refused,
    },
    names::{channels_are_exact, kinds_of_channels_are_apart},
    subscriptions::{
        a_confirmed_subscription_hears_the_next_message, many_channels_are_served, nothing_arrives_after_unsubscribing,
        subscribing_again_does_not_duplicate, the_last_of_joins_and_leaves_counts,
    },
};
use crate::broker::Broker;

/// What the suite needs of an adapter's tests.
pub trait Target: Send + Sync {
    /// Creates the broker of one more node, not started yet. All brokers of a target use the same server, and the same
    /// prefix if the adapter has one. Two targets must not hear each other: tests run in parallel.
    fn broker(&self) -> impl Future<Output = Arc<dyn Broker>> + Send;

    /// Waits, by the runtime's timer.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Returns how long the suite waits for something that must happen, before it fails: 20 s.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }

    /// Returns the size of the largest message that the suite sends, in bytes: 900 KiB.
    fn large_message_bytes(&self) -> usize {
        900 * 1024
    }
}

/// Expands to one test for each case of the [suite](crate::conformance).
///
/// The first argument is the attribute of an asynchronous test. The second is an expression that creates the
/// [`Target`]: it is evaluated for each test, in an asynchronous function, so it may contain `.await`.
#[macro_export]
macro_rules! broker_conformance {
    ($test:meta, $target:expr) => {
        $crate::broker_conformance! { @cases $test, $target,
            a_channel_left_during_a_reconnect_stays_left
            a_confirmed_subscription_hears_the_next_message
            a_reconnect_restores_all_channels
            a_slow_sink_loses_nothing_silently
            bytes_arrive_unchanged
            channels_are_exact
            kinds_of_channels_are_apart
            large_messages_arrive
            many_channels_are_served
            messages_reach_all_subscribers_and_no_others
            nothing_arrives_after_unsubscribing
            order_is_kept_for_each_publisher_and_channel
            publishing_needs_no_polling
            shutdown_ends_everything
            starting_twice_is_refused
            subscribing_again_does_not_duplicate
            the_last_of_joins_and_leaves_counts
        }
    };
    (@cases $test:meta, $target:expr, $($case:ident)*) => {
        $(
            #[$test]
            async fn $case() {
                $crate::conformance::$case(&$target).await;
            }
        )*
    };
}
