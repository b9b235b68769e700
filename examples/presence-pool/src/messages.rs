//! The messages.

use switchboard::{ws_message, ws_payload};

/// The status of a user.
#[ws_payload]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// At the keyboard.
    Here,
    /// Not at the moment.
    Away,
}

#[ws_message("JOIN_POOL")]
pub(crate) struct JoinPool {
    #[validate(length(min = 1, max = 50))]
    pub(crate) pool_id: String,
}

#[ws_message("LEAVE_POOL")]
pub(crate) struct LeavePool {
    #[validate(length(min = 1, max = 50))]
    pub(crate) pool_id: String,
}

/// To the others in the pool.
#[ws_message("USER_JOINED_POOL")]
pub(crate) struct UserJoinedPool {
    pub(crate) user_id: String,
    pub(crate) pool_size: usize,
}

/// To the remaining members.
#[ws_message("USER_LEFT_POOL")]
pub(crate) struct UserLeftPool {
    pub(crate) user_id: String,
    pub(crate) pool_size: usize,
}

#[ws_message("SET_STATUS")]
pub(crate) struct SetStatus {
    pub(crate) status: Status,
}

/// A user's first device has connected, or the last one has left.
#[ws_message("PRESENCE")]
#[derive(Clone)]
pub(crate) struct Presence {
    pub(crate) user_id: String,
    pub(crate) online: bool,
}

/// To all devices of a user.
#[ws_message("NOTICE")]
pub(crate) struct Notice {
    #[validate(length(min = 1, max = 500))]
    pub(crate) text: String,
}
