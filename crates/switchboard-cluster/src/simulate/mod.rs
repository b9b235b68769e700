//! A simulator: many nodes in virtual time, on a broker and a network with faults, and a judge of what happened.
//!
//! The nodes run the same [`Cluster`](crate::Cluster) as in production. Everything else is simulated: the clock, the
//! broker, its adapters, the connections between them, and an application whose members join, leave, publish and take
//! part. All of it follows from one seed, so a run that fails is repeated exactly.
//!
//! ```
//! use switchboard_cluster::simulate::{Options, run};
//!
//! let report = run(&Options::new(7));
//! assert!(report.violations.is_empty(), "{report}");
//! assert_eq!(run(&Options::new(7)).trace_hash, report.trace_hash);
//! ```
//!
//! The judge knows the history of the application and of the faults, and nothing of the nodes' state.

mod adapter;
mod application;
mod broker;
mod client_requests;
mod event;
mod faults;
mod judge;
mod network;
mod node;
#[cfg(test)]
mod tests;
mod trace;
pub mod traffic;
mod world;

use std::{fmt, time::Duration};

use self::world::World;

/// What to simulate.
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    seed: u64,
    nodes: Option<usize>,
    planted: Option<Planted>,
    keeps_trace: bool,
    has_faults: bool,
}

impl Options {
    /// Simulates what follows from a seed: 2 to 7 nodes, for a minute.
    pub fn new(seed: u64) -> Self {
        Self { seed, nodes: None, planted: None, keeps_trace: false, has_faults: true }
    }

    /// Sets the number of nodes.
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = Some(nodes.max(1));
        self
    }

    /// Keeps the trace as text. Otherwise only its hash is computed.
    pub fn keep_trace(mut self) -> Self {
        self.keeps_trace = true;
        self
    }

    /// Leaves out the faults of the network, the broker and the nodes.
    pub fn without_faults(mut self) -> Self {
        self.has_faults = false;
        self
    }

    /// Makes the nodes faulty, to test the judge.
    pub fn planted(mut self, fault: Planted) -> Self {
        self.planted = Some(fault);
        self
    }
}

/// A fault of the nodes, which the judge must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Planted {
    /// One message in this number is not delivered to the members of a node.
    Drop(u64),
    /// One message in this number is delivered after its successor.
    Reorder(u64),
    /// One message in this number is delivered twice.
    Repeat(u64),
    /// After a reconnect, one channel is not subscribed again although it is reported.
    ForgetSubscription,
    /// Users of nodes that are gone stay online.
    KeepGhosts,
}

/// What a simulation has shown.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Promises that were broken, each in one line.
    pub violations: Vec<String>,
    /// A hash over all that happened: equal for equal runs.
    pub trace_hash: u64,
    /// All that happened, if it was kept.
    pub trace: Vec<String>,
    /// Publishes that were begun.
    pub published: usize,
    /// Messages that members have received.
    pub delivered: usize,
    /// Messages that members have not received, of those that the broker had accepted while they were subscribed.
    pub lost: usize,
    /// How long a loss took to be told after the broker had accepted the message, where the links of publisher and member
    /// stayed up. Heartbeats are lost in the same proportion. Sorted.
    pub told_after: Vec<Duration>,
}

/// The seed, the violations, and the trace if it was kept.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, published, delivered, lost, .. } = self;
        writeln!(f, "seed {seed}: {published} published, {delivered} delivered, {lost} lost")?;
        self.trace.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.violations.iter().try_for_each(|violation| writeln!(f, "violation: {violation}"))
    }
}

/// Runs a simulation to its end.
#[must_use]
pub fn run(options: &Options) -> Report {
    let mut world = World::new(options);
    world.run();
    world.report(options.seed)
}
