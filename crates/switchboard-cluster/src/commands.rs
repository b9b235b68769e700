//! Commands for the connections of a user on all nodes, and the acknowledgements that come back.

use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};
use switchboard_core::broker::NodeId;

use crate::{ClusterConfig, ClusterError, CommandId, CommandOutcome, Output, deadlines::Deadlines, outputs::Outputs};

#[derive(Debug)]
pub(crate) struct Commands {
    next: u64,
    pending: FxHashMap<u64, PendingCommand>,
    deadlines: Deadlines<u64>,
    max_pending: usize,
}

#[derive(Debug)]
struct PendingCommand {
    /// Nodes that have the user and have not acknowledged.
    expected: FxHashSet<NodeId>,
    acknowledged: FxHashSet<NodeId>,
    connections: usize,
    is_certain: bool,
    is_published: bool,
}

impl Commands {
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        Self {
            next: 0,
            pending: FxHashMap::default(),
            deadlines: Deadlines::new(config.command_timeout),
            max_pending: config.max_pending_commands,
        }
    }

    pub(crate) fn begin(
        &mut self,
        expected: FxHashSet<NodeId>,
        is_certain: bool,
        now: Duration,
    ) -> Result<u64, ClusterError> {
        if self.pending.len() >= self.max_pending {
            return Err(ClusterError::TooManyCommands { limit: self.max_pending });
        }
        self.next += 1;
        let pending = PendingCommand {
            expected,
            acknowledged: FxHashSet::default(),
            connections: 0,
            is_certain,
            is_published: false,
        };
        self.pending.insert(self.next, pending);
        self.deadlines.start(self.next, now);
        Ok(self.next)
    }

    /// Takes the broker's answer to the command's publishing.
    pub(crate) fn published(&mut self, command: u64, is_accepted: bool, outputs: &mut Outputs) {
        let Some(pending) = self.pending.get_mut(&command) else { return };
        pending.is_published = true;
        pending.is_certain &= is_accepted;
        if !is_accepted || pending.expected.is_empty() {
            self.end(command, outputs);
        }
    }

    pub(crate) fn acknowledged(
        &mut self,
        command: u64,
        node: NodeId,
        connections: u32,
        max_nodes: usize,
        outputs: &mut Outputs,
    ) {
        let Some(pending) = self.pending.get_mut(&command) else { return };
        pending.expected.remove(&node);
        if pending.acknowledged.len() <= max_nodes && pending.acknowledged.insert(node) {
            pending.connections = pending.connections.saturating_add(connections as usize);
        }
        if pending.is_published && pending.expected.is_empty() {
            self.end(command, outputs);
        }
    }

    fn end(&mut self, command: u64, outputs: &mut Outputs) {
        if let Some(ended) = self.pending.remove(&command) {
            let is_complete = ended.is_certain && ended.is_published && ended.expected.is_empty();
            let outcome = CommandOutcome { connections: ended.connections, is_complete };
            outputs.push_back(Output::CommandEnded { command: CommandId(command), outcome });
        }
    }

    pub(crate) fn tick(&mut self, now: Duration, outputs: &mut Outputs) {
        while let Some(command) = self.deadlines.pop(now) {
            self.end(command, outputs);
        }
        let pending = &self.pending;
        self.deadlines.shrink(pending.len(), |command| pending.contains_key(command));
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.deadlines.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u8) -> NodeId {
        NodeId::from_bytes([id; 16])
    }

    fn begin(commands: &mut Commands, nodes: &[u8]) -> u64 {
        commands.begin(nodes.iter().map(|id| node(*id)).collect(), true, Duration::ZERO).unwrap()
    }

    fn outcome(outputs: &mut Outputs) -> Option<(usize, bool)> {
        outputs.pop_front().map(|output| match output {
            Output::CommandEnded { outcome, .. } => (outcome.connections, outcome.is_complete),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_command_ends_when_all_nodes_with_the_user_have_acknowledged() {
        let mut commands = Commands::new(&ClusterConfig::new());
        let mut outputs = Outputs::default();
        let command = begin(&mut commands, &[1, 2]);
        commands.acknowledged(command, node(1), 3, 9, &mut outputs);
        commands.acknowledged(command, node(1), 3, 9, &mut outputs);
        commands.acknowledged(command, node(2), 1, 9, &mut outputs);
        assert_eq!(outcome(&mut outputs), None, "the broker has not answered");
        commands.published(command, true, &mut outputs);
        assert_eq!(outcome(&mut outputs), Some((4, true)));
    }

    #[test]
    fn a_command_that_some_node_does_not_acknowledge_is_incomplete() {
        let mut commands = Commands::new(&ClusterConfig::new());
        let mut outputs = Outputs::default();
        let command = begin(&mut commands, &[1, 2]);
        commands.published(command, true, &mut outputs);
        commands.acknowledged(command, node(1), 3, 9, &mut outputs);
        commands.tick(Duration::from_secs(1), &mut outputs);
        assert_eq!((outcome(&mut outputs), outcome(&mut outputs)), (Some((3, false)), None));
    }

    #[test]
    fn a_command_that_the_broker_refuses_ends_at_once() {
        let mut commands = Commands::new(&ClusterConfig::new().max_pending_commands(1));
        let mut outputs = Outputs::default();
        let command = begin(&mut commands, &[]);
        assert_eq!(
            commands.begin(FxHashSet::default(), true, Duration::ZERO).unwrap_err(),
            ClusterError::TooManyCommands { limit: 1 }
        );
        commands.published(command, false, &mut outputs);
        assert_eq!(outcome(&mut outputs), Some((0, false)));
    }
}
