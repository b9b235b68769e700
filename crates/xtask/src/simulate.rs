//! `cargo xtask simulate`: runs many simulated clusters, optimised.

use anyhow::Result;
use devkit::CommandLine;

use crate::step::Steps;

/// Runs the simulator. Its options are `--seeds N`, `--seed S`, `--nodes N`, `--traffic`
/// and `--chart FILE`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let mut steps = Steps::new();
    let result = steps.commands("simulate", &[command(options)]);
    println!("\n{steps}");
    result
}

/// Runs the 2 000 seeds of `cargo xtask test`.
pub(crate) fn in_all_tests() -> CommandLine {
    command(&["--seeds", "2000"])
}

fn command(options: &[&str]) -> CommandLine {
    CommandLine::cargo("run --quiet --release --package switchboard-cluster --features simulate --example simulate --")
        .args(options.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_passed_on() {
        let command = command(&["--seed", "7"]).to_string();
        assert!(command.ends_with("--example simulate -- --seed 7"), "{command}");
    }
}
