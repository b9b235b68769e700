//! The rooms, and who somebody is.

use sha1::{Digest as _, Sha1};
use switchboard::{Hub, WsError};

use super::messages::Room;

/// A room of the list. Its topic is `room:` and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoomName {
    pub(crate) id: &'static str,
    name: &'static str,
}

/// All rooms. Every node has the same, so no node has to tell the others.
pub(crate) const ROOMS: [RoomName; 3] = [
    RoomName { id: "lobby", name: "Lobby" },
    RoomName { id: "garden", name: "Garden" },
    RoomName { id: "workshop", name: "Workshop" },
];

impl RoomName {
    /// Returns the room with this id.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, with the ids that there are.
    pub(crate) fn find(id: &str) -> Result<Self, WsError> {
        ROOMS.into_iter().find(|room| room.id == id).ok_or_else(|| {
            let ids = ROOMS.map(|room| room.id).join(", ");
            WsError::not_found(format!("There is no such room; the rooms are {ids}"))
        })
    }

    pub(crate) fn topic(self) -> String {
        format!("room:{}", self.id)
    }

    /// Asks all nodes for the number of members.
    async fn count(self, hub: &Hub) -> Room {
        let topic = hub.topic(self.topic());
        let members_here = topic.local_subscriber_count();
        let members = topic.subscriber_count().await.into_inner();
        Room { id: self.id.into(), name: self.name.into(), members, members_here }
    }

    /// Returns the room before its members are counted.
    fn uncounted(self, hub: &Hub) -> Room {
        let here = hub.topic(self.topic()).local_subscriber_count();
        Room { id: self.id.into(), name: self.name.into(), members: here, members_here: here }
    }
}

/// Counts the members of all rooms on all nodes.
pub(crate) async fn count_all(hub: &Hub) -> Vec<Room> {
    let mut rooms = Vec::with_capacity(ROOMS.len());
    for room in ROOMS {
        rooms.push(room.count(hub).await);
    }
    rooms
}

/// Returns all rooms with the members of this node.
pub(crate) fn uncounted(hub: &Hub) -> Vec<Room> {
    ROOMS.map(|room| room.uncounted(hub)).to_vec()
}

/// Returns the public id of the person with this token. All nodes compute the same, and nobody finds the token from it.
pub(crate) fn user_id(token: &str) -> String {
    let digest = Sha1::digest(token.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_same_id_everywhere() {
        assert_eq!(user_id("abc"), "a9993e364706816a");
        assert_ne!(user_id("ab"), user_id("abc"));
    }

    #[test]
    fn an_unknown_room_is_refused_with_those_that_exist() {
        assert_eq!(RoomName::find("garden").map(RoomName::topic).ok().as_deref(), Some("room:garden"));
        let error = RoomName::find("attic").err().map(|error| error.message().to_owned());
        assert_eq!(error.as_deref(), Some("There is no such room; the rooms are lobby, garden, workshop"));
    }
}
