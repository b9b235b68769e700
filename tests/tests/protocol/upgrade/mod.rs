//! Section 4: the upgrade.

mod handshake;
mod origin;
