//! The cost of explaining a refusal, in bytes of text that are read or written.

#[path = "../../../../benches/shared/hostile.rs"]
mod shapes;

use self::shapes::{Shape, shapes};
use crate::json::visits;

/// Bytes read by the diagnosis, and bytes of the paths that it writes.
fn cost(shape: &Shape) -> usize {
    visits::take();
    assert!(!shape.refuse(), "{} is accepted", shape.name);
    visits::take()
}

/// A path is written for each issue, whose number is limited.
const PATHS: usize = 40 * 256;

#[test]
fn attack_a1_a_refusal_reads_each_byte_at_most_three_times() {
    for shape in shapes(64 * 1024) {
        let cost = cost(&shape);
        assert!(cost <= 3 * shape.refused.len() + PATHS, "{}: {cost} of {}", shape.name, shape.refused.len());
        assert!(shape.accept(), "{} is refused", shape.name);
    }
}

#[test]
fn refusing_twice_the_payload_costs_twice_as_much() {
    for (one, two) in shapes(32 * 1024).iter().zip(&shapes(64 * 1024)) {
        let (less, more) = (cost(one), cost(two));
        assert!(more <= less * 22 / 10 + PATHS, "{}: {less} → {more}", one.name);
    }
}

#[test]
fn accepted_payloads_are_not_read_again() {
    for shape in shapes(16 * 1024) {
        visits::take();
        assert!(shape.accept());
        // A tag behind its content is searched once more.
        if !shape.name.contains("reversed") {
            assert_eq!(visits::take(), 0, "{}", shape.name);
        }
    }
}
