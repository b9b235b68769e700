//! Clients that record what they see. They speak `switchboard.v1.json` over a WebSocket client that is not ours.

mod asker;
mod member;
mod prober;
mod publisher;
mod socket;
mod watcher;
mod world;

pub use self::{
    asker::Asker,
    member::{Member, Role},
    prober::Prober,
    publisher::PublisherClient,
    watcher::Watcher,
    world::{Home, Phase, World},
};
