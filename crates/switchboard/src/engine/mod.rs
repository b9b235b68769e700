//! The engine: one task per connection, which works in turns.
//!
//! A turn reads the frames that have arrived, handles them, and writes all output with one flush.
//! It ends after about half a millisecond. A handler that is ready at its first poll completes
//! within the turn. A pending one stays in the connection's task, and messages that arrive
//! meanwhile wait in the inbox, in order.

mod budget;
mod closing;
mod concurrent;
mod driver;
mod inbox;
mod incoming;
mod rates;
mod report;
mod running;
mod session;
mod throttle;

pub(crate) use self::{driver::Driver, session::Session};
