//! A simulated process: a node of the cluster, its adapter, and the members on it.

use std::{collections::BTreeMap, time::Duration};

use rustc_hash::FxHashSet;
use switchboard_core::broker::{Incarnation, NodeId, TopicName, UserKey};

use super::{adapter::Adapter, client_requests::AskedClients, event::NodeEvent};
use crate::{
    ClientRequestId, ClientRequestReply, Cluster, ClusterConfig, CommandId, Delivery, JoinId, PublishId, QuestionId,
    hash::Random,
};

pub(super) type MemberNumber = u64;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) life: u32,
    /// Missing while the process is dead.
    pub(super) process: Option<Process>,
    pub(super) is_paused: bool,
    /// What arrives while the process is stopped.
    pub(super) deferred: Vec<NodeEvent>,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) cluster: Cluster,
    pub(super) adapter: Adapter,
    pub(super) members: BTreeMap<MemberNumber, Member>,
    pub(super) joins: BTreeMap<JoinId, MemberNumber>,
    /// Topic and number of each publish that was not answered.
    pub(super) publishes: BTreeMap<PublishId, (TopicName, u64)>,
    pub(super) next_publish: u64,
    /// The user of each connection.
    pub(super) connections: BTreeMap<u64, UserKey>,
    pub(super) commands: BTreeMap<CommandId, u64>,
    pub(super) questions: BTreeMap<QuestionId, Duration>,
    pub(super) requests: BTreeMap<ClientRequestId, AskedClients>,
    /// Requests of other nodes whose clients do not respond.
    pub(super) silent: FxHashSet<ClientRequestReply>,
    pub(super) tick_at: Option<Duration>,
    /// A delivery that a planted fault holds back.
    pub(super) held_back: Option<Delivery>,
    pub(super) is_draining: bool,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) topic: TopicName,
    pub(super) waiting: Option<JoinId>,
}

impl Process {
    pub(super) fn new(config: ClusterConfig, random: &mut Random, now: Duration) -> Self {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random.next().to_be_bytes());
        id[8..].copy_from_slice(&random.next().to_be_bytes());
        let incarnation = Incarnation::from_u64(random.next());
        Self {
            cluster: Cluster::new(NodeId::from_bytes(id), incarnation, config, now),
            adapter: Adapter::new(),
            members: BTreeMap::new(),
            joins: BTreeMap::new(),
            publishes: BTreeMap::new(),
            next_publish: 0,
            connections: BTreeMap::new(),
            commands: BTreeMap::new(),
            questions: BTreeMap::new(),
            requests: BTreeMap::new(),
            silent: FxHashSet::default(),
            tick_at: None,
            held_back: None,
            is_draining: false,
        }
    }
}
