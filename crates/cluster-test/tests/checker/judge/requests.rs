//! Requests and their ends.

use super::*;

#[test]
fn a_publish_without_an_answer_is_found() {
    let mut story = Story::new();
    story.sent(1000, message(PUBLISHER, 0));
    assert_eq!(story.rules(), [Rule::Unanswered]);
    story.0.until = ms(10_000);
    assert_eq!(story.rules(), [], "it may still come");
}

#[test]
fn a_publish_that_is_answered_late_is_found() {
    let mut story = Story::new();
    story.sent(1000, message(PUBLISHER, 0)).answered(17_000, message(PUBLISHER, 0), Outcome::Unknown);
    assert_eq!(story.rules(), [Rule::Unanswered]);
    // A node that is stopped answers afterwards.
    story.disturbed(Scope::Node(0), 1001, 11_000);
    let late = message(PUBLISHER, 1);
    story.published(12_000, late).got(12_010, A, late).got(12_010, B, late);
    assert_eq!(story.rules(), []);
}

#[test]
fn any_request_without_an_end_is_found() {
    let mut story = Story::new();
    story.add(1000, A, What::Asked(1)).add(1001, B, What::Asked(2)).add(1002, B, What::Ended(2));
    let verdict = story.judge();
    assert_eq!(verdict.findings.len(), 1);
    assert!(verdict.findings[0].text.starts_with("request 1 of c1"), "{}", verdict.findings[0]);
}

#[test]
fn publishing_that_does_not_resume_is_found() {
    let mut story = Story::new();
    story.disturbed(Scope::All, 1000, 4000);
    let first = message(PUBLISHER, 0);
    story.published(5000, first).got(5010, A, first).got(5010, B, first);
    let verdict = story.judge();
    assert_eq!(verdict.figures.resumed_after.share(1.0), ms(1010));
    assert_eq!(verdict.findings.len(), 1, "{:?}", verdict.findings);
    assert!(verdict.findings[0].text.contains("on node 1"), "{}", verdict.findings[0]);
    let refused = message(OTHER, 0);
    story.sent(6000, refused).answered(6010, refused, Outcome::Refused);
    assert_eq!(story.rules(), [Rule::Resumption]);
    let second = message(OTHER, 1);
    story.published(7000, second).got(7010, A, second).got(7010, B, second);
    assert_eq!(story.rules(), []);
}

#[test]
fn a_publish_of_before_the_end_of_a_fault_shows_nothing() {
    let mut story = Story::new();
    story.disturbed(Scope::Node(0), 1000, 4000);
    let early = message(PUBLISHER, 0);
    story.sent(3900, early).answered(4100, early, Outcome::Accepted).got(4200, A, early).got(4200, B, early);
    assert_eq!(story.rules(), [Rule::Resumption]);
}
