//! Who is online.

use super::*;

const USER: Client = Client(200);
const WATCHER: Client = Client(201);

/// A user of node 1, and a watcher of node 0.
fn watched() -> Story {
    let mut story = Story::new();
    story.add(0, USER, What::Connected { node: 1 }).add(0, WATCHER, What::Connected { node: 0 });
    story
}

fn said(story: &mut Story, at: u64, online: bool) -> &mut Story {
    story.add(at + 5, WATCHER, What::Online { node: 0, user: USER, asked: ms(at), online })
}

#[test]
fn a_user_who_is_online_for_long_after_leaving_is_found() {
    let mut story = watched();
    story.add(5000, USER, What::Disconnected);
    said(&mut story, 14_000, true);
    assert_eq!(story.rules(), []);
    said(&mut story, 15_100, true);
    assert_eq!(story.rules(), [Rule::Presence]);
}

#[test]
fn how_long_a_user_stays_online_is_measured() {
    let mut story = watched();
    story.add(5000, USER, What::Disconnected);
    said(&mut story, 6000, true);
    said(&mut story, 6100, false);
    said(&mut story, 6200, false);
    let verdict = story.judge();
    assert_eq!((verdict.findings.len(), verdict.figures.offline_after.share(1.0)), (0, ms(1100)));
    assert_eq!(verdict.figures.offline_after.len(), 1);
}

#[test]
fn a_user_who_is_connected_and_said_to_be_offline_is_found() {
    let mut story = watched();
    said(&mut story, 2000, false);
    assert_eq!(story.rules(), [], "others may not have learnt of it");
    said(&mut story, 4000, false);
    assert_eq!(story.rules(), [Rule::Presence]);
    story.disturbed(Scope::Node(1), 3900, 4100);
    let again = message(OTHER, 0);
    story.published(5000, again).got(5010, A, again).got(5010, B, again);
    assert_eq!(story.rules(), []);
}

#[test]
fn a_user_who_has_come_back_is_not_the_one_who_left() {
    let mut story = watched();
    story.add(5000, USER, What::Disconnected).add(14_000, USER, What::Connected { node: 1 });
    said(&mut story, 16_000, true);
    assert_eq!(story.rules(), []);
}
