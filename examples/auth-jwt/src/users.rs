//! Users and their rights.

use std::fmt;

use switchboard::ws_payload;

/// The roles of users.
#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Admin,
    Moderator,
}

impl Role {
    /// Returns the name used in topics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Moderator => "moderator",
        }
    }
}

/// The user of a connection.
#[ws_payload]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserData {
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) authenticated: bool,
}

impl UserData {
    /// A user who has not authenticated.
    pub(crate) fn anonymous() -> Self {
        Self { user_id: "anon".into(), username: "Anonymous".into(), roles: Vec::new(), authenticated: false }
    }

    /// A user whose token or password was valid.
    pub(crate) fn known(user_id: String, username: String, roles: Vec<Role>) -> Self {
        Self { user_id, username, roles, authenticated: true }
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.authenticated && self.roles.contains(&Role::Admin)
    }

    pub(crate) fn is_moderator(&self) -> bool {
        self.authenticated && (self.is_admin() || self.roles.contains(&Role::Moderator))
    }

    /// Returns the topics that a connection of this user is subscribed to.
    pub(crate) fn topics(&self) -> Vec<String> {
        let roles = self.roles.iter().map(|role| format!("role:{}", role.name()));
        std::iter::once(format!("user:{}", self.user_id)).chain(roles).collect()
    }
}

/// An invalid stored record.
#[derive(Debug)]
pub(crate) struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the user's record is damaged")
    }
}

impl std::error::Error for Damaged {}

/// Returns the user with this name and password, if there is one.
///
/// Stands for a database. A real one stores hashes by a function that is slow on purpose (argon2),
/// and limits attempts.
pub(crate) async fn check_password(username: &str, password: &str) -> Result<Option<UserData>, Damaged> {
    let (id, stored, roles): (_, Option<&str>, &[Role]) = match username {
        "ann" => ("u-ann", Some("ann-secret"), &[Role::User, Role::Admin]),
        "bob" => ("u-bob", Some("bob-secret"), &[Role::User]),
        "mia" => ("u-mia", Some("mia-secret"), &[Role::User, Role::Moderator]),
        // To show what clients see if something breaks.
        "zoe" => ("u-zoe", None, &[]),
        _ => return Ok(None),
    };
    let is_right = stored.ok_or(Damaged)? == password;
    Ok(is_right.then(|| UserData::known(id.into(), username.into(), roles.to_vec())))
}
