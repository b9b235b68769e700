//! A contract with every shape that a payload can have.

#![allow(dead_code, reason = "each test program uses a part of it")]

use switchboard_core::{Contract, Message, contract::ContractBuilder, envelope::EnvelopeStyle};

pub(crate) mod types;
pub(crate) mod values;

use types::*;

/// All shapes in both directions, requests, calls, meta and topics.
#[expect(deprecated, reason = "deprecation is in the contract")]
pub(crate) fn torture() -> Contract {
    let mut builder = ContractBuilder::new();
    builder.receives::<Scalars>(Scalars::TYPE);
    builder.receives::<Options>(Options::TYPE);
    builder.receives::<Containers>(Containers::TYPE);
    builder.receives::<Attributes>(Attributes::TYPE);
    builder.receives::<Enums>(Enums::TYPE);
    builder.receives::<Foreign>(Foreign::TYPE);
    builder.receives::<Tree>(Tree::TYPE);
    builder.receives::<Marked>(Marked::TYPE);
    builder.receives::<Ping>(Ping::TYPE);
    builder.receives::<Buy>(Buy::TYPE);
    builder.receives::<Whoami>(Whoami::TYPE);
    builder.fails_with(Buy::TYPE, ["SOLD_OUT", "CLOSED"]);
    builder.sends::<Scalars>();
    builder.sends::<Options>();
    builder.sends::<Containers>();
    builder.sends::<Attributes>();
    builder.sends::<Enums>();
    builder.sends::<Foreign>();
    builder.sends::<Tree>();
    builder.sends::<Pong>();
    builder.sends::<Confirm>();
    builder.topic("room:{id}", [Tree::TYPE, Options::TYPE]);
    builder.topic("room:{id}:tree", [Tree::TYPE]);
    builder.topic("room:lobby", [Pong::TYPE]);
    builder.limit("maxMessageBytes", 65536);
    builder.build("/ws/{room}", EnvelopeStyle::Standard, vec!["switchboard.v1.json".to_owned()])
}

/// A second route, whose types partly have the names of the first.
pub(crate) fn admin() -> Contract {
    let mut builder = ContractBuilder::new();
    builder.receives::<admin::Kick>(admin::Kick::TYPE);
    builder.sends::<admin::Report>();
    builder.sends::<Tree>();
    builder.build("/admin", EnvelopeStyle::Standard, Vec::new())
}

/// Types of the second route.
pub(crate) mod admin {
    use switchboard_core::{ws_message, ws_payload};

    #[ws_payload]
    pub(crate) struct Profile {
        pub(crate) level: u8,
    }

    #[ws_message("KICK")]
    pub(crate) struct Kick {
        pub(crate) profile: Profile,
    }

    #[ws_message("REPORT")]
    pub(crate) struct Report {
        pub(crate) profiles: Vec<Profile>,
    }
}
