//! The Kubernetes manifest: the times in it against each other.

use super::block;

/// Returns the number behind a key.
fn number(text: &str, key: &str) -> u64 {
    let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("no {key}"));
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[test]
fn the_grace_period_covers_pre_stop_and_drain() {
    let manifest = block("yaml");
    let pre_stop = number(&manifest, "sleep: { seconds:");
    let probe = number(&manifest, "periodSeconds:") * number(&manifest, "failureThreshold:");
    // Those of the text around it: `hub.drain(20 s)` and the grace that is `Drain`'s default.
    let (drain, grace) = (20, 5);
    assert!(probe < pre_stop, "the server must be out of the balancer before the drain begins");
    assert!(number(&manifest, "terminationGracePeriodSeconds:") > pre_stop + drain + grace);
}
