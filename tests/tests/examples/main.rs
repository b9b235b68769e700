//! The examples over real sockets, one module each; a test per row of the checklist, and what else an example shows.
//!
//! One program for all: each links the whole server, so every further program costs as much as its tests.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod auth_jwt;
mod chat;
mod flow_control;
mod heartbeat;
mod modules;
mod negotiation;
mod rate_limiting;
mod rpc;
mod state;
mod topics;
mod upload;
mod versioning;
