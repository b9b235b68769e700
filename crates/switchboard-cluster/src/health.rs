//! Whether the link to the broker works: by what comes back, not by what is open.

use std::time::Duration;

use crate::ClusterConfig;

/// The state of a node's link to the broker and to the other nodes: [`Cluster::health`](crate::Cluster::health).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// The link was never up.
    Starting,
    /// The heartbeats of this node come back to it.
    Healthy,
    /// No heartbeat of this node came back for a while, although the link is up: the node probes it.
    Probing,
    /// This node hears itself but none of the other nodes that it knows. It may be connected to the wrong server.
    Suspect,
    /// The link is down.
    Disconnected,
    /// The node is leaving the cluster.
    Draining,
}

/// Watches the link.
#[derive(Debug)]
pub(crate) struct Link {
    state: LinkState,
    /// When a heartbeat or probe of this node came back last.
    heard_own: Duration,
    /// When another node was heard last.
    heard_other: Option<Duration>,
    probe: Option<Probe>,
    next_probe: u64,
    silence: Duration,
    probe_timeout: Duration,
    node_timeout: Duration,
    suspect_for: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Starting,
    Up,
    Down,
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    deadline: Duration,
    missed: u32,
}

/// What the silence of a link asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkAction {
    Probe(u64),
    Reconnect,
}

impl Link {
    pub(crate) fn new(config: &ClusterConfig, now: Duration) -> Self {
        Self {
            state: LinkState::Starting,
            heard_own: now,
            heard_other: None,
            probe: None,
            next_probe: 0,
            silence: config.silence,
            probe_timeout: config.probe_timeout,
            node_timeout: config.node_timeout,
            suspect_for: config.suspect_for,
        }
    }

    pub(crate) fn connected(&mut self, now: Duration) {
        self.state = LinkState::Up;
        self.heard_own = now;
        self.probe = None;
    }

    pub(crate) fn disconnected(&mut self) {
        self.state = LinkState::Down;
        self.probe = None;
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// A heartbeat or probe of this node has come back, which proves that the link works in both directions. Messages of
    /// others prove only one.
    pub(crate) fn heard_own(&mut self, now: Duration) {
        self.heard_own = now;
        self.probe = None;
    }

    pub(crate) fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.heard_own)
    }

    pub(crate) fn heard_other(&mut self, now: Duration) {
        self.heard_other = Some(now);
    }

    /// The last other node has said goodbye, so its silence means nothing.
    pub(crate) fn is_alone(&mut self) {
        self.heard_other = None;
    }

    pub(crate) fn tick(&mut self, now: Duration) -> Option<LinkAction> {
        if self.state != LinkState::Up {
            return None;
        }
        let missed = match self.probe {
            None if self.heard_own.saturating_add(self.silence) > now => return None,
            Some(probe) if probe.deadline > now => return None,
            None => 0,
            Some(probe) => probe.missed + 1,
        };
        let deadline = now.saturating_add(self.probe_timeout);
        if missed == 2 {
            // The adapter reports what comes of it. If nothing comes, the next silence ends here again.
            self.probe = None;
            self.heard_own = now;
            return Some(LinkAction::Reconnect);
        }
        self.probe = Some(Probe { deadline, missed });
        self.next_probe += 1;
        Some(LinkAction::Probe(self.next_probe))
    }

    pub(crate) fn health(&self, now: Duration) -> Health {
        match self.state {
            LinkState::Starting => Health::Starting,
            LinkState::Down => Health::Disconnected,
            LinkState::Up if self.probe.is_some() => Health::Probing,
            LinkState::Up => match self.heard_other.map(|heard| now.saturating_sub(heard)) {
                Some(silent) if silent >= self.node_timeout && silent < self.suspect_for => Health::Suspect,
                _ => Health::Healthy,
            },
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        let deadline = self.probe.map_or(self.heard_own.saturating_add(self.silence), |probe| probe.deadline);
        Some(deadline).filter(|_| self.is_up())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn link() -> Link {
        Link::new(&ClusterConfig::new(), secs(0))
    }

    #[test]
    fn a_silent_link_is_probed_twice_and_then_given_up() {
        let mut link = link();
        assert_eq!((link.health(secs(9)), link.tick(secs(9))), (Health::Starting, None));
        link.connected(secs(10));
        assert_eq!((link.tick(secs(14)), link.health(secs(14))), (None, Health::Healthy));
        assert_eq!((link.tick(secs(15)), link.health(secs(15))), (Some(LinkAction::Probe(1)), Health::Probing));
        assert_eq!(link.next_timeout(), Some(secs(16)));
        assert_eq!(link.tick(secs(16)), Some(LinkAction::Probe(2)));
        assert_eq!(link.tick(secs(17)), Some(LinkAction::Reconnect));
        link.disconnected();
        assert_eq!(
            (link.health(secs(18)), link.tick(secs(99)), link.next_timeout()),
            (Health::Disconnected, None, None)
        );
    }

    #[test]
    fn only_an_own_message_answers_a_probe() {
        let mut link = link();
        link.connected(secs(0));
        link.heard_other(secs(4));
        assert_eq!(link.tick(secs(5)), Some(LinkAction::Probe(1)));
        link.heard_own(secs(5));
        assert_eq!((link.tick(secs(9)), link.health(secs(6))), (None, Health::Healthy));
    }

    #[test]
    fn a_node_that_hears_only_itself_is_suspect_for_a_while() {
        let mut link = link();
        link.connected(secs(0));
        link.heard_own(secs(1));
        assert_eq!(link.health(secs(5)), Health::Healthy, "no other node was ever heard");
        link.heard_other(secs(1));
        link.heard_own(secs(5));
        assert_eq!((link.health(secs(4)), link.health(secs(5))), (Health::Healthy, Health::Suspect));
        assert_eq!(link.health(secs(61)), Health::Healthy);
        link.is_alone();
        assert_eq!(link.health(secs(5)), Health::Healthy);
    }
}
