//! Runs cargo and the programs of this workspace, for the developer commands in `crates/xtask` and
//! the measurements in `crates/bench`.

#![expect(clippy::print_stdout, reason = "command line tools print to stdout")]

mod command;
mod process;
pub mod programs;
mod time;
pub mod workspace;

pub use self::{command::CommandLine, process::Process, time::Time};
