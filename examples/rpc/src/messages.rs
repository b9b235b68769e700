//! The messages between client and server. Wire names are in camel case.

use switchboard::{ws_message, ws_payload, ws_rpc};

#[ws_rpc("CALCULATE", response = CalculateResult)]
pub(crate) struct Calculate {
    pub(crate) operation: Operation,
    pub(crate) a: f64,
    pub(crate) b: f64,
}

#[ws_payload]
pub(crate) enum Operation {
    Add,
    Multiply,
}

#[ws_message("CALCULATE_RESULT")]
pub(crate) struct CalculateResult {
    pub(crate) result: f64,
}

#[ws_rpc("FETCH_PROFILE", response = ProfileResponse)]
pub(crate) struct FetchProfile {
    #[validate(length(min = 1, max = 64))]
    pub(crate) user_id: String,
}

#[ws_message("PROFILE_RESPONSE")]
pub(crate) struct ProfileResponse {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
}

#[ws_rpc("EXPORT_PROFILES", response = ProfilesExported, progress = ExportStep)]
pub(crate) struct ExportProfiles {}

/// The progress of an export.
#[ws_payload]
pub(crate) struct ExportStep {
    #[ws(safe)]
    pub(crate) done: usize,
    #[ws(safe)]
    pub(crate) total: usize,
}

#[ws_message("PROFILES_EXPORTED")]
pub(crate) struct ProfilesExported {
    pub(crate) names: Vec<String>,
}

#[ws_rpc("DELETE_PROFILE", response = ProfileDeleted)]
pub(crate) struct DeleteProfile {
    #[validate(length(min = 1, max = 64))]
    pub(crate) user_id: String,
}

#[ws_message("PROFILE_DELETED")]
pub(crate) struct ProfileDeleted {
    pub(crate) user_id: String,
}

/// Sent by the server.
#[ws_rpc("CONFIRM", response = Confirmed)]
pub(crate) struct Confirm {
    pub(crate) question: String,
}

/// The client's answer.
#[ws_message("CONFIRMED")]
pub(crate) struct Confirmed {
    pub(crate) yes: bool,
}

#[ws_rpc("SEARCH", response = Found)]
pub(crate) struct Search {
    #[validate(length(min = 1, max = 64))]
    pub(crate) text: String,
}

#[ws_message("FOUND")]
pub(crate) struct Found {
    pub(crate) pages: u32,
    /// Whether the search was finished in time.
    pub(crate) complete: bool,
}

#[ws_rpc("WAIT", response = Waited)]
pub(crate) struct Wait {
    #[validate(range(max = 60_000))]
    pub(crate) ms: u64,
}

#[ws_message("WAITED")]
pub(crate) struct Waited {
    #[ws(safe)]
    pub(crate) ms: u64,
}

#[ws_rpc("COUNT_PRIMES", response = Primes)]
pub(crate) struct CountPrimes {
    pub(crate) below: u32,
}

#[ws_message("PRIMES")]
pub(crate) struct Primes {
    pub(crate) count: u32,
}

#[ws_rpc("WORK", response = WorkState)]
pub(crate) struct AskWork {}

#[ws_message("WORK_STATE")]
pub(crate) struct WorkState {
    #[ws(safe)]
    pub(crate) running: usize,
    #[ws(safe)]
    pub(crate) abandoned: usize,
}

#[ws_rpc("DEPOSIT", response = Balance)]
pub(crate) struct Deposit {
    #[validate(length(min = 1, max = 64))]
    pub(crate) account_id: String,
    #[validate(range(min = 1, max = 1_000_000))]
    pub(crate) amount: u64,
}

#[ws_rpc("GET_BALANCE", response = Balance)]
pub(crate) struct GetBalance {
    #[validate(length(min = 1, max = 64))]
    pub(crate) account_id: String,
}

#[ws_message("BALANCE")]
pub(crate) struct Balance {
    #[ws(safe)]
    pub(crate) balance: u64,
    /// The amount that was accepted but is not booked yet.
    #[ws(safe)]
    pub(crate) pending: u64,
}
