//! A load generator: it asks or listens over many connections, checks everything that comes back, and says what that
//! cost the server.
//!
//! One thread, to be pinned to another core than the server. It knows the messages of [`bench`](crate::bench) and
//! brings its own frames, so that it does not share mistakes with what it measures.

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

/// How to call it.
pub const USAGE: &str = options::USAGE;

/// Runs the scenario that the arguments name; its result, as one JSON object.
///
/// # Errors
///
/// The arguments are not understood, or the server is not as it must be for a measurement at all. What single
/// connections suffer is counted in the result.
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
