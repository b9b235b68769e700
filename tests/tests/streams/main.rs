//! The protocol over everything that a WebSocket can run on: TCP, TLS, a Unix socket, HTTP/2, hyper without
//! hyper-util's builder, and a stream of the application's own. The scenarios are the same on each; what only one of
//! them has is in its own file.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

/// A test of each scenario on one kind of stream.
macro_rules! scenarios {
    ($site:ty: $($name:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            crate::scenarios::$name::<$site>().await;
        }
    )*};
    ($site:ty) => {
        scenarios!($site:
            requests_and_events
            requests_sent_at_once_are_answered_in_order
            a_message_in_portions
            fragments_with_pings_between
            much_both_ways_at_once
            fifty_members_get_all_in_order
            a_member_that_reads_late_holds_nobody_up
            a_member_that_does_not_read_is_evicted
            a_member_that_never_reads_is_dropped
            a_close_code_of_the_client_comes_back
            the_server_closes
            violations_are_told
            a_connection_that_is_lost
            a_handler_that_waits_for_room
            a_handler_that_does_not_wait
        );
    };
}

#[cfg(unix)]
mod unix;

mod app;
mod buffered;
mod early;
mod http2;
mod plain_hyper;
mod scenarios;
mod site;
mod tcp;
mod tls;
