//! Users of other nodes: whether they are online, and whether commands reach them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{
    Rule, Verdict,
    promises::{COMMAND, OFFLINE, ONLINE, SLOWEST_COMMAND},
    view::View,
};
use crate::history::{Client, Command, What};

/// The fewest commands from which the 99th percentile is judged.
const ENOUGH: usize = 20;

pub(super) fn check_online(view: &View<'_>, verdict: &mut Verdict) {
    // Users of which a node has already said that they are offline, since they disconnected.
    let mut offline: HashSet<(usize, Client, Duration)> = HashSet::new();
    for event in &view.history.events {
        let What::Online { node, user, asked, online } = event.what else { continue };
        let at = event.at;
        let settled = asked.checked_sub(ONLINE);
        if let Some(from) = settled
            && let Some(connection) = view.connected(user, from, at)
        {
            if !online && view.calm.is(&[node, connection.node], from, at) {
                let text = format!("node {node} said at {:.3} that c{} is offline", at.as_secs_f64(), user.0);
                verdict.report(Rule::Presence, text + &format!(", which is connected to node {}", connection.node));
            }
        } else if let Some(since) = disconnected_since(view, user, asked, at) {
            if !online && offline.insert((node, user, since)) && view.calm.is(&[node], since, at) {
                verdict.figures.offline_after.add(asked.saturating_sub(since));
            }
            if online && asked > since + OFFLINE && view.calm.is(&[node], since, at) {
                let text = format!("node {node} said at {:.3} that c{} is online", at.as_secs_f64(), user.0);
                verdict.report(Rule::Presence, text + &format!(", which left at {:.3}", since.as_secs_f64()));
            }
        }
    }
}

/// When a client that had no connection throughout a time had lost it.
fn disconnected_since(view: &View<'_>, client: Client, from: Duration, until: Duration) -> Option<Duration> {
    let connections = view.connections.get(&client)?;
    let before = connections.iter().take_while(|connection| connection.from <= until);
    let ended = before.last()?.until?;
    (ended <= from).then_some(ended)
}

pub(super) fn check_commands(view: &View<'_>, verdict: &mut Verdict) {
    let mut reached: HashMap<u64, Duration> = HashMap::new();
    for event in &view.history.events {
        if let What::Reached(token) = event.what {
            reached.entry(token).or_insert(event.at);
        }
    }
    for event in &view.history.events {
        let What::Ordered { token, target, command } = event.what else { continue };
        let ordered = event.at;
        let arrived = reached.get(&token).copied();
        let needed = arrived.unwrap_or(ordered + SLOWEST_COMMAND);
        let Some(from) = ordered.checked_sub(ONLINE) else { continue };
        let own = view.connected(event.client, ordered, ordered);
        let (Some(own), Some(theirs)) = (own, view.connected(target, from, needed)) else { continue };
        if needed > view.history.until || !view.calm.is(&[own.node, theirs.node], from, needed) {
            continue;
        }
        match arrived {
            Some(at) => {
                let times = match command {
                    Command::Send => &mut verdict.figures.send,
                    Command::Revoke(_) => &mut verdict.figures.revoke,
                    Command::Kick => &mut verdict.figures.kick,
                };
                times.add(at.saturating_sub(ordered));
            }
            None => {
                let text = format!("{command:?} {token} for c{}, ordered at {:.3}", target.0, ordered.as_secs_f64());
                verdict.report(Rule::Command, text + " on another node, has not reached it");
            }
        }
    }
    let measured = verdict.figures.commands().into_iter().filter(|(_, times)| times.len() >= ENOUGH);
    let most: Vec<_> = measured.map(|(name, times)| (name, times.share(0.99))).collect();
    for (name, most) in most.into_iter().filter(|(_, most)| *most > COMMAND) {
        verdict.report(Rule::Command, format!("one in a hundred of {name} takes {most:.1?}"));
    }
}
