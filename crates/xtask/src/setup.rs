//! `cargo xtask setup`: what the tests need beside Rust.

use std::{env, fs, path::Path, process};

use anyhow::{Context, Result, bail};

use crate::{manifest, step::CommandLine};

/// One thing that the tests need.
struct Need {
    name: &'static str,
    /// Whether this working copy needs it at all.
    wanted: fn(root: &Path) -> bool,
    found: Found,
    get: Get,
}

/// How to see that it is there.
enum Found {
    /// A program of this name is in `PATH`.
    Program(&'static str),
    /// This command succeeds.
    Runs(&'static [&'static str]),
}

/// How to get it.
enum Get {
    /// Packages of Debian.
    Debian(&'static [&'static str]),
    /// A command that is quick and needs no rights.
    Command(&'static [&'static str]),
    /// By hand, with this command; the tests do without it.
    ByHand { command: &'static str, without: &'static str },
}

/// Something new that the tests need is one more entry.
const NEEDS: [Need; 6] = [
    Need {
        name: "rustfmt and clippy",
        wanted: always,
        found: Found::Runs(&["sh", "-c", "cargo fmt --version && cargo clippy --version"]),
        get: Get::Command(&["rustup", "component", "add", "rustfmt", "clippy"]),
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
    Need { name: "chromium", wanted: always, found: Found::Program("chromium"), get: Get::Debian(&["chromium"]) },
    Need {
        name: "chromedriver",
        wanted: always,
        found: Found::Program("chromedriver"),
        get: Get::Debian(&["chromium-driver"]),
    },
    Need { name: "node", wanted: has_node_tests, found: Found::Program("node"), get: Get::Debian(&["nodejs"]) },
    // Apart, because other sources of Node have it in the package of Node itself, which then conflicts.
    Need { name: "npm", wanted: has_node_tests, found: Found::Program("npm"), get: Get::Debian(&["npm"]) },
];

fn always(_: &Path) -> bool {
    true
}

/// Whether `tests` or a folder in it is a package of Node's.
fn has_node_tests(root: &Path) -> bool {
    let tests = root.join("tests");
    let folders = fs::read_dir(&tests).into_iter().flatten().flatten().map(|entry| entry.path());
    folders.chain([tests]).any(|folder| folder.join("package.json").is_file())
}

/// Whether tests run by nextest.
pub(crate) fn has_nextest() -> bool {
    CommandLine::cargo("nextest --version").succeeds()
}

/// Installs what is missing. Quick when nothing is.
pub(crate) fn run() -> Result<()> {
    let root = manifest::root();
    let mut missing = Vec::new();
    for need in NEEDS.iter().filter(|need| (need.wanted)(&root)) {
        let found = need.found.holds();
        println!("    {}: {}", need.name, if found { "found" } else { "missing" });
        if !found {
            missing.push(need);
        }
    }
    install_debian(&debian_packages(&missing))?;
    for need in &missing {
        need.install()?;
    }
    Ok(())
}

impl Need {
    /// All but Debian's packages, which are installed together before.
    fn install(&self) -> Result<()> {
        match &self.get {
            Get::Debian(_) => {}
            Get::Command(words) => announced(&command(words))?,
            Get::ByHand { command, without } => {
                println!("\n!!!! {} IS NOT INSTALLED: {without}.\n!!!! Get it with: {command}\n", self.name);
                return Ok(());
            }
        }
        if !self.found.holds() {
            bail!("{} is still not found after it was installed", self.name);
        }
        Ok(())
    }
}

impl Found {
    fn holds(&self) -> bool {
        match self {
            Self::Program(name) => env::var_os("PATH")
                .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file())),
            Self::Runs(words) => command(words).succeeds(),
        }
    }
}

fn debian_packages(missing: &[&Need]) -> Vec<&'static str> {
    let packages = missing.iter().filter_map(|need| match need.get {
        Get::Debian(packages) => Some(packages),
        Get::Command(_) | Get::ByHand { .. } => None,
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
    if !Found::Program("apt-get").holds() {
        bail!("there is no apt-get here; install what these packages of Debian hold: {}", packages.join(" "));
    }
    if !is_root()? {
        bail!("only root can install packages; run\n    sudo {update} && sudo {install}\nand then this command again");
    }
    announced(&update)?;
    announced(&install.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The standard library does not tell.
fn is_root() -> Result<bool> {
    let id = process::Command::new("id").arg("-u").output().context("cannot start `id`")?;
    Ok(id.stdout.trim_ascii() == b"0")
}

fn announced(command: &CommandLine) -> Result<()> {
    println!("    $ {command}");
    command.run().with_context(|| format!("`{command}` failed"))
}

/// A command of at least one word.
fn command(words: &[&str]) -> CommandLine {
    let (program, args) = words.split_first().map_or(("", [].as_slice()), |(program, args)| (*program, args));
    CommandLine::new(program).args(args.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path() {
        assert!(Found::Program("sh").holds());
        assert!(!Found::Program("no-such-program-here").holds());
        assert!(Found::Runs(&["true"]).holds());
        assert!(!Found::Runs(&["false"]).holds());
        assert!(!Found::Runs(&["no-such-program-here"]).holds());
    }

    #[test]
    fn packages_are_installed_together() {
        let needs: Vec<_> = NEEDS.iter().collect();
        let packages = debian_packages(&needs);
        assert_eq!(packages, ["chromium", "chromium-driver", "nodejs", "npm"]);
        assert!(debian_packages(&[]).is_empty());
    }

    #[test]
    fn commands_have_a_program() {
        for need in &NEEDS {
            let words = [
                if let Found::Runs(words) = need.found { words } else { &["-"] },
                if let Get::Command(words) = need.get { words } else { &["-"] },
            ];
            assert!(words.iter().all(|words| !words.is_empty()), "{}", need.name);
        }
    }
}
