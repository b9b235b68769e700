//! What differs between operating systems: signals, groups of processes, and a terminal that gives single keys.

use tokio::process::Command;

/// Completes at ctrl-c or SIGTERM.
pub(crate) async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals, it runs until it is killed.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt.await };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}

/// Keeps ctrl-c of the terminal from a child: it is stopped in its turn.
pub(crate) fn in_own_group(command: &mut Command) {
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(not(unix))]
    let _ = command;
}

/// A terminal that gives each key at once and does not show it, until this is dropped.
#[derive(Debug)]
pub(crate) struct SingleKeys {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl SingleKeys {
    /// `None` if standard input is no terminal, or not one of a kind that is known here.
    pub(crate) fn begin() -> Option<Self> {
        #[cfg(unix)]
        {
            use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
            let before = tcgetattr(std::io::stdin()).ok()?;
            let mut modes = before.clone();
            // Ctrl-c stays a signal.
            modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(std::io::stdin(), OptionalActions::Now, &modes).ok()?;
            Some(Self { before })
        }
        #[cfg(not(unix))]
        None
    }
}

#[cfg(unix)]
impl Drop for SingleKeys {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone needs no settings.
        _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Returns how many columns the terminal at standard output has.
pub(crate) fn terminal_width() -> usize {
    #[cfg(unix)]
    let width = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| size.ws_col);
    #[cfg(not(unix))]
    let width = 0;
    if width == 0 { 80 } else { width.into() }
}
