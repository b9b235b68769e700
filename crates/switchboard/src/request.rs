//! What handlers can know of and do to the request that they handle.

mod started_at;
mod call;
mod cancelled;
mod deadline;
mod progress;
mod received_at;
pub(crate) mod completion;
mod to_completion;

pub(crate) use self::{
    started_at::StartedAt,
    call::{AsCall, Call, CallId, OwnedCall, OwnedId},
    completion::Completion,
    to_completion::ToCompletion,
};
pub use self::{cancelled::Cancelled, deadline::Deadline, progress::Progress, received_at::ReceivedAt};
