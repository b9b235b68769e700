//! Clients that are not ours against `echo-server`, on each transport: a file for each client.
//!
//! All do the same, see `plan`. The scripts of those that are not Rust are in `tests/interop`.

#[path = "../browser/driver.rs"]
mod driver;
mod plan;
mod script;
mod server;

mod chromium;
mod node_ws;
mod python_websockets;
mod tokio_tungstenite;
