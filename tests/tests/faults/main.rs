//! Attacks and faults against `conformance-server` as a process of its own, so that what it keeps can be seen from
//! outside: its memory, its sockets, its handlers.
//!
//! The server runs on the transport that `SWITCHBOARD_TRANSPORT` names. Each test prints what it measured.

mod half_sent;
mod namespace;
mod neighbour;
mod never_reads;
mod observer;
mod process;
mod reads_quickly;
mod sleep_only;
mod vanishes;
