//! Several nodes on a real broker, with faults: `cargo xtask cluster-test`.
//!
//! A [run](run::run) starts a broker, node processes and a proxy on each link between them, lets clients publish and
//! record what they see, injects faults, and gives the [`History`](history::History) to the [`judge`]. The judge knows
//! nothing of the implementation: it compares what clients saw with what is promised, and knows when links were
//! disturbed.

#![expect(clippy::print_stdout, reason = "a command line tool prints to stdout")]

pub mod clients;
pub mod history;
pub mod judge;
pub mod node;
pub mod options;
pub mod planted;
pub mod proxy;
mod random;
pub mod run;
