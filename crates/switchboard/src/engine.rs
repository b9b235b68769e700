//! The engine: one task per connection, one turn at a time.
//!
//! A turn reads what has arrived, handles it, and writes everything that came of it with one
//! flush, and ends after about a millisecond. A handler that is ready at once is done within the turn; one that is not stays in the
//! connection's own task, and what arrives meanwhile waits in the inbox, in order.

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
