//! The messages between page and server. Wire names are in camel case.

use switchboard::{ws_message, ws_payload, ws_rpc};

// From client to server.

/// Enters a room and leaves the current one. In the room already, it changes the name.
#[ws_rpc("ENTER", response = Entered)]
pub(crate) struct Enter {
    /// The page's own secret: the same token is the same person, on every node.
    #[validate(length(min = 16, max = 128))]
    pub(crate) token: String,
    #[validate(length(min = 1, max = 20))]
    pub(crate) name: String,
    #[validate(length(min = 1, max = 32))]
    pub(crate) room_id: String,
}

/// Says something in the room. The answer comes when the broker has the message.
#[ws_rpc("SAY", response = SaidIt)]
pub(crate) struct Say {
    #[validate(length(min = 1, max = 32))]
    pub(crate) room_id: String,
    /// Chosen by the sender. A message that is sent again, because its outcome is unknown, keeps it; receivers show it once.
    #[validate(length(min = 16, max = 64))]
    pub(crate) message_id: String,
    #[validate(length(min = 1, max = 1000))]
    pub(crate) text: String,
}

/// The sender starts or stops typing.
#[ws_message("TYPING")]
pub(crate) struct Typing {
    pub(crate) typing: bool,
}

/// Tells a member who has just come that the sender is here, too: no node knows the names of all.
#[ws_message("GREET")]
pub(crate) struct Greet {
    #[validate(length(min = 1, max = 64))]
    pub(crate) user_id: String,
}

// From server to client.

/// The first message of a connection.
#[ws_message("WELCOME")]
pub(crate) struct Welcome {
    /// The node that this connection goes to.
    pub(crate) node: String,
    pub(crate) link: Link,
    pub(crate) rooms: Vec<Room>,
}

/// The answer to `ENTER`.
#[ws_message("ENTERED")]
pub(crate) struct Entered {
    pub(crate) room_id: String,
    pub(crate) me: Member,
}

/// The answer to `SAY`.
#[ws_message("SAID_IT")]
pub(crate) struct SaidIt {}

/// How many members the rooms have, whenever that changes.
#[ws_message("ROOMS")]
#[derive(Debug, Clone)]
pub(crate) struct Rooms {
    pub(crate) rooms: Vec<Room>,
}

/// A room, and its members on all nodes and on this one.
#[ws_payload]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) name: String,
    #[ws(safe)]
    pub(crate) members: usize,
    #[ws(safe)]
    pub(crate) members_here: usize,
}

/// The link of this node to the others has changed.
#[ws_message("LINK")]
#[derive(Debug, Clone)]
pub(crate) struct LinkChanged {
    pub(crate) link: Link,
}

/// The link of a node to the broker and through it to the other nodes.
#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Up,
    /// The link is there, but nothing comes back.
    Doubtful,
    Down,
}

/// A person in a room, and the node that their connection goes to.
#[ws_payload]
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) node: String,
    /// The connection, which tells a late `LEFT` from one that counts.
    pub(crate) connection: String,
}

/// Somebody entered the room, or has a new name.
#[ws_message("JOINED")]
pub(crate) struct Joined {
    pub(crate) room_id: String,
    pub(crate) member: Member,
}

/// Somebody left the room. It does not come from a node that was killed.
#[ws_message("LEFT")]
pub(crate) struct Left {
    pub(crate) room_id: String,
    pub(crate) member: Member,
}

/// The answer to a `GREET`, to one person.
#[ws_message("HERE")]
pub(crate) struct Here {
    pub(crate) room_id: String,
    pub(crate) member: Member,
}

/// A message in a room, to all its members including the sender.
#[ws_message("MESSAGE")]
pub(crate) struct Message {
    pub(crate) room_id: String,
    pub(crate) member: Member,
    pub(crate) message_id: String,
    pub(crate) text: String,
    /// Milliseconds since 1970, by the clock of the sender's node.
    #[ws(safe)]
    pub(crate) sent_at: u64,
}

/// Another member started or stopped typing.
#[ws_message("MEMBER_TYPING")]
pub(crate) struct MemberTyping {
    pub(crate) room_id: String,
    pub(crate) member: Member,
    pub(crate) typing: bool,
}
