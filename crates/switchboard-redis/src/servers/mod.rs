//! The tasks that keep the links to the servers up.

mod cluster;
mod pair;
mod restore;
mod sentinel;
mod single;
mod topology;

pub(crate) use self::{
    cluster::{probe as probe_cluster, run as run_cluster},
    single::{probe as probe_single, run as run_single},
};
