//! Runs a step: a heading, the commands with their output, the time, and a clear failure.

use std::{
    fmt,
    fs::File,
    io,
    path::PathBuf,
    process::Child,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use devkit::{CommandLine, Time, workspace};

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

    /// Starts a command that runs beside the steps that follow, up to [`wait`](Self::wait). `again` is the command that
    /// does the same.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        again: &'static str,
        command: impl FnOnce() -> Result<CommandLine>,
    ) -> Result<Beside> {
        println!("\n==> {name}, beside what follows");
        let started = command().and_then(|command| Beside::start(name, again, &command));
        started.with_context(|| failure(name, again))
    }

    /// Waits for the end of a command and prints what it said.
    pub(crate) fn wait(&mut self, mut beside: Beside) -> Result<()> {
        println!("\n==> {}, from its beginning", beside.name);
        let result = beside.wait();
        self.record(beside.name, beside.started, &result);
        result.with_context(|| failure(beside.name, beside.again))
    }

    fn timed(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n==> {name}");
        let started = Instant::now();
        let result = work();
        self.record(name, started, &result);
        result
    }

    fn record(&mut self, name: &'static str, started: Instant, result: &Result<()>) {
        self.done.push(Done { name, took: started.elapsed(), passed: result.is_ok() });
    }
}

/// A command that runs beside the steps. Its output is kept, so that it does not mix with theirs.
#[derive(Debug)]
#[must_use = "its result is known after `Steps::wait`"]
pub(crate) struct Beside {
    name: &'static str,
    again: &'static str,
    output: PathBuf,
    process: Child,
    started: Instant,
}

impl Beside {
    fn start(name: &'static str, again: &'static str, command: &CommandLine) -> Result<Self> {
        println!("    $ {command}");
        let output = workspace::target()?.join(format!("{}.log", name.replace(' ', "-")));
        let file = File::create(&output).with_context(|| format!("{} cannot be written", output.display()))?;
        let mut process = command.process();
        process.stdout(file.try_clone().context("one output for both streams")?).stderr(file);
        let process = process.spawn().with_context(|| format!("cannot start `{command}`"))?;
        Ok(Self { name, again, output, process, started: Instant::now() })
    }

    fn wait(&mut self) -> Result<()> {
        let status = self.process.wait().context("its end is not known")?;
        let mut output =
            File::open(&self.output).with_context(|| format!("{} cannot be read", self.output.display()))?;
        io::copy(&mut output, &mut io::stdout()).context("its output cannot be printed")?;
        if !status.success() {
            bail!("{status}");
        }
        Ok(())
    }
}

fn failure(step: &str, again: &str) -> String {
    format!("step `{step}` failed\n    run it again with: {again}\n    reason")
}

/// The table of times.
impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.done.iter().map(|step| step.name.len()).max().unwrap_or_default().max("step".len());
        let line = |name: &str, time: &str| format!("{name:<width$} {time:>10}");
        writeln!(f, "{}", line("step", "time"))?;
        for step in &self.done {
            let end = if step.passed { "" } else { "  FAILED" };
            writeln!(f, "{}{end}", line(step.name, &Time(step.took).to_string()))?;
        }
        f.write_str(&line("all", &Time(self.started.elapsed()).to_string()))
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

    #[test]
    fn steps_go_on_beside_a_command() {
        let mut steps = Steps::new();
        let flag = workspace::target().unwrap().join(format!("beside-{}", std::process::id()));
        let flag = flag.to_string_lossy();
        // Two commands, each of which ends after the other has begun.
        let beside = CommandLine::new("sh").args(["-c", "until rm \"$0\"; do sleep 0.01; done 2>/dev/null", &flag]);
        let beside = steps.start("beside", "true", || Ok(beside)).unwrap();
        let other =
            CommandLine::new("sh").args(["-c", "touch \"$0\"; while [ -e \"$0\" ]; do sleep 0.01; done", &flag]);
        steps.commands("other", &[other]).unwrap();
        steps.wait(beside).unwrap();
    }

    #[test]
    fn a_failure_beside_other_steps_is_one() {
        let mut steps = Steps::new();
        let beside = steps.start("bad beside", "false", || Ok(CommandLine::new("false"))).unwrap();
        steps.commands("good", &[CommandLine::new("true")]).unwrap();
        let error = format!("{:#}", steps.wait(beside).unwrap_err());
        assert!(error.starts_with("step `bad beside` failed\n    run it again with: false\n"), "{error}");
        let table = steps.to_string();
        assert!(table.contains("bad beside") && table.contains("FAILED"), "{table}");
    }
}
