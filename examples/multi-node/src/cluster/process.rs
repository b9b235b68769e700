//! A process that ends with this one.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::platform::in_own_group;

/// How much of the end of a log is read.
const LOG_TAIL: u64 = 4096;

/// A child of this process, or a program below one that watches it. Each ends when its standard input does, which is a
/// pipe from here.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Whether the child only watches the program.
    guarded: bool,
    log: PathBuf,
}

impl Process {
    /// Starts a command of this program, which watches its standard input.
    pub(super) fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        Self::spawn(&mut command, false, log)
    }

    /// Starts another program below `guard` of this one.
    pub(super) fn start_guarded<A: AsRef<OsStr>>(
        this: &Path,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        log: &Path,
    ) -> io::Result<Self> {
        Self::spawn(Command::new(this).arg("guard").arg(program).args(arguments), true, log)
    }

    fn spawn(command: &mut Command, guarded: bool, log: &Path) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output);
        in_own_group(command);
        Ok(Self { child: command.spawn()?, guarded, log: log.to_owned() })
    }

    /// Returns how it has ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Lets it end by itself.
    pub(super) fn ask_to_end(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Ends the program with `kill -9`.
    pub(super) async fn kill(mut self) {
        if self.guarded {
            // What watches the program kills it when the pipe ends.
            return self.stop(Duration::from_secs(5)).await;
        }
        // It may have ended already.
        _ = self.child.kill().await;
    }

    /// Lets it end by itself, and kills it if that takes longer than `patience`.
    pub(super) async fn stop(mut self, patience: Duration) {
        self.ask_to_end();
        if timeout(patience, self.child.wait()).await.is_err() {
            _ = self.child.kill().await;
        }
    }

    /// Returns the last line of its log.
    pub(super) fn last_words(&self) -> String {
        let tail = tail(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&tail)
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or("its log is empty")
            .to_owned()
    }
}

/// Returns the end of a file.
fn tail(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(LOG_TAIL)))?;
    let mut bytes = Vec::new();
    file.take(LOG_TAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}
