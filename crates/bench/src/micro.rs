//! The benchmarks of single functions, which criterion runs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};
use devkit::{CommandLine, workspace};
use serde_json::Value;

/// Packages and their benchmarks. Those of the feature `metrics` are separate, because the feature
/// counts every message.
const BENCHES: [(&str, &[&str]); 4] = [
    ("switchboard-frame", &["codec"]),
    ("switchboard-core", &["envelope"]),
    ("switchboard-tests", &["dispatch", "layers", "fanout"]),
    ("switchboard-tests --features metrics", &["metrics"]),
];

/// The result of one benchmark.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) group: String,
    pub(crate) name: String,
    /// The median time of one run, in nanoseconds.
    pub(crate) nanos: f64,
    /// The work of one run: bytes or elements.
    pub(crate) amount: Option<Amount>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    Bytes(f64),
    Elements(f64),
}

/// Runs all benchmarks and returns their results in order.
pub(crate) fn run(quick: bool) -> Result<Vec<Found>> {
    let started = SystemTime::now();
    for (package, names) in BENCHES {
        let command = names.iter().fold(CommandLine::cargo(&format!("bench --package {package}")), |command, name| {
            command.args(["--bench", name])
        });
        let times: &[&str] = if quick { &["--quick"] } else { &["--warm-up-time", "1", "--measurement-time", "3"] };
        let command = command.arg("--").args(["--noplot"]).args(times.iter().copied());
        println!("    $ {command}");
        command.run().with_context(|| format!("`{command}` failed"))?;
    }
    read(&workspace::target()?.join("criterion"), started)
}

/// Reads criterion's results, if they are from this run.
fn read(folder: &Path, since: SystemTime) -> Result<Vec<Found>> {
    let mut paths = Vec::new();
    find(folder, &mut paths)?;
    let mut found = Vec::new();
    for path in paths {
        let estimates = path.join("estimates.json");
        let written = fs::metadata(&estimates)?.modified()?;
        if written >= since {
            found.push((written, parse(&json(&path.join("benchmark.json"))?, &json(&estimates)?)?));
        }
    }
    found.sort_by_key(|(written, _)| *written);
    Ok(found.into_iter().map(|(_, found)| found).collect())
}

/// Finds the folders named `new`, which hold the last run of a benchmark.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && path.join("estimates.json").is_file() && path.ends_with("new") {
            found.push(path);
        } else if path.is_dir() {
            find(&path, found)?;
        }
    }
    Ok(())
}

fn json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("invalid JSON: {}", path.display()))
}

fn parse(benchmark: &Value, estimates: &Value) -> Result<Found> {
    let text = |key: &str| benchmark[key].as_str().map(str::to_owned);
    let group = text("group_id").context("criterion names no group")?;
    let name: Vec<_> = [text("function_id"), text("value_str")].into_iter().flatten().collect();
    let nanos = estimates["median"]["point_estimate"].as_f64().context("criterion gives no median")?;
    let throughput = &benchmark["throughput"];
    let amount = match (throughput["Bytes"].as_f64(), throughput["Elements"].as_f64()) {
        (Some(bytes), _) => Some(Amount::Bytes(bytes)),
        (_, Some(elements)) => Some(Amount::Elements(elements)),
        _ => None,
    };
    Ok(Found { group, name: name.join(" "), nanos, amount })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_of_criterion_are_parsed() {
        let benchmark = json!({
            "group_id": "decode", "function_id": "whole", "value_str": "100", "throughput": { "Bytes": 100 }
        });
        let found = parse(&benchmark, &json!({ "median": { "point_estimate": 25.5 } })).unwrap();
        let amount = Some(Amount::Bytes(100.0));
        assert_eq!(found, Found { group: "decode".into(), name: "whole 100".into(), nanos: 25.5, amount });
        assert!(parse(&benchmark, &json!({})).is_err());
        let bare = json!({ "group_id": "mask", "function_id": null, "value_str": "100", "throughput": null });
        let found = parse(&bare, &json!({ "median": { "point_estimate": 1 } })).unwrap();
        assert_eq!((found.name.as_str(), found.amount), ("100", None));
    }
}
