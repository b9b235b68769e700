//! An accepted message arrives, or its loss is told.

use std::time::Duration;

use super::{
    Rule, Verdict,
    promises::{JOIN_MARGIN, SLACK, TOLD},
    view::{Arrival, Publish, Subscription, View},
};
use crate::history::{Message, Outcome};

pub(super) fn check(view: &View<'_>, verdict: &mut Verdict) {
    for (message, publish) in &view.publishes {
        let Some((answered, Outcome::Accepted)) = publish.answer else { continue };
        let mut got = 0;
        let mut unseen = 0;
        for subscription in view.subscriptions_of(message.topic) {
            if subscription.has(*message) {
                got += 1;
            } else if check_one(view, subscription, *message, publish, answered, verdict) {
                unseen += 1;
            }
        }
        if got == 0 && unseen > 0 {
            let text = format!("{message} of {:.3} was accepted, and nobody got it", publish.sent.as_secs_f64());
            verdict.report(Rule::Loss, text);
        }
    }
}

/// Checks a subscription that has not got a message. Returns whether that breaks the promise.
fn check_one(
    view: &View<'_>,
    subscription: &Subscription,
    message: Message,
    publish: &Publish,
    answered: Duration,
    verdict: &mut Verdict,
) -> bool {
    let sent = publish.sent;
    if !subscription.lasts(sent.saturating_sub(JOIN_MARGIN), sent) {
        return false;
    }
    let nodes = [subscription.node, publish.node];
    let in_time = answered + TOLD + SLACK;
    let disturbed = view.calm.recovered(&nodes, sent, in_time);
    let deadline = disturbed.map_or(in_time, |recovered| recovered.max(in_time));
    let told = told(subscription, message, sent);
    // Whether the client has waited long enough, connected and subscribed.
    let waited = subscription.leaving.unwrap_or(view.history.until).min(view.history.until) >= deadline;
    if told.is_some() || waited {
        verdict.figures.lost += 1;
    }
    match told {
        Some(told) if told <= deadline => {
            if disturbed.is_none() {
                verdict.figures.told_after.add(told.saturating_sub(answered));
            }
            false
        }
        Some(told) => {
            report(verdict, subscription, message, publish, &format!("and was told at {:.3}", told.as_secs_f64()));
            true
        }
        None if waited => {
            let until = deadline.as_secs_f64();
            report(verdict, subscription, message, publish, &format!("and was not told until {until:.3}"));
            true
        }
        None => false,
    }
}

/// When the client was told: after what it got before from this publisher, and not before the message was sent.
fn told(subscription: &Subscription, message: Message, sent: Duration) -> Option<Duration> {
    let of_publisher = subscription.by_publisher.get(&message.publisher).into_iter().flatten();
    let after = of_publisher.filter(|(n, _)| *n < message.n).map(|(_, place)| place + 1).max().unwrap_or_default();
    let later = subscription.arrivals[after..].iter();
    later.filter(|(at, arrival)| *at >= sent && *arrival == Arrival::Gap).map(|(at, _)| *at).next()
}

fn report(verdict: &mut Verdict, subscription: &Subscription, message: Message, publish: &Publish, told: &str) {
    let (client, node) = (subscription.client.0, subscription.node);
    let (sent, from) = (publish.sent.as_secs_f64(), publish.node);
    let text = format!("c{client} on node {node} did not get {message}, sent at {sent:.3} on node {from}, {told}");
    verdict.report(Rule::Loss, text);
}
