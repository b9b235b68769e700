//! The dashboard for Grafana, against the metrics that the library has.

use std::collections::BTreeSet;

use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../docs/grafana.json");
const METRICS: &str = include_str!("../../../crates/switchboard/docs/metrics.md");

/// Returns the names in a text that begin with `switchboard_`.
fn names(text: &str) -> BTreeSet<&str> {
    let names = text.match_indices("switchboard_").map(|(start, _)| {
        let rest = &text[start..];
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        &rest[..end]
    });
    names.collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    // Exporters for Prometheus add the parts of a histogram.
    let shown: BTreeSet<_> = names(DASHBOARD).into_iter().map(|name| name.trim_end_matches("_bucket")).collect();
    assert_eq!(shown, names(METRICS));
}

#[test]
fn every_panel_has_queries_and_its_own_place() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && targets.iter().all(|target| target["expr"].is_string()), "{title}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
        assert!(x + w <= 24, "{title}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{title} overlaps another panel");
        }
    }
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
}
