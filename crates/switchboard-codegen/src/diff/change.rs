//! One change.

use std::fmt;

use crate::model::Direction;

/// What a change does to clients of the old contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// An old client sends what is refused now, or gets what it does not expect.
    Breaks,
    /// An old client does not notice.
    Harmless,
}

/// Who sends what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sender {
    /// Clients.
    Client,
    /// The server.
    Server,
    /// It is about the route as a whole.
    Route,
}

/// One difference between two contracts: see [`diff`](crate::diff).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    verdict: Verdict,
    sender: Sender,
    path: String,
    text: String,
}

impl Change {
    pub(super) fn new(breaks: bool, sender: Sender, path: &str, text: impl Into<String>) -> Self {
        let verdict = if breaks { Verdict::Breaks } else { Verdict::Harmless };
        Self { verdict, sender, path: path.to_owned(), text: text.into() }
    }

    /// Returns what it does to old clients.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns who sends what changed.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender
    }

    /// Returns the place: a message type, with the path of a field, such as `JOIN_ROOM.user.name`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what changed there, such as `required now`.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Breaks => "breaks",
            Verdict::Harmless => "harmless",
        };
        let sender = match self.sender {
            Sender::Client => "client sends ",
            Sender::Server => "server sends ",
            Sender::Route => "",
        };
        write!(f, "{verdict}: {sender}{}: {}", self.path, self.text)
    }
}

impl From<Direction> for Sender {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Inbound => Self::Client,
            Direction::Outbound => Self::Server,
        }
    }
}
