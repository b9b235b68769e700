//! What handlers can know of and do to the request that they handle.

mod begun;
mod cancelled;
mod deadline;
mod progress;
mod received_at;
pub(crate) mod terminal;

pub(crate) use self::{begun::Begun, terminal::Terminal};
pub use self::{cancelled::Cancelled, deadline::Deadline, progress::Progress, received_at::ReceivedAt};
