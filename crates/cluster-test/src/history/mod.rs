//! What clients saw, in the order in which they saw it.

mod event;
mod recorder;

pub use self::{
    event::{Client, Command, Event, Message, Outcome, Publisher, Topic, What},
    recorder::Recorder,
};

use std::{
    io::{self, Write},
    time::Duration,
};

/// All events of a run, and when links were disturbed.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In the order of their recording, which is the order of each client.
    pub events: Vec<Event>,
    /// When faults were injected.
    pub disturbances: Vec<Disturbance>,
    /// The number of nodes.
    pub nodes: usize,
    /// Whether the broker has one order for all subscribers of a topic.
    pub one_order: bool,
    /// When recording ended, from the start of the run.
    pub until: Duration,
}

/// A time in which a link was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// What was disturbed.
    pub scope: Scope,
    /// The fault's name.
    pub fault: &'static str,
    /// When it began, from the start of the run.
    pub from: Duration,
    /// When it had ended.
    pub until: Duration,
}

/// What a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The broker, or the links of all nodes to it.
    All,
    /// A node, or its link.
    Node(usize),
}

impl Scope {
    /// Returns whether a node is concerned.
    #[must_use]
    pub fn concerns(self, node: usize) -> bool {
        match self {
            Self::All => true,
            Self::Node(own) => own == node,
        }
    }
}

impl History {
    /// Writes the history as text, one event a line.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for Disturbance { scope, fault, from, until } in &self.disturbances {
            writeln!(out, "{:>9.3}–{:.3} {fault}: {scope:?}", from.as_secs_f64(), until.as_secs_f64())?;
        }
        self.events.iter().try_for_each(|event| writeln!(out, "{event}"))
    }
}
