//! Examples that keep a state and tell its changes.

mod delta_sync;
mod state_channels;
mod state_store;
