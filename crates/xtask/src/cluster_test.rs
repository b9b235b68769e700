//! `cargo xtask cluster-test`: nodes on real brokers, with faults.

use anyhow::Result;
use devkit::{CommandLine, programs, workspace};

/// Runs the checker. `--help` lists its options.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    built(options)?.run()
}

/// Builds the checker and returns the command that runs it.
pub(crate) fn built(options: &[&str]) -> Result<CommandLine> {
    let [program] = programs::build_as_for_tests("checker", ["cluster-test"])?;
    let folder = workspace::target()?.join("cluster-test");
    Ok(command(&program.to_string_lossy(), &folder.to_string_lossy(), options))
}

fn command(program: &str, folder: &str, options: &[&str]) -> CommandLine {
    CommandLine::new(program).args(["--folder", folder]).args(options.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_passed_on() {
        let command = command("/t/cluster-test", "/t/kept", &["--broker", "nats"]).to_string();
        assert_eq!(command, "/t/cluster-test --folder /t/kept --broker nats");
    }
}
