//! Tests the examples over real sockets, one module each: a test per row of the checklist, and the
//! other features of an example.
//!
//! One program for all: each program links the whole server, which takes as long as its tests.

#![expect(clippy::unwrap_used, reason = "a missing value fails the test")]

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
mod typed_client;
mod upload;
mod versioning;
