use super::*;

#[test]
fn seeds_keep_all_promises() {
    for seed in 0..20 {
        let report = run(&Options::new(seed));
        assert!(report.violations.is_empty(), "{report}");
    }
}
