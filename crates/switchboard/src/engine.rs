//! The engine: one task per connection, one turn at a time.
//!
//! A turn reads what has arrived, handles it, and writes everything that came of it with one
//! flush. A handler that is ready at once is done within the turn; one that is not stays in the
//! connection's own task, and what arrives meanwhile waits in the inbox, in order.

mod beside;
mod closing;
mod driver;
mod inbox;
mod incoming;
mod report;
mod running;
mod session;

pub(crate) use self::{
    driver::Driver,
    running::{ToCompletion, drop_quietly},
    session::Session,
};
