//! What went wrong, and the way out.

use std::{error::Error, fmt, io};

/// A message for the terminal.
#[derive(Debug)]
pub(crate) struct CliError(String);

impl CliError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self(format!("{message}\nrun `switchboard --help` for the list of options"))
    }

    /// The standard output cannot be written.
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub(crate) fn output(error: io::Error) -> Self {
        Self(format!("cannot write: {error}"))
    }

    /// With the causes behind it.
    pub(crate) fn because(message: impl fmt::Display, error: &dyn Error) -> Self {
        let mut text = format!("{message}: {error}");
        let mut source = error.source();
        while let Some(error) = source {
            text += &format!(": {error}");
            source = error.source();
        }
        Self(text)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<lexopt::Error> for CliError {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error)
    }
}
