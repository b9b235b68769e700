//! A process whose output is read while it runs.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// A child process, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a process whose stdout is read by [`line`](Self::line).
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{name}`"))?;
        let output = child.stdout.take();
        let (sender, lines) = mpsc::channel();
        // A thread, because reading has no timeout. It ends with the output.
        thread::spawn(move || {
            let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
            // Continues after the receiver is dropped, so that the process never waits for a
            // reader.
            lines.for_each(|line| _ = sender.send(line));
        });
        Ok(Self { child, name, lines })
    }

    /// Returns the process id. A program that replaces itself by another, as `taskset` does, keeps
    /// it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the next line of stdout, or `None` once stdout is closed.
    ///
    /// # Errors
    ///
    /// If the deadline passes first.
    pub fn line(&self, deadline: Instant) -> Result<Option<String>> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("`{}` took too long", self.name),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command).unwrap()
    }

    #[test]
    fn lines_come_until_the_end() {
        let process = shell("echo a; echo b");
        let deadline = Instant::now() + Duration::from_secs(10);
        assert_eq!(process.line(deadline).unwrap().as_deref(), Some("a"));
        assert_eq!(process.line(deadline).unwrap().as_deref(), Some("b"));
        assert_eq!(process.line(deadline).unwrap(), None);
    }

    #[test]
    fn a_process_that_takes_too_long_is_killed() {
        let process = shell("exec sleep 1000");
        let error = process.line(Instant::now()).unwrap_err();
        assert_eq!(error.to_string(), "`sh` took too long");
        drop(process);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Process::start(Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program-here`");
    }
}
