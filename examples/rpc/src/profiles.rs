//! Profiles: errors with a code, progress, and a call to the client.

use std::{collections::BTreeMap, error::Error, fmt, sync::Arc, time::Duration};

use axum::extract::State;
use parking_lot::Mutex;
use switchboard::{Conn, ErrorCode, Progress, WsError};

use crate::messages::{
    Confirm, DeleteProfile, ExportProfiles, ExportStep, FetchProfile, ProfileDeleted, ProfileResponse, ProfilesExported,
};

/// How long the server waits for the client's answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stand-in for a database: lines `name;email` under the user's id.
#[derive(Clone)]
pub(crate) struct Profiles(Arc<Mutex<BTreeMap<String, String>>>);

impl Default for Profiles {
    fn default() -> Self {
        // The last one is damaged, to show how the server's own errors are handled.
        let lines = [("ann", "Ann;ann@example.com"), ("bob", "Bob;bob@example.com"), ("cleo", "Cleo")];
        Self(Arc::new(Mutex::new(lines.map(|(id, line)| (id.into(), line.into())).into())))
    }
}

/// An invalid line.
#[derive(Debug)]
pub(crate) struct DamagedLine(String);

impl fmt::Display for DamagedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the line of {} has no email", self.0)
    }
}

impl Error for DamagedLine {}

/// The client learns that the request failed; the log has the reason.
impl From<DamagedLine> for WsError {
    fn from(error: DamagedLine) -> Self {
        Self::new(ErrorCode::Internal, "Failed to fetch profile").with_source(error)
    }
}

impl Profiles {
    fn find(&self, id: &str) -> Result<Option<ProfileResponse>, DamagedLine> {
        let profiles = self.0.lock();
        let Some(line) = profiles.get(id) else { return Ok(None) };
        let (name, email) = line.split_once(';').ok_or_else(|| DamagedLine(id.to_owned()))?;
        Ok(Some(ProfileResponse { id: id.into(), name: name.into(), email: email.into() }))
    }

    fn ids(&self) -> Vec<String> {
        self.0.lock().keys().cloned().collect()
    }
}

pub(crate) async fn fetch_profile(
    State(profiles): State<Profiles>,
    request: FetchProfile,
) -> Result<ProfileResponse, WsError> {
    let found = profiles.find(&request.user_id)?;
    found.ok_or_else(|| WsError::not_found(format!("User {} not found", request.user_id)))
}

/// Sends one step of progress for each profile, including damaged ones.
pub(crate) async fn export_profiles(
    State(profiles): State<Profiles>,
    mut progress: Progress<ExportStep>,
    _: ExportProfiles,
) -> Result<ProfilesExported, WsError> {
    let ids = profiles.ids();
    let total = ids.len();
    let mut names = Vec::new();
    for (n, id) in ids.into_iter().enumerate() {
        if let Ok(Some(profile)) = profiles.find(&id) {
            names.push(profile.name);
        }
        // Waits if the client reads more slowly.
        progress.send(ExportStep { done: n + 1, total }).await?;
    }
    Ok(ProfilesExported { names })
}

pub(crate) async fn delete_profile(
    conn: Conn,
    State(profiles): State<Profiles>,
    request: DeleteProfile,
) -> Result<ProfileDeleted, WsError> {
    let DeleteProfile { user_id } = request;
    let question = format!("Delete the profile of {user_id}?");
    // If the client answers with an error, or not at all, this request fails with that error.
    let answer = conn.call(Confirm { question }).timeout(PATIENCE).await?;
    if !answer.yes {
        return Err(WsError::failed_precondition("Not confirmed"));
    }
    match profiles.0.lock().remove(&user_id) {
        Some(_) => Ok(ProfileDeleted { user_id }),
        None => Err(WsError::not_found(format!("User {user_id} not found"))),
    }
}
