//! Commands for users of other nodes.

use cluster_test::history::Command;

use super::*;

fn ordered(story: &mut Story, at: u64, token: u64) -> &mut Story {
    story.add(at, PUBLISHER, What::Ordered { token, target: B, command: Command::Kick })
}

#[test]
fn a_command_that_does_not_reach_its_user_is_found() {
    let mut story = Story::new();
    ordered(&mut story, 4000, 1);
    assert_eq!(story.rules(), [Rule::Command]);
    story.add(4050, B, What::Reached(1));
    let verdict = story.judge();
    assert_eq!((verdict.findings.len(), verdict.figures.kick.share(0.5)), (0, ms(50)));
}

#[test]
fn a_command_may_be_lost_in_a_fault_or_with_its_user() {
    let mut story = Story::new();
    ordered(&mut story, 4000, 1).add(4500, B, What::Disconnected);
    assert_eq!(story.rules(), []);
    let mut story = Story::new();
    ordered(&mut story, 4000, 1).disturbed(Scope::Node(0), 3500, 5000);
    let next = message(PUBLISHER, 0);
    story.published(6000, next).got(6010, A, next).got(6010, B, next);
    assert_eq!(story.rules(), []);
}

#[test]
fn commands_that_are_often_slow_are_found() {
    let mut story = Story::new();
    for token in 0..30 {
        let at = 4000 + token * 10;
        let takes = if token < 2 { 1500 } else { 20 };
        ordered(&mut story, at, token).add(at + takes, B, What::Reached(token));
    }
    assert_eq!(story.rules(), [Rule::Command]);
}
