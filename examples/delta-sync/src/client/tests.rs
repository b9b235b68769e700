//! A replica has the same state as the server, whatever arrives in whatever portions.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    messages::Status,
    operation::{Changed, Kind, Operation},
    ring::Ring,
};

/// The server's state without its connections.
#[derive(Default)]
struct Server {
    ring: Ring,
    participants: BTreeMap<String, Participant>,
}

impl Server {
    fn change(&mut self, kind: Kind, who: u8, n: u64, req: Option<String>) {
        let (name, status) =
            ((!n.is_multiple_of(3)).then(|| format!("name {n}")), n.is_multiple_of(2).then_some(Status::Away));
        let changed = match kind {
            Kind::Joined => (Some(format!("name {n}")), Some(Status::Online), Some(n)),
            Kind::Updated => (name, status, Some(n)),
            Kind::Left => (None, None, None),
        };
        let (name, status, last_active) = changed;
        let operation = Operation::new(kind, Changed { id: who.to_string(), name, status, last_active }, req);
        operation.apply(&mut self.participants);
        self.ring.push(operation);
    }

    /// Returns the response to a client with this revision.
    fn answer(&self, rev: Option<u64>) -> String {
        let to_rev = self.ring.rev();
        let message = match rev.and_then(|from| Some((from, self.ring.since(from)?))) {
            Some((from_rev, operations)) => {
                json!({ "type": SyncDeltas::TYPE, "payload": SyncDeltas { from_rev, to_rev, operations } })
            }
            None => {
                let snapshot = SyncSnapshot { rev: to_rev, participants: self.participants.clone() };
                json!({ "type": SyncSnapshot::TYPE, "payload": snapshot })
            }
        };
        message.to_string()
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Joined), Just(Kind::Updated), Just(Kind::Updated), Just(Kind::Left)]
}

proptest! {
    /// Deltas may include known revisions, as when two responses cross.
    #[test]
    fn replicas_converge(steps in vec((kind(), 0..4_u8, 0..3_u64, any::<bool>()), 1..100)) {
        let (mut server, mut replica) = (Server::default(), Replica::new("0", "Ann"));
        for (n, (kind, who, back, receives)) in (1..).zip(steps) {
            server.change(kind, who, n, None);
            if receives {
                let rev = replica.rev().map(|rev| rev.saturating_sub(back));
                replica.receive(&server.answer(rev)).unwrap();
                prop_assert_eq!(&replica.participants(), &server.participants);
            }
        }
        replica.receive(&server.answer(replica.rev())).unwrap();
        prop_assert_eq!((replica.rev(), &replica.participants()), (Some(server.ring.rev()), &server.participants));
    }

    /// Own changes are visible at once, and are confirmed one by one, with changes of others in
    /// between.
    #[test]
    fn own_changes_are_kept_until_the_server_answers(others in vec(0..3_usize, 1..20)) {
        let (mut server, mut replica) = (Server::default(), Replica::new("0", "Ann"));
        server.change(Kind::Joined, 0, 1, None);
        replica.receive(&server.answer(None)).unwrap();
        for n in 0..others.len() {
            replica.update(Patch { name: Some(format!("own {n}")), status: None }).unwrap();
        }
        let count = others.len();
        for (n, others) in others.into_iter().enumerate() {
            for _ in 0..others {
                server.change(Kind::Joined, 1, n as u64, None);
            }
            replica.receive(&server.answer(replica.rev())).unwrap();
            // The others' changes confirm nothing.
            prop_assert_eq!(replica.pending(), count - n);
            prop_assert_eq!(&replica.participants()["0"].name, &format!("own {}", count - 1));
            server.change(Kind::Updated, 0, 1, Some(format!("0-{}", n + 1)));
            replica.receive(&server.answer(replica.rev())).unwrap();
        }
        prop_assert_eq!(replica.pending(), 0);
        prop_assert_eq!(&replica.participants(), &server.participants);
    }
}
