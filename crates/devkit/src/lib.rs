//! Runs cargo and the programs of this workspace: what the developer commands in `crates/xtask` and the measurements in
//! `crates/bench` share.

#![expect(clippy::print_stdout, reason = "command line tools talk on stdout")]

mod command;
mod process;
pub mod programs;
mod time;
pub mod workspace;

pub use self::{command::CommandLine, process::Process, time::Time};
