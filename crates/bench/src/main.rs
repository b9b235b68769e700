//! `cargo xtask bench`: measures, prints tables and writes `docs/performance.md`.

#![expect(clippy::print_stdout, reason = "a command line tool prints to stdout")]

mod chart;
mod machine;
mod measure;
mod micro;
mod report;
mod results;
mod scenario;
mod sections;
mod table;

use std::{env, process::ExitCode, time::Instant};

use anyhow::{Result, bail};
use devkit::{Time, workspace};
use serde_json::Value;

use crate::{
    machine::Machine,
    measure::Lab,
    report::Report,
    results::Results,
    scenario::{Kind, SCENARIOS, Scenario, Server},
};

/// The command-line name of the benchmarks of single functions.
const FUNCTIONS: &str = "functions";

fn main() -> ExitCode {
    let options: Vec<String> = env::args_os().skip(1).map(|option| option.to_string_lossy().into_owned()).collect();
    match run(&options.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &[&str]) -> Result<()> {
    let plan = Plan::parse(options)?;
    let started = Instant::now();
    let micro = if plan.functions { micro::run(plan.quick)? } else { Vec::new() };
    let mut results = Results::default();
    let mut pinned = false;
    if !plan.scenarios.is_empty() {
        let lab = Lab::new(plan.quick)?;
        pinned = lab.pinned;
        plan.rounds(&lab, &mut results);
    }
    let command = plan.command();
    let report = Report { command: &command, machine: Machine::here(), pinned, results: &results, micro: &micro };
    println!("{}", report.markdown());
    // Only a whole run may replace the published numbers.
    let folder = if plan.is_whole() { workspace::root().join("docs") } else { workspace::target()?.join("bench") };
    report.write(&folder.join("performance.md"), &folder.join("performance"))?;
    println!("written to {}, in {}", folder.join("performance.md").display(), Time(started.elapsed()));
    let errors = results.errors();
    if !errors.is_empty() {
        bail!("messages were lost or wrong:\n    {}", errors.join("\n    "));
    }
    Ok(())
}

/// What to measure.
#[derive(Debug)]
struct Plan {
    quick: bool,
    functions: bool,
    scenarios: Vec<&'static Scenario>,
}

impl Plan {
    fn parse(options: &[&str]) -> Result<Self> {
        let (flags, names): (Vec<&str>, Vec<&str>) = options.iter().partition(|option| option.starts_with('-'));
        if let Some(unknown) = flags.iter().find(|flag| **flag != "--quick") {
            bail!("unknown option `{unknown}`");
        }
        let known: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).chain([FUNCTIONS]).collect();
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            bail!("unknown scenario `{unknown}`; there are: {}", known.join(", "));
        }
        let wanted = |name| names.is_empty() || names.contains(&name);
        Ok(Self {
            quick: !flags.is_empty(),
            functions: wanted(FUNCTIONS),
            scenarios: SCENARIOS.iter().filter(|scenario| wanted(scenario.name)).collect(),
        })
    }

    fn is_whole(&self) -> bool {
        !self.quick && self.functions && self.scenarios.len() == SCENARIOS.len()
    }

    /// Returns the command that repeats this run.
    fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench"];
        words.extend(self.quick.then_some("--quick"));
        if !(self.functions && self.scenarios.len() == SCENARIOS.len()) {
            words.extend(self.functions.then_some(FUNCTIONS));
            words.extend(self.scenarios.iter().map(|scenario| scenario.name));
        }
        words.join(" ")
    }

    /// Measures every server in every scenario, round by round, so that a slow minute affects all
    /// of them.
    fn rounds(&self, lab: &Lab, results: &mut Results) {
        let rounds = self.scenarios.iter().map(|scenario| scenario.rounds(self.quick)).max().unwrap_or(0);
        for round in 0..rounds {
            println!("\n==> round {} of {rounds}", round + 1);
            for scenario in self.scenarios.iter().filter(|scenario| round < scenario.rounds(self.quick)) {
                // Each server is first once.
                let servers = scenario.kind.servers();
                for place in 0..servers.len() {
                    let server = &servers[(place + round) % servers.len()];
                    let values = lab.measure(scenario, server).unwrap_or_else(failure);
                    println!("{}", line(scenario, server, &values));
                    results.add(scenario.name, server.name, round, values);
                }
            }
        }
    }
}

/// Returns a failed measurement, which has only an error.
#[expect(clippy::needless_pass_by_value, reason = "the signature for `unwrap_or_else`")]
fn failure(error: anyhow::Error) -> Value {
    serde_json::json!({ "errors": 1, "first_error": format!("{error:#}") })
}

/// Formats the progress: one line per measurement.
fn line(scenario: &Scenario, server: &Server, values: &Value) -> String {
    let number = |key: &str, unit: f64| values[key].as_f64().map(|value| value / unit);
    let mebibyte = 1024.0 * 1024.0;
    let (value, decimals, unit) = match scenario.kind {
        Kind::Cost | Kind::Nodes => (number("server_us", 1.0), 3, "µs/message"),
        Kind::Idle => (number("bytes_per_connection", 1.0), 0, "bytes/connection"),
        Kind::Memory => (number("memory_end", mebibyte), 1, "MiB at the end"),
        Kind::Slow => (number("evicted", 1.0), 0, "evicted"),
    };
    let error = values["first_error"].as_str().map(|error| format!("  ERROR: {error}")).unwrap_or_default();
    format!("    {:<18} {:<32} {:>10} {unit}{error}", scenario.name, server.name, table::number(value, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_names_everything_is_measured() {
        let plan = Plan::parse(&[]).unwrap();
        assert!(plan.is_whole());
        assert_eq!(plan.command(), "cargo xtask bench");
        let plan = Plan::parse(&["--quick"]).unwrap();
        assert!(!plan.is_whole() && plan.functions && plan.scenarios.len() == SCENARIOS.len());
        assert_eq!(plan.command(), "cargo xtask bench --quick");
    }

    #[test]
    fn names_select_scenarios() {
        let plan = Plan::parse(&["idle", "--quick", "rpc-1"]).unwrap();
        assert!(!plan.functions && !plan.is_whole());
        assert_eq!(plan.command(), "cargo xtask bench --quick rpc-1 idle");
        assert!(Plan::parse(&["functions"]).unwrap().scenarios.is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(Plan::parse(&["--fast"]).unwrap_err().to_string(), "unknown option `--fast`");
        let error = Plan::parse(&["dance"]).unwrap_err().to_string();
        assert!(error.starts_with("unknown scenario `dance`; there are: rpc-1, "), "{error}");
    }

    #[test]
    fn a_line_has_the_number_or_the_error() {
        let values = serde_json::json!({ "server_us": 4.5 });
        assert!(line(&SCENARIOS[0], &Kind::Cost.servers()[0], &values).ends_with("4.500 µs/message"));
        let failed = failure(anyhow::anyhow!("no server"));
        assert!(line(&SCENARIOS[0], &Kind::Cost.servers()[0], &failed).ends_with("ERROR: no server"));
    }
}
