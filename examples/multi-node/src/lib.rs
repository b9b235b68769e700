//! Rooms over three nodes behind a balancer, on Redis or NATS: row 001-6 of the checklist.
//!
//! ```text
//! cargo run -p multi-node                     # needs redis-server; nginx if it is installed
//! cargo run -p multi-node -- --broker nats    # needs nats-server
//! ```
//!
//! This starts a broker, three nodes and a balancer on 127.0.0.1, and shows how each is doing. Open the address that it
//! shows in a few tabs: the page tells through which node each person and each message comes. Then disturb it: `2` kills
//! node 2 with `kill -9` and starts it again, `b` does so to the broker, `d` and `1` drain node 1 as a deploy would. The
//! page goes on, and says what it may have missed. `h` lists the keys; without a terminal, lines do the same.
//!
//! # What a node is
//!
//! `node` is an ordinary application of Switchboard with one line more, `Hub::builder().broker(…)`. Its rooms are topics of
//! the hub, their members subscribers, and it keeps nothing beside them: a member's name travels with its messages, and
//! who is here tells a newcomer so itself (`GREET`, through `hub.user(id)`). There is no history: who was away has missed
//! what was said.
//!
//! | what | how |
//! |---|---|
//! | messages, typing, who joins and leaves | `conn.publish(topic, …)` reaches the members on all nodes |
//! | a newcomer learns who is here | `hub.user(id).send(…)`, on whichever node that is |
//! | how many are in a room | `hub.topic(name).subscriber_count()` asks all nodes |
//! | messages that may be lost | `$ws:gap`, which the client gives the page in `onGap` |
//! | the link of a node | `hub.health()`, which `/status` and the page show |
//! | replacing a node | SIGTERM, then `hub.drain(…)`: clients go to other nodes one after the other |
//!
//! Sticky sessions are not needed: a client has one connection, and comes back to any node.
//!
//! Each node counts the members of the rooms once a second while it has clients, because a node that was killed says
//! nothing. That is 3 questions a second from each node to all others: fine for a few nodes, too much for a hundred.
//!
//! # Files
//!
//! | file | content |
//! |---|---|
//! | `src/node` | the application: `messages.rs`, `handlers.rs`, `pulse.rs` (counts and link), `http.rs`, `settings.rs` |
//! | `src/cluster` | what the one command does: starts, watches and stops processes |
//! | `static` | the page; `static/client` is generated from `messages.rs` |
//! | `docker-compose.yml`, `docker-compose.nats.yml`, `docker` | the same with Docker: three nodes, nginx, Redis or NATS |
//! | `kubernetes` | a deployment of three nodes, its service and ingress, Redis |
//!
//! A node of a deployment is `multi-node node`, with [its settings](VARIABLES) in the environment. `/healthz` is for
//! liveness, `/readyz` for readiness, `/status` for people.
//!
//! After a change of a message, `UPDATE_CLIENTS=1 cargo test -p multi-node --test multi_node client` writes the client again. Without the variable,
//! the test fails when it is stale.

mod cluster;
mod guard;
mod node;
mod platform;
mod stdin;

use std::{ffi::OsString, io};

pub use self::{
    cluster::{BalancerKind, BrokerKind, ClusterError, NotInstalled, Options, Run, USAGE, UsageError, run as cluster},
    node::{NodeError, Settings, SettingsError, VARIABLES, Variable, contract},
};

/// Serves one node until ctrl-c or SIGTERM, or the end of standard input if it is asked for.
///
/// # Errors
///
/// If the broker's URL or the address does not fit.
pub async fn node(settings: Settings, stop_with_stdin: bool) -> Result<(), NodeError> {
    let stop = async move {
        let input = async {
            if stop_with_stdin {
                stdin::ended().await;
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = platform::stop_signal() => {}
            () = input => {}
        }
    };
    node::serve(settings, stop).await
}

/// Runs another program, and kills it when standard input ends. Returns whether the program has ended well.
///
/// # Errors
///
/// If the program cannot be started.
pub async fn guard(program: OsString, arguments: Vec<OsString>) -> io::Result<bool> {
    guard::run(program, arguments).await
}
