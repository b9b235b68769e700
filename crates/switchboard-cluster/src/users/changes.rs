//! Which users come online and go offline, on any node.

use switchboard_core::broker::UserKey;

use crate::{
    UserChange, UserChangeKind,
    hash::{Seeded, SeededSet},
};

/// The users that were reported as online. So each change is reported once, whatever order it is heard in.
#[derive(Debug)]
pub(crate) struct UserChanges {
    /// `None` until somebody wants to know.
    online: Option<SeededSet<UserKey>>,
    hasher: Seeded,
}

impl UserChanges {
    pub(crate) fn new(hasher: Seeded) -> Self {
        Self { online: None, hasher }
    }

    /// Begins with the users that are online now. Returns `false` if it has begun before.
    pub(crate) fn begin<'a>(&mut self, online: impl Iterator<Item = &'a UserKey>) -> bool {
        if self.are_watched() {
            return false;
        }
        let mut known = SeededSet::with_hasher(self.hasher);
        known.extend(online.cloned());
        self.online = Some(known);
        true
    }

    pub(crate) fn are_watched(&self) -> bool {
        self.online.is_some()
    }

    /// Returns what a change of this node's connections means for the user.
    pub(crate) fn changed_here(
        &mut self,
        user: &UserKey,
        is_online: bool,
        kind: UserChangeKind,
        connection: [u8; 16],
    ) -> UserChange {
        let kind = self.transition(user, is_online).unwrap_or(kind);
        UserChange { user: user.clone(), kind, connection: Some(connection) }
    }

    /// Returns what a change of another node's connections means for the user, if anything.
    pub(crate) fn changed_elsewhere(&mut self, user: UserKey, is_online: bool) -> Option<UserChange> {
        let kind = self.transition(&user, is_online)?;
        Some(UserChange { user, kind, connection: None })
    }

    fn transition(&mut self, user: &UserKey, is_online: bool) -> Option<UserChangeKind> {
        let online = self.online.as_mut()?;
        if is_online {
            let is_new = !online.contains(user) && online.insert(user.clone());
            is_new.then_some(UserChangeKind::Online)
        } else {
            online.remove(user).then_some(UserChangeKind::Offline)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_online_once_and_goes_offline_once() {
        let [ann, bob] = ["ann", "bob"].map(|key| UserKey::new(key).unwrap());
        let mut changes = UserChanges::new(Seeded::default());
        assert_eq!(changes.changed_elsewhere(ann.clone(), true), None, "nobody wants to know");
        assert!(changes.begin([&bob].into_iter()) && !changes.begin(std::iter::empty()));
        let here = changes.changed_here(&ann, true, UserChangeKind::ConnectionAdded, [1; 16]);
        assert_eq!((here.kind, here.connection), (UserChangeKind::Online, Some([1; 16])));
        assert_eq!(changes.changed_elsewhere(ann.clone(), true), None);
        let left = changes.changed_here(&ann, true, UserChangeKind::ConnectionEnded, [1; 16]);
        assert_eq!(left.kind, UserChangeKind::ConnectionEnded, "there is a connection elsewhere");
        let kinds =
            [&ann, &ann, &bob].map(|user| changes.changed_elsewhere(user.clone(), false).map(|change| change.kind));
        assert_eq!(kinds, [Some(UserChangeKind::Offline), None, Some(UserChangeKind::Offline)]);
    }
}
