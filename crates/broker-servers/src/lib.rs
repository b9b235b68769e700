//! Starts the servers of the brokers for tests: Redis, Valkey, NATS, a Redis Cluster, Redis behind Sentinel. And the tests
//! that all adapters share: what they do when their server fails ([`cases`]).
//!
//! Each server listens on a free port of 127.0.0.1, has a folder of its own for its log, and is killed when its value is
//! dropped. Functions block, and panic if something does not work: they are for tests only.

pub mod cases;
mod cluster;
mod node;
mod program;
mod resp;
mod sentinel;
mod server;

pub use self::{
    cluster::RedisCluster,
    node::{Heard, Listener, NODE, Node, PATIENCE, topic},
    program::Program,
    resp::{Reply, ask},
    sentinel::RedisSentinel,
    server::{Server, until},
};
