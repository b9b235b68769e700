//! Command lines, as typed in a shell.

use std::{
    env, fmt,
    io::{self, IsTerminal},
    process,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A command line, run at the root of the workspace.
#[derive(Clone, Debug)]
pub struct CommandLine {
    program: String,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl CommandLine {
    /// Creates a command line of a program without arguments.
    pub fn new(program: &str) -> Self {
        Self { program: program.to_owned(), args: Vec::new(), env: Vec::new() }
    }

    /// Creates a command line of `cargo` with arguments separated by spaces.
    pub fn cargo(args: &str) -> Self {
        Self::new("cargo").args(args.split_whitespace())
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Runs the command to its end. It shares this process's output.
    ///
    /// # Errors
    ///
    /// If the command does not start or fails.
    pub fn run(&self) -> Result<()> {
        let status = self.process().status().with_context(|| format!("cannot start `{}`", self.program))?;
        if !status.success() {
            bail!("{status}");
        }
        Ok(())
    }

    /// Runs the command without output and returns whether it succeeds.
    pub fn succeeds(&self) -> bool {
        self.process()
            .stdout(process::Stdio::null())
            .stderr(process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Runs the command to its end and returns its stdout.
    ///
    /// # Errors
    ///
    /// If the command does not start or fails, or its output is not UTF-8.
    pub fn output(&self) -> Result<String> {
        let mut process = self.process();
        process.stderr(process::Stdio::inherit());
        let output = process.output().with_context(|| format!("cannot start `{}`", self.program))?;
        if !output.status.success() {
            bail!("`{self}` failed: {}", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("the output of `{self}` is not UTF-8"))
    }

    /// Returns the process for the caller to start.
    pub fn process(&self) -> process::Command {
        let mut process = process::Command::new(&self.program);
        process.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        process.current_dir(workspace::root());
        // No command may wait for input, and runs in a terminal behave like others.
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

/// Whether tools use colours. Tools differ in whether they check stdout or stderr.
fn color() -> &'static str {
    let terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
    if terminal && env::var_os("NO_COLOR").is_none() { "always" } else { "never" }
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
    fn a_missing_program_is_named() {
        let error = CommandLine::new("no-such-program-here").run().unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot start `no-such-program-here`"), "{error:#}");
        assert!(!CommandLine::new("no-such-program-here").succeeds());
    }

    #[test]
    fn output_of_a_failed_command_is_an_error() {
        assert_eq!(CommandLine::new("echo").arg("a").output().unwrap(), "a\n");
        let error = CommandLine::new("false").output().unwrap_err().to_string();
        assert!(error.starts_with("`false` failed: "), "{error}");
    }
}
