//! Runs a step: a heading, the commands with their output, the time, and a clear failure.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use devkit::{CommandLine, Time};

/// The steps of one run.
#[derive(Debug)]
pub(crate) struct Steps {
    started: Instant,
    done: Vec<Done>,
}

#[derive(Debug)]
struct Done {
    name: &'static str,
    took: Duration,
    passed: bool,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), done: Vec::new() }
    }

    /// Runs commands in order, up to the first that fails.
    pub(crate) fn commands(&mut self, name: &'static str, commands: &[CommandLine]) -> Result<()> {
        self.timed(name, || {
            commands.iter().try_for_each(|command| {
                println!("    $ {command}");
                command.run().with_context(|| failure(name, &command.to_string()))
            })
        })
    }

    /// Calls a function. `again` is the command that does the same.
    pub(crate) fn call(&mut self, name: &'static str, again: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.timed(name, || work().with_context(|| failure(name, again)))
    }

    fn timed(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n==> {name}");
        let started = Instant::now();
        let result = work();
        self.done.push(Done { name, took: started.elapsed(), passed: result.is_ok() });
        result
    }
}

fn failure(step: &str, again: &str) -> String {
    format!("step `{step}` failed\n    run it again with: {again}\n    reason")
}

/// The table of times.
impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<10} {:>10}", "step", "time")?;
        for step in &self.done {
            let end = if step.passed { "" } else { "  FAILED" };
            writeln!(f, "{:<10} {:>10}{end}", step.name, Time(step.took).to_string())?;
        }
        write!(f, "{:<10} {:>10}", "all", Time(self.started.elapsed()).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_step_and_the_command() {
        let mut steps = Steps::new();
        steps.commands("good", &[CommandLine::new("true")]).unwrap();
        let later = CommandLine::new("false").arg("later");
        let error = steps.commands("bad", &[CommandLine::new("false"), later]).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.starts_with("step `bad` failed\n    run it again with: false\n"), "{error}");
        assert!(error.contains("exit status: 1"), "{error}");
        let table = steps.to_string();
        assert!(table.contains("bad") && table.contains("FAILED"), "{table}");
    }
}
