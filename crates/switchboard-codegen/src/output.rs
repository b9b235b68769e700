//! A generated file.

use std::{
    env,
    error::Error,
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// The variable with which stale files are written anew: `UPDATE_CLIENTS=1 cargo test`.
const UPDATE: &str = "UPDATE_CLIENTS";

/// Lines of a difference that are shown.
const SHOWN: usize = 12;

/// The text of a generated file, and of the files beside it.
///
/// A test keeps the file in the repository up to date:
///
/// ```no_run
/// # use switchboard_core::Contract;
/// # fn contract() -> Contract { serde_json::from_str("…").unwrap() }
/// #[test]
/// fn the_client_is_up_to_date() -> Result<(), Box<dyn std::error::Error>> {
///     switchboard_codegen::typescript(&contract())?.check("web/src/chat.ts")?;
///     Ok(())
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    text: String,
    /// The types of a file of JavaScript.
    declarations: Option<String>,
    /// Names and texts of files in the same folder.
    beside: &'static [(&'static str, &'static str)],
}

impl Generated {
    pub(crate) fn new(text: String) -> Self {
        Self { text, declarations: None, beside: &[] }
    }

    pub(crate) fn with_declarations(mut self, text: String) -> Self {
        self.declarations = Some(text);
        self
    }

    pub(crate) fn with_files(mut self, files: &'static [(&'static str, &'static str)]) -> Self {
        self.beside = files;
        self
    }

    /// Returns the text of the file itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the file and those beside it, each with its path, if the file has this path.
    ///
    /// There are others with [`TypeScript::javascript`](crate::TypeScript::javascript) and
    /// [`TypeScript::standalone`](crate::TypeScript::standalone).
    #[must_use]
    pub fn files(&self, path: impl AsRef<Path>) -> Vec<(PathBuf, &str)> {
        let path = path.as_ref();
        let declarations = self.declarations.iter().map(|text| (path.with_extension("d.ts"), text.as_str()));
        let beside = self.beside.iter().map(|(name, text)| (path.with_file_name(name), *text));
        std::iter::once((path.to_owned(), self.as_str())).chain(declarations).chain(beside).collect()
    }

    /// Writes the file, those beside it, and the folders above them.
    ///
    /// # Errors
    ///
    /// If one cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.files(path).into_iter().try_for_each(|(path, text)| write(&path, text))
    }

    /// Compares the file, and those beside it, with this text. With the environment variable `UPDATE_CLIENTS=1` it
    /// writes them instead.
    ///
    /// The ends of lines do not count. A relative path begins at the current directory: in a test, that of the
    /// package.
    ///
    /// # Errors
    ///
    /// If a file differs or does not exist, with the first difference, or if it cannot be read or written.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<(), CheckError> {
        self.files(path).into_iter().try_for_each(|(path, text)| check(&path, text))
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn check(path: &Path, text: &str) -> Result<(), CheckError> {
    let fail = |reason| CheckError { path: path.display().to_string(), reason };
    if env::var(UPDATE).is_ok_and(|value| value == "1") {
        return write(path, text).map_err(|error| fail(Reason::Io(error)));
    }
    match fs::read_to_string(path) {
        Ok(found) => match difference(&found.replace("\r\n", "\n"), text) {
            None => Ok(()),
            Some(difference) => Err(fail(Reason::Stale(difference))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(fail(Reason::Missing)),
        Err(error) => Err(fail(Reason::Io(error))),
    }
}

impl fmt::Display for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A generated file that is not up to date.
pub struct CheckError {
    path: String,
    reason: Reason,
}

enum Reason {
    Missing,
    Stale(String),
    Io(io::Error),
}

impl CheckError {
    /// Returns whether the file is missing or differs, and nothing else is wrong.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self.reason, Reason::Missing | Reason::Stale(_))
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, reason } = self;
        match reason {
            Reason::Missing => write!(f, "{path} does not exist; run with {UPDATE}=1 to write it"),
            Reason::Stale(difference) => {
                write!(f, "{path} is not up to date; run with {UPDATE}=1 to write it\n{difference}")
            }
            Reason::Io(_) => write!(f, "cannot read or write {path}"),
        }
    }
}

/// As [`Display`](fmt::Display): what a test prints.
impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for CheckError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// The lines between the equal ones at the beginning and at the end.
fn difference(found: &str, expected: &str) -> Option<String> {
    if found == expected {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (found.lines().collect(), expected.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old[same..].iter().rev().zip(new[same..].iter().rev());
    let end = rest.take_while(|(old, new)| old == new).count();
    let mut text = format!("@@ line {} @@", same + 1);
    for (sign, lines) in [('-', &old[same..old.len() - end]), ('+', &new[same..new.len() - end])] {
        for line in lines.iter().take(SHOWN) {
            text += &format!("\n{sign}{line}");
        }
        if lines.len() > SHOWN {
            text += &format!("\n{sign}… {} more lines", lines.len() - SHOWN);
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_lines_that_differ() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\nc\n", "a\nx\ny\nc\n").as_deref(), Some("@@ line 2 @@\n-b\n+x\n+y"));
        assert_eq!(difference("", "a\n").as_deref(), Some("@@ line 1 @@\n+a"));
        assert_eq!(difference("a\na\n", "a\n").as_deref(), Some("@@ line 2 @@\n-a"));
        let many = difference(&"x\n".repeat(20), "").expect("they differ");
        assert!(many.ends_with("-… 8 more lines"), "{many}");
    }
}
