//! The checker finds faults that are planted, and nothing where there are none.
//!
//! Each test runs two nodes on a real broker with a few clients.

use std::time::Duration;

use cluster_test::{
    judge::{Rule, promises},
    planted::Planted,
    run::{BrokerName, Fault, Report, RunOptions, Size, run},
};

async fn checked(broker: BrokerName, faults: &[Fault], planted: Option<Planted>, one_in: u64) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions {
        broker,
        faults: faults.to_vec(),
        seed: 1,
        size: Size::SMALL,
        planted,
        one_in,
        program: env!("CARGO_BIN_EXE_cluster-test").into(),
        folder: folder.path().to_owned(),
    };
    let report = run(&options).await.unwrap();
    let is_kept = report.kept.as_ref().is_some_and(|kept| kept.join("history.txt").exists());
    assert_eq!(is_kept, !report.verdict.findings.is_empty(), "{report}");
    report
}

/// Plants a fault, and checks that it is found by this rule, and by no rule that is not allowed.
async fn is_found(planted: Planted, one_in: u64, by: Rule, also: &[Rule]) {
    let report = checked(BrokerName::Redis, &[], Some(planted), one_in).await;
    let findings = &report.verdict.findings;
    assert!(findings.iter().any(|finding| finding.rule == by), "{report}");
    assert!(findings.iter().all(|finding| finding.rule == by || also.contains(&finding.rule)), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is_planted() {
    for broker in [BrokerName::Redis, BrokerName::Nats] {
        let report = checked(broker, &[], None, 1).await;
        assert!(report.verdict.findings.is_empty(), "{report}");
        let figures = &report.verdict.figures;
        assert!(figures.accepted > 200 && figures.delivered > 1000 && figures.lost == 0, "{report}");
        assert!(!figures.send.is_empty() && !figures.revoke.is_empty(), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delivery_is_found() {
    is_found(Planted::Drop, 500, Rule::Loss, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_delivery_is_found() {
    is_found(Planted::Twice, 500, Rule::Duplicate, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_out_of_order_are_found() {
    is_found(Planted::Reorder, 500, Rule::Order, &[Rule::OneOrder, Rule::Loss]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_different_order_for_one_member_is_found() {
    is_found(Planted::Swap, 500, Rule::OneOrder, &[Rule::Loss]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_is_accepted_and_forgotten_is_found() {
    is_found(Planted::Forget, 100, Rule::Loss, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_is_refused_and_takes_place_is_found() {
    is_found(Planted::Refuse, 100, Rule::Refused, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_without_an_answer_is_found() {
    is_found(Planted::Hang, 200, Rule::Unanswered, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_stays_online_is_found() {
    let report = checked(BrokerName::Redis, &[Fault::NodeKill], Some(Planted::Ghost), 1).await;
    assert!(report.verdict.findings.iter().all(|finding| finding.rule == Rule::Presence), "{report}");
    assert!(!report.verdict.findings.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_on_the_bus_is_told_by_the_nodes() {
    for broker in [BrokerName::Redis, BrokerName::Nats] {
        let report = checked(broker, &[], Some(Planted::Bus), 100).await;
        let figures = &report.verdict.figures;
        assert!(report.verdict.findings.is_empty(), "{report}");
        assert!(figures.lost > 0 && !figures.told_after.is_empty(), "{report}");
        assert!(figures.told_after.share(1.0) <= promises::TOLD + Duration::from_millis(500), "{report}");
    }
}
