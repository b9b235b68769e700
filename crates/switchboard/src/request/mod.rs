//! The message that is being handled: its deadline, progress, cancellation and end.

mod call;
mod cancelled;
pub(crate) mod completion;
mod deadline;
mod progress;
mod received_at;
mod started_at;
mod to_completion;

pub(crate) use self::{
    call::{AsCall, Call, CallId, OwnedCall, OwnedId},
    completion::Completion,
    started_at::StartedAt,
    to_completion::ToCompletion,
};
pub use self::{cancelled::Cancelled, deadline::Deadline, progress::Progress, received_at::ReceivedAt};
