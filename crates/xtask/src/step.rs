//! Running a step: a heading, the commands with their output as it comes, the time, a clear failure.

use std::{
    env, fmt,
    io::{self, IsTerminal},
    process,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::manifest;

/// A command line, run at the root of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine {
    program: String,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl CommandLine {
    pub(crate) fn new(program: &str) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), env: Vec::new() }
    }

    /// `cargo` with arguments separated by spaces.
    pub(crate) fn cargo(args: &str) -> Self {
        Self::new("cargo").args(args.split_whitespace())
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Runs it to its end. The output goes straight to that of this process.
    pub(crate) fn run(&self) -> Result<()> {
        let status = self.process().status().with_context(|| format!("cannot start `{}`", self.program))?;
        if !status.success() {
            bail!("{status}");
        }
        Ok(())
    }

    /// Whether it runs and succeeds, without a word.
    pub(crate) fn succeeds(&self) -> bool {
        self.process()
            .stdout(process::Stdio::null())
            .stderr(process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Runs it to its end; what it wrote to stdout.
    pub(crate) fn output(&self) -> Result<String> {
        let mut process = self.process();
        process.stderr(process::Stdio::inherit());
        let output = process.output().with_context(|| format!("cannot start `{}`", self.program))?;
        if !output.status.success() {
            bail!("`{self}` failed: {}", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{self}` does not print UTF-8"))
    }

    /// To be started by the caller.
    pub(crate) fn process(&self) -> process::Command {
        let mut process = process::Command::new(&self.program);
        process.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        process.current_dir(manifest::root());
        // Nothing may wait for an answer, and a run at a terminal is to be the same as one without.
        process.stdin(process::Stdio::null());
        if env::var_os("CARGO_TERM_COLOR").is_none() {
            process.env("CARGO_TERM_COLOR", color());
        }
        process
    }
}

/// The line to type in a shell.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&self.program)?;
        for arg in &self.args {
            write!(f, " {}", quoted(arg))?;
        }
        Ok(())
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// One answer for all tools: some look at stdout and some at stderr.
fn color() -> &'static str {
    let terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
    if terminal && env::var_os("NO_COLOR").is_none() { "always" } else { "never" }
}

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

    /// Calls a function; `again` is the command that does the same.
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

/// A duration for people.
pub(crate) struct Time(pub(crate) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_millis() / 100;
        let (minutes, tenths) = (tenths / 600, tenths % 600);
        if minutes > 0 {
            write!(f, "{minutes}m ")?;
        }
        write!(f, "{}.{}s", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let command = CommandLine::cargo("nextest run").env("RUSTDOCFLAGS", "-D warnings").arg("-E").arg("not (it's)");
        assert_eq!(command.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo nextest run -E 'not (it'\''s)'");
    }

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
    fn a_missing_program_is_named() {
        let error = CommandLine::new("no-such-program-here").run().unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot start `no-such-program-here`"), "{error:#}");
        assert!(!CommandLine::new("no-such-program-here").succeeds());
    }

    #[test]
    fn output_is_that_of_success() {
        assert_eq!(CommandLine::new("echo").arg("a").output().unwrap(), "a\n");
        let error = CommandLine::new("false").output().unwrap_err().to_string();
        assert!(error.starts_with("`false` failed: "), "{error}");
    }

    #[test]
    fn times() {
        assert_eq!(Time(Duration::from_millis(40)).to_string(), "0.0s");
        assert_eq!(Time(Duration::from_millis(59_990)).to_string(), "59.9s");
        assert_eq!(Time(Duration::from_millis(61_500)).to_string(), "1m 1.5s");
    }
}
