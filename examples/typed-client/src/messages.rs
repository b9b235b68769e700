//! The messages between client and server. The comments of types and fields are in the generated file, too.

use switchboard::{validator::ValidationError, ws_message, ws_payload, ws_rpc};

/// The whole state of the poll.
#[ws_message("POLL")]
#[derive(Clone)]
pub(crate) struct Poll {
    /// Grows with each change, so that the page can tell which state is newer.
    pub(crate) version: u32,
    /// The number of the question.
    pub(crate) number: u32,
    pub(crate) question: String,
    pub(crate) choices: Vec<Choice>,
    /// Whether votes are accepted.
    pub(crate) open: bool,
    /// The names of all who have joined.
    pub(crate) people: Vec<String>,
}

#[ws_payload]
#[derive(Clone)]
pub(crate) struct Choice {
    pub(crate) label: String,
    /// The names of those who vote for it.
    pub(crate) voters: Vec<String>,
}

#[ws_rpc("GET_POLL", response = Poll)]
pub(crate) struct GetPoll;

#[ws_rpc("JOIN", response = Joined)]
pub(crate) struct Join {
    #[validate(length(min = 1, max = 20), custom(function = "trimmed"))]
    pub(crate) name: String,
}

#[ws_message("JOINED")]
pub(crate) struct Joined {
    pub(crate) name: String,
}

/// Votes, or changes the vote.
#[ws_rpc("VOTE", response = Voted)]
pub(crate) struct Vote {
    /// The number of the question that the voter sees.
    pub(crate) number: u32,
    /// The index of the choice.
    pub(crate) choice: u32,
}

#[ws_message("VOTED")]
pub(crate) struct Voted {
    pub(crate) label: String,
}

/// Asks the next question, when the poll is closed.
#[ws_rpc("ASK", response = Asked)]
pub(crate) struct Ask {
    #[validate(length(min = 1, max = 120), custom(function = "trimmed"))]
    pub(crate) question: String,
    #[validate(length(min = 2, max = 6), custom(function = "labels"))]
    pub(crate) choices: Vec<String>,
}

#[ws_message("ASKED")]
pub(crate) struct Asked {
    pub(crate) number: u32,
}

/// Closes the poll after a countdown. Aborting the request leaves the poll open.
#[ws_rpc("CLOSE_POLL", response = Closed, progress = Countdown)]
pub(crate) struct ClosePoll {
    pub(crate) number: u32,
}

#[ws_payload]
pub(crate) struct Countdown {
    pub(crate) seconds_left: u32,
}

#[ws_message("CLOSED")]
pub(crate) struct Closed {
    /// The labels of the choices with the most votes.
    pub(crate) winners: Vec<String>,
}

fn trimmed(text: &str) -> Result<(), ValidationError> {
    if text.trim() == text { Ok(()) } else { Err(ValidationError::new("trimmed")) }
}

fn labels(choices: &[String]) -> Result<(), ValidationError> {
    let valid = |label: &String| trimmed(label).is_ok() && (1..=60).contains(&label.chars().count());
    let repeated = choices.iter().enumerate().any(|(n, label)| choices[..n].contains(label));
    if choices.iter().all(valid) && !repeated { Ok(()) } else { Err(ValidationError::new("labels")) }
}
