//! Runs another program, and kills it when standard input ends.
//!
//! The broker and nginx do not notice when the process that has started them is killed. This one does, because its
//! standard input is a pipe from there.

use std::{ffi::OsString, io, process::Stdio};

use tokio::process::Command;

use crate::{platform::stop_signal, stdin};

/// Runs a program to its end, or kills it with `kill -9` at the end of the input, ctrl-c or SIGTERM. Returns whether it
/// has ended by itself, and well.
pub(crate) async fn run(program: OsString, arguments: Vec<OsString>) -> io::Result<bool> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).spawn()?;
    tokio::select! {
        status = child.wait() => return Ok(status?.success()),
        () = stdin::ended() => {}
        () = stop_signal() => {}
    }
    child.kill().await?;
    Ok(true)
}
