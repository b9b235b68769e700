//! What handlers can know of and do to the request that they handle.

mod begun;
mod call;
mod cancelled;
mod deadline;
mod progress;
mod received_at;
pub(crate) mod terminal;
mod to_completion;

pub(crate) use self::{
    begun::Begun,
    call::{AsCall, Call, CallId, KeptCall, KeptId},
    terminal::Terminal,
    to_completion::ToCompletion,
};
pub use self::{cancelled::Cancelled, deadline::Deadline, progress::Progress, received_at::ReceivedAt};
