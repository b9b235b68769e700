//! `cargo xtask simulate`: runs many simulated clusters, optimised.

use anyhow::Result;
use devkit::{CommandLine, programs};

use crate::step::Steps;

/// Runs the simulator. Its options are `--seeds N`, `--seed S`, `--nodes N`, `--traffic`
/// and `--chart FILE`.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let mut steps = Steps::new();
    let result = steps.commands("simulate", &[command(options)]);
    println!("\n{steps}");
    result
}

/// Runs the 2 000 seeds of `cargo xtask test`, in the program that is built with the tests.
///
/// It is slower by a fifth: the profile for tests optimises this crate, too. An optimised build would take longer than
/// it saves.
pub(crate) fn in_all_tests() -> Result<()> {
    let program = programs::build_example_as_for_tests("simulate")?;
    CommandLine::new(&program.to_string_lossy()).args(["--seeds", "2000"]).run()
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
