//! Users: their tokens, names and connection counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use uuid::Uuid;

use super::lock;

/// A user. The id is public; the token is a secret of the server and its owner.
pub(crate) struct User {
    id: String,
    token: Arc<str>,
    name: Mutex<String>,
}

impl User {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> String {
        lock(&self.name).clone()
    }

    /// Returns `false` if that is the name already.
    pub(crate) fn rename(&self, name: String) -> bool {
        let mut current = lock(&self.name);
        let changed = *current != name;
        *current = name;
        changed
    }

    pub(crate) fn has_token(&self, token: &str) -> bool {
        &*self.token == token
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The result of signing in.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    /// The user had another name before.
    pub(crate) renamed: bool,
}

/// All users that are remembered.
#[derive(Debug)]
pub(super) struct Users {
    by_token: HashMap<Arc<str>, Entry>,
    /// Offline users in the order in which they left. The first one is forgotten first.
    gone: BTreeMap<u64, Arc<str>>,
    departures: u64,
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    user: Arc<User>,
    connections: usize,
    /// The key in `gone` of a user without a connection.
    departure: Option<u64>,
}

impl Users {
    pub(super) fn new(limit: usize) -> Self {
        Self { by_token: HashMap::new(), gone: BTreeMap::new(), departures: 0, limit }
    }

    pub(super) fn sign_in(&mut self, token: &str, username: Option<String>, guest_name: &str) -> SignedIn {
        if let Some(entry) = self.by_token.get_mut(token) {
            entry.connections += 1;
            if let Some(departure) = entry.departure.take() {
                self.gone.remove(&departure);
            }
            let renamed = username.is_some_and(|name| entry.user.rename(name));
            return SignedIn { user: Arc::clone(&entry.user), renamed };
        }
        let token: Arc<str> = token.into();
        let user = Arc::new(User {
            id: Uuid::now_v7().to_string(),
            token: Arc::clone(&token),
            name: Mutex::new(username.unwrap_or_else(|| guest_name.to_owned())),
        });
        self.by_token.insert(token, Entry { user: Arc::clone(&user), connections: 1, departure: None });
        self.forget();
        SignedIn { user, renamed: false }
    }

    pub(super) fn sign_out(&mut self, user: &User) {
        let Some(entry) = self.by_token.get_mut(&user.token) else { return };
        entry.connections -= 1;
        if entry.connections > 0 {
            return;
        }
        self.departures += 1;
        entry.departure = Some(self.departures);
        self.gone.insert(self.departures, Arc::clone(&user.token));
        self.forget();
    }

    fn forget(&mut self) {
        while self.by_token.len() > self.limit
            && let Some((_, token)) = self.gone.pop_first()
        {
            self.by_token.remove(&token);
        }
    }

    pub(super) fn online(&self) -> usize {
        self.by_token.len() - self.gone.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(users: &mut Users, token: &str) -> Arc<User> {
        users.sign_in(token, None, "Guest").user
    }

    #[test]
    fn a_token_belongs_to_one_user() {
        let mut users = Users::new(10);
        let ann = users.sign_in("a", Some("Ann".into()), "Guest-1");
        assert_eq!((ann.user.name().as_str(), ann.renamed), ("Ann", false));
        let again = users.sign_in("a", Some("Ann".into()), "Guest-2");
        assert!(Arc::ptr_eq(&ann.user, &again.user) && !again.renamed);
        assert!(users.sign_in("a", Some("Anna".into()), "Guest-3").renamed);
        assert_eq!(ann.user.name(), "Anna");
        assert_eq!(sign_in(&mut users, "b").name(), "Guest");
        assert_eq!(users.online(), 2);
    }

    #[test]
    fn the_user_who_left_first_is_forgotten_first() {
        let mut users = Users::new(2);
        let (a, b) = (sign_in(&mut users, "a"), sign_in(&mut users, "b"));
        users.sign_out(&a);
        users.sign_out(&b);
        // Back again, and gone again: now the last one to leave.
        let a = sign_in(&mut users, "a");
        users.sign_out(&a);
        sign_in(&mut users, "c");
        assert!(!Arc::ptr_eq(&b, &sign_in(&mut users, "b")));
        assert_eq!((users.by_token.len(), users.online()), (2, 2));
        // Online users stay, even above the limit.
        sign_in(&mut users, "d");
        assert_eq!((users.by_token.len(), users.online()), (3, 3));
    }

    #[test]
    fn a_user_with_a_remaining_connection_is_online() {
        let mut users = Users::new(10);
        let ann = sign_in(&mut users, "a");
        sign_in(&mut users, "a");
        users.sign_out(&ann);
        assert_eq!(users.online(), 1);
        users.sign_out(&ann);
        assert_eq!(users.online(), 0);
    }
}
