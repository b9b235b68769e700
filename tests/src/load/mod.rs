//! A load generator: sends requests or listens over many connections, checks all received messages,
//! and reports the server's cost.
//!
//! Runs on one thread, to be pinned to another core than the server. It uses the messages of
//! [`bench`](crate::bench) and frame code of its own, so that it does not share bugs with the
//! measured server.

mod client;
mod fanout;
mod frames;
mod idle;
mod memory;
mod options;
mod process;
mod rpc;
mod slow;
mod stream;
mod tally;
mod topic;
mod wire;

use std::io;

use serde_json::Value;
use tokio::runtime::Builder;

pub use self::client::{Client, Target};
use self::options::{Options, Scenario};

/// The usage text of the command line.
pub const USAGE: &str = options::USAGE;

/// Runs the scenario that the arguments name, and returns its result as a JSON object.
///
/// # Errors
///
/// If the arguments are invalid, or the server cannot be measured at all. Errors of single
/// connections are counted in the result.
pub fn run(args: &[String]) -> io::Result<Value> {
    let options = Options::parse(args)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        match options.scenario {
            Scenario::Rpc => rpc::run(&options).await,
            Scenario::Fanout => fanout::run(&options).await,
            Scenario::Idle => idle::run(&options).await,
            Scenario::Memory => memory::run(&options).await,
            Scenario::Slow => slow::run(&options).await,
        }
    })
}
