//! The node program: an application of Switchboard on a real broker, in a process of its own.

mod app;
mod bus;
mod process;
mod program;

pub use self::{
    bus::Kind,
    process::NodeProcess,
    program::{NodeOptions, run},
};
