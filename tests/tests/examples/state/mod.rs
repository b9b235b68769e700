//! Examples that keep a state and publish its changes.

mod delta_sync;
mod state_channels;
mod state_store;
