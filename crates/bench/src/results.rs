//! The measurements, and the numbers derived from them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// All measurements of a run.
#[derive(Debug, Default)]
pub(crate) struct Results(Vec<Measurement>);

#[derive(Debug)]
struct Measurement {
    scenario: &'static str,
    server: &'static str,
    round: usize,
    values: Value,
}

impl Results {
    pub(crate) fn add(&mut self, scenario: &'static str, server: &'static str, round: usize, values: Value) {
        self.0.push(Measurement { scenario, server, round, values });
    }

    pub(crate) fn has(&self, scenario: &str) -> bool {
        self.0.iter().any(|measurement| measurement.scenario == scenario)
    }

    /// Returns the median over the rounds.
    pub(crate) fn median(&self, scenario: &str, server: &str, key: &str) -> Option<f64> {
        median(self.by_round(scenario, server, key).into_values())
    }

    /// Returns the sum over the rounds.
    pub(crate) fn sum(&self, scenario: &str, server: &str, key: &str) -> f64 {
        self.by_round(scenario, server, key).into_values().sum()
    }

    /// Returns the ratio to another server, computed within each round because slow minutes affect
    /// both: median, minimum and maximum.
    pub(crate) fn ratio(&self, scenario: &str, server: &str, base: &str, key: &str) -> Option<(f64, f64, f64)> {
        let base = self.by_round(scenario, base, key);
        let values = self.by_round(scenario, server, key).into_iter();
        let mut ratios: Vec<f64> = values
            .filter_map(|(round, value)| base.get(&round).filter(|base| **base > 0.0).map(|base| value / base))
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        Some((median(ratios.iter().copied())?, *ratios.first()?, *ratios.last()?))
    }

    /// Returns how many rounds have a value.
    pub(crate) fn rounds(&self, scenario: &str, server: &str, key: &str) -> usize {
        self.by_round(scenario, server, key).len()
    }

    fn by_round(&self, scenario: &str, server: &str, key: &str) -> BTreeMap<usize, f64> {
        let measurements = self.0.iter().filter(|m| m.scenario == scenario && m.server == server);
        measurements.filter_map(|m| Some((m.round, m.values[key].as_f64()?))).collect()
    }

    /// Returns the errors of all measurements.
    pub(crate) fn errors(&self) -> Vec<String> {
        let wrong = self.0.iter().filter_map(|m| {
            let count = m.values["errors"].as_u64().unwrap_or(0) + m.values["lost"].as_u64().unwrap_or(0);
            let first = m.values["first_error"].as_str().unwrap_or("deliveries were lost");
            (count > 0).then(|| format!("{}, {}, round {}: {count} errors, {first}", m.scenario, m.server, m.round + 1))
        });
        wrong.collect()
    }

    /// Returns one line of JSON per measurement.
    pub(crate) fn raw(&self) -> String {
        let line = |m: &Measurement| {
            let mut line = json!({ "scenario": m.scenario, "server": m.server, "round": m.round + 1 });
            if let (Some(line), Some(values)) = (line.as_object_mut(), m.values.as_object()) {
                line.extend(values.iter().map(|(key, value)| (key.clone(), rounded(value))));
            }
            format!("{line}\n")
        };
        self.0.iter().map(line).collect()
    }
}

/// Rounds a value to its significant digits.
fn rounded(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if !value.is_u64() => json!((number * 1000.0).round() / 1000.0),
        _ => value.clone(),
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut results = Results::default();
        // The second round is twice as slow for both, and the third has no base.
        for (round, ours, base) in [(0, 1.0, Some(2.0)), (1, 2.4, Some(4.0)), (2, 100.0, None)] {
            results.add("s", "ours", round, json!({ "us": ours }));
            results.add("s", "base", round, json!({ "us": base }));
        }
        let (median, least, greatest) = results.ratio("s", "ours", "base", "us").unwrap();
        assert!((median - 0.55).abs() < 1e-9 && (least - 0.5).abs() < 1e-9 && (greatest - 0.6).abs() < 1e-9);
        assert_eq!(results.rounds("s", "ours", "us"), 3);
        assert!(results.ratio("s", "ours", "base", "other").is_none());
    }

    #[test]
    fn errors_name_scenario_server_and_round() {
        let mut results = Results::default();
        results.add("s", "a", 0, json!({ "errors": 0, "lost": 0 }));
        results.add("s", "b", 1, json!({ "errors": 2, "first_error": "bad" }));
        results.add("s", "c", 0, json!({ "lost": 3 }));
        assert_eq!(results.errors(), ["s, b, round 2: 2 errors, bad", "s, c, round 1: 3 errors, deliveries were lost"]);
    }

    #[test]
    fn raw_numbers_are_short() {
        let mut results = Results::default();
        results.add("s", "a", 0, json!({ "us": 0.123_456, "count": 7 }));
        let raw: Value = serde_json::from_str(results.raw().trim()).unwrap();
        assert_eq!(raw, json!({ "scenario": "s", "server": "a", "round": 1, "us": 0.123, "count": 7 }));
    }
}
