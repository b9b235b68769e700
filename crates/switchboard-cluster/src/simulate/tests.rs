use super::*;

/// Seeds in a test of this crate. `cargo xtask simulate` runs more, optimised.
const SEEDS_PER_TEST: u64 = 50;

fn assert_promises_are_kept(part: u64) {
    for seed in part * SEEDS_PER_TEST..(part + 1) * SEEDS_PER_TEST {
        let report = run(&Options::new(seed));
        if !report.violations.is_empty() {
            panic!("{}", run(&Options::new(seed).keep_trace()));
        }
        assert!(report.delivered > 1000, "seed {seed} shows little: {report}");
    }
}

// In parts, so that they run beside each other.

#[test]
fn promises_are_kept_in_the_first_seeds() {
    assert_promises_are_kept(0);
}

#[test]
fn promises_are_kept_in_the_second_seeds() {
    assert_promises_are_kept(1);
}

#[test]
fn promises_are_kept_in_the_third_seeds() {
    assert_promises_are_kept(2);
}

#[test]
fn promises_are_kept_in_the_fourth_seeds() {
    assert_promises_are_kept(3);
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let (first, second) = (run(&Options::new(7).keep_trace()), run(&Options::new(7).keep_trace()));
    assert_eq!(first.trace, second.trace);
    assert_eq!(first.trace_hash, second.trace_hash);
    assert_eq!(run(&Options::new(7)).trace_hash, first.trace_hash, "keeping the trace changes nothing");
    assert_ne!(run(&Options::new(8)).trace_hash, first.trace_hash);
}

#[test]
fn without_faults_nothing_is_lost() {
    for seed in 0..5 {
        let report = run(&Options::new(seed).without_faults());
        assert!(report.violations.is_empty(), "{report}");
        assert_eq!(report.lost, 0);
    }
}

#[test]
fn faults_lose_messages_and_the_losses_are_told() {
    let reports: Vec<_> = (0..10).map(|seed| run(&Options::new(seed))).collect();
    assert!(reports.iter().all(|report| report.violations.is_empty()));
    assert!(reports.iter().map(|report| report.lost).sum::<usize>() > 100);
    let told_after: Vec<_> = reports.iter().flat_map(|report| &report.told_after).collect();
    assert!(told_after.len() > 10, "links that stayed up have lost messages, too: {told_after:?}");
}

/// Looks for a violation in a few seeds.
fn first_violation(planted: Planted, has_faults: bool, seeds: u64) -> Option<String> {
    (0..seeds).find_map(|seed| {
        let options = Options::new(seed).planted(planted);
        let options = if has_faults { options } else { options.without_faults() };
        run(&options).violations.into_iter().next()
    })
}

#[test]
fn one_dropped_message_in_ten_thousand_is_found() {
    let found = first_violation(Planted::Drop(10_000), false, 20).expect("the judge finds it");
    assert!(found.contains("although nothing was disturbed"), "{found}");
}

#[test]
fn one_message_in_ten_thousand_out_of_order_is_found() {
    let found = first_violation(Planted::Reorder(10_000), false, 20).expect("the judge finds it");
    assert!(found.contains("heard") && found.contains("after"), "{found}");
}

#[test]
fn one_message_in_ten_thousand_delivered_twice_is_found() {
    let found = first_violation(Planted::Repeat(10_000), false, 20).expect("the judge finds it");
    assert!(found.contains("heard") && found.contains("after"), "{found}");
}

#[test]
fn a_forgotten_subscription_is_found() {
    let found = first_violation(Planted::ForgetSubscription, true, 10).expect("the judge finds it");
    assert!(found.contains("although nothing was disturbed"), "{found}");
}

#[test]
fn a_user_that_stays_online_is_found() {
    let found = first_violation(Planted::KeepGhosts, true, 30).expect("the judge finds it");
    assert!(found.contains("for online"), "{found}");
}
