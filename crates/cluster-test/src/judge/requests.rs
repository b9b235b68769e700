//! Each request ends, and publishing works again after a fault.

use std::{collections::HashMap, time::Duration};

use super::{
    Rule, Verdict,
    promises::{ANSWER, RECOVERY},
    view::View,
};
use crate::history::{Client, Outcome, What};

pub(super) fn check(view: &View<'_>, verdict: &mut Verdict) {
    for (message, publish) in &view.publishes {
        let answered = publish.answer.map(|(at, _)| at);
        if is_late(view, publish.node, publish.sent, answered) {
            let text = format!("{message}, sent at {:.3} on node {}", publish.sent.as_secs_f64(), publish.node);
            verdict.report(Rule::Unanswered, text + &late(answered));
        }
    }
    let mut ended: HashMap<(Client, u64), Duration> = HashMap::new();
    for event in &view.history.events {
        if let What::Ended(request) = event.what {
            ended.insert((event.client, request), event.at);
        }
    }
    for event in &view.history.events {
        let What::Asked(request) = event.what else { continue };
        let node = view.connected(event.client, event.at, event.at).map(|connection| connection.node);
        let answered = ended.get(&(event.client, request)).copied();
        if is_late(view, node.unwrap_or_default(), event.at, answered) {
            let text = format!("request {request} of c{}, sent at {:.3}", event.client.0, event.at.as_secs_f64());
            verdict.report(Rule::Unanswered, text + &late(answered));
        }
    }
}

fn late(answered: Option<Duration>) -> String {
    answered.map_or_else(|| " got no answer".to_owned(), |at| format!(" was answered at {:.3}", at.as_secs_f64()))
}

/// Whether a request has not ended in time. A node that does not run has until the end of the fault, and as long again.
fn is_late(view: &View<'_>, node: usize, sent: Duration, answered: Option<Duration>) -> bool {
    let mended = view.calm.mended(&[node], sent, sent + ANSWER).unwrap_or(sent);
    let deadline = mended.max(sent) + ANSWER;
    answered.unwrap_or(view.history.until) > deadline
}

/// After each fault, a publish through each node that it concerned is accepted in time.
pub(super) fn check_resumption(view: &View<'_>, verdict: &mut Verdict) {
    for fault in &view.history.disturbances {
        let deadline = fault.until + RECOVERY;
        let next = view.history.disturbances.iter().map(|it| it.from).filter(|from| *from > fault.until).min();
        for node in (0..view.history.nodes).filter(|node| fault.scope.concerns(*node)) {
            let accepted = |sent: Duration, answer| match answer {
                Some((at, Outcome::Accepted)) if sent >= fault.until => Some(at),
                _ => None,
            };
            let publishes = view.publishes.values().filter(|publish| publish.node == node);
            let first = publishes.filter_map(|publish| accepted(publish.sent, publish.answer)).min();
            match first {
                Some(at) if at <= deadline => verdict.figures.resumed_after.add(at.saturating_sub(fault.until)),
                _ if view.history.until < deadline || next.is_some_and(|next| next < deadline) => {}
                _ => {
                    let (name, until) = (fault.fault, deadline.as_secs_f64());
                    let text = format!("after {name}, no publish on node {node} was accepted until {until:.3}");
                    verdict.report(Rule::Resumption, text);
                }
            }
        }
    }
}
