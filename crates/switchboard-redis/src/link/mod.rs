//! Connections to one server.

mod connect;
mod drive;
mod hello;
mod request;
#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tls")]
pub(crate) use self::tls::Tls;
pub(crate) use self::{
    connect::{Connection, Connector},
    drive::{Timing, drive},
    hello::{Expected, error_of_server},
    request::{NoAnswer, Outcome, Request, link_down},
};
