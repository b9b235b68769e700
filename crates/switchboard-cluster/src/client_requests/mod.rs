//! Requests to clients that are connected to other nodes.
//!
//! A node asks the nodes that may have the clients; each of them passes on what its clients answer, and says when that was
//! all. The asking node says when it needs no more.

mod asked;
mod served;

pub(crate) use self::{asked::AskedRequests, served::ServedRequests};
