//! The programs that are started, and how they are installed.

use std::{
    env, fmt,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian has programs that are in the path of root only.
const OTHER_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// The ports that are tried, from the first on. The system takes others for the client side of connections, so a port is
/// still free when a node that was killed comes back.
const FIRST_PORT: u16 = 16_000;
const PORTS: u16 = 16_000;

/// Returns the path of an installed program.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(OTHER_FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Returns the version that a program tells, or an empty text.
pub(super) fn version(program: &Path, argument: &str) -> String {
    let Ok(output) = Command::new(program).arg(argument).output() else { return String::new() };
    // nginx writes it to standard error.
    let text = [output.stdout, output.stderr].concat();
    version_in(&String::from_utf8_lossy(&text)).unwrap_or_default().to_owned()
}

/// Returns the first word of a text that looks like `1.2.3`, without what stands before it.
fn version_in(text: &str) -> Option<&str> {
    let words = text.split_whitespace().map(|word| word.trim_start_matches(|c: char| !c.is_ascii_digit()));
    words.map(|word| word.trim_end_matches(',')).find(|word| {
        let parts: Vec<_> = word.split('.').collect();
        parts.len() >= 3 && parts.iter().take(2).all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Returns a port of 127.0.0.1 that nothing listens on.
pub(super) fn free_port(taken: &[u16]) -> Option<u16> {
    // Different processes begin at different ports, so that they do not compete for one.
    let begin = u16::try_from(u64::from(std::process::id()) * 37 % u64::from(PORTS)).unwrap_or_default();
    let mut ports = (0..PORTS).map(|n| FIRST_PORT + (begin + n) % PORTS);
    ports.find(|port| !taken.contains(port) && is_free(*port))
}

/// Whether nothing listens on a port of 127.0.0.1.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A program that is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInstalled {
    pub(super) program: &'static str,
    pub(super) package: &'static str,
    /// What to do instead of installing it.
    pub(super) instead: &'static str,
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, package, instead } = self;
        write!(
            f,
            "{program} is not installed; run: apt-get install -y --no-install-recommends {package} (as root, on Debian or \
             Ubuntu), {instead}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_tell() {
        for (text, version) in [
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", "7.0.15"),
            ("nats-server: v2.9.10\n", "2.9.10"),
            ("nginx version: nginx/1.22.1\n", "1.22.1"),
        ] {
            assert_eq!(version_in(text), Some(version));
        }
        assert_eq!(version_in("no version"), None);
    }

    #[test]
    fn ports_are_free_and_not_given_twice() {
        let first = free_port(&[]);
        let second = free_port(first.as_slice());
        assert!(first.is_some() && second.is_some() && first != second);
    }

    #[test]
    fn what_is_missing_is_told_with_the_command_that_installs_it() {
        let error = NotInstalled { program: "redis-server", package: "redis-server", instead: "or use --broker nats" };
        assert!(error.to_string().contains("apt-get install -y --no-install-recommends redis-server"));
    }
}
