//! The data of a connection, and the users.

use std::sync::{Mutex, MutexGuard, PoisonError};

use switchboard::ws_payload;

/// The roles of users.
#[ws_payload]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Admin,
}

/// An authenticated user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: &'static str,
    pub(crate) name: String,
    pub(crate) roles: &'static [Role],
}

/// The data of a connection, without a user until `LOGIN`.
#[derive(Debug, Default)]
pub(crate) struct Session(Mutex<Option<User>>);

impl Session {
    pub(crate) fn user(&self) -> Option<User> {
        self.lock().clone()
    }

    /// Signs the user in or out.
    pub(crate) fn set_user(&self, user: Option<User>) {
        *self.lock() = user;
    }

    /// Renames the user; returns `false` if none is signed in.
    pub(crate) fn rename(&self, name: String) -> bool {
        self.lock().as_mut().map(|user| user.name = name).is_some()
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.lock().is_some()
    }

    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.lock().as_ref().is_some_and(|user| user.roles.contains(&role))
    }

    fn lock(&self) -> MutexGuard<'_, Option<User>> {
        // No code under the lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands for a database. The example `auth-jwt` has a more complete one.
pub(crate) fn check_password(username: &str, password: &str) -> Option<User> {
    let (id, stored, roles): (_, _, &[Role]) = match username {
        "ann" => ("u-ann", "ann-secret", &[Role::User, Role::Admin]),
        "bob" => ("u-bob", "bob-secret", &[Role::User]),
        _ => return None,
    };
    (stored == password).then(|| User { id, name: username.to_owned(), roles })
}
