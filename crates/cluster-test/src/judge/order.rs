//! Each message at most once, in the order of its publisher, and only if it was sent.

use std::collections::HashMap;

use super::{
    Rule, Verdict,
    view::{Arrival, Subscription, View},
};
use crate::history::{Outcome, Publisher};

pub(super) fn check(view: &View<'_>, verdict: &mut Verdict) {
    view.subscriptions.iter().for_each(|subscription| check_one(view, subscription, verdict));
}

fn check_one(view: &View<'_>, subscription: &Subscription, verdict: &mut Verdict) {
    let mut last: HashMap<Publisher, u32> = HashMap::new();
    let client = subscription.client.0;
    for (at, arrival) in &subscription.arrivals {
        let Arrival::Message(message) = *arrival else { continue };
        let at = at.as_secs_f64();
        match last.get(&message.publisher) {
            Some(before) if *before == message.n => {
                verdict.report(Rule::Duplicate, format!("c{client} got {message} twice, at {at:.3}"));
            }
            Some(before) if *before > message.n => {
                let all = &subscription.by_publisher[&message.publisher];
                let times = all.iter().filter(|(n, _)| *n == message.n).count();
                if times > 1 {
                    verdict.report(Rule::Duplicate, format!("c{client} got {message} {times} times, at {at:.3}"));
                } else {
                    verdict.report(Rule::Order, format!("c{client} got {message} after {before}, at {at:.3}"));
                }
                continue;
            }
            _ => {}
        }
        last.insert(message.publisher, message.n);
        match view.publishes.get(&message) {
            None => verdict.report(Rule::Refused, format!("c{client} got {message} at {at:.3}, which nobody has sent")),
            Some(publish) => {
                if matches!(publish.answer, Some((_, Outcome::Refused))) {
                    verdict.report(Rule::Refused, format!("c{client} got {message} at {at:.3}, which was refused"));
                }
                if subscription.left.is_some_and(|left| publish.sent > left) {
                    let sent = publish.sent.as_secs_f64();
                    let text = format!("c{client} got {message} of {sent:.3} at {at:.3}, after its subscription");
                    verdict.report(Rule::AfterTheEnd, text);
                }
            }
        }
    }
}
