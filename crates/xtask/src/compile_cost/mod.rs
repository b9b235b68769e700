//! `cargo xtask compile-cost`: measures the cost of compiling a small program with Switchboard, and
//! with others.
//!
//! Each program is built in an empty project, from scratch and not optimised. The processor time of
//! cargo and all its child processes is counted, on which other work on the machine has little
//! influence.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result};
use devkit::{CommandLine, workspace};

/// A program: its name in the table, its dependencies and its text.
struct Program {
    name: &'static str,
    dependencies: &'static str,
    main: &'static str,
}

/// The first is the one that the others are compared with.
const PROGRAMS: [Program; 3] = [
    Program {
        name: "axum",
        dependencies: "axum = { version = \"0.8\", features = [\"ws\"] }\n",
        main: include_str!("axum.rs"),
    },
    Program {
        name: "socketioxide",
        dependencies: "axum = \"0.8\"\nserde = { version = \"1\", features = [\"derive\"] }\nsocketioxide = \"0.18\"\n",
        main: include_str!("socketioxide.rs"),
    },
    Program {
        name: "switchboard",
        dependencies: "axum = \"0.8\"\nswitchboard = { path = \"{root}/crates/switchboard\" }\n",
        main: include_str!("switchboard.rs"),
    },
];

const TOKIO: &str = "tokio = { version = \"1\", features = [\"macros\", \"net\", \"rt-multi-thread\"] }\n";

/// The cost of building a program.
struct Cost {
    crates: usize,
    seconds: f64,
}

pub(crate) fn run() -> Result<()> {
    let mut costs = Vec::new();
    for program in &PROGRAMS {
        println!("\n==> {}", program.name);
        costs.push(program.cost()?);
    }
    println!("\n| program with | crates | processor time |\n|---|---:|---:|");
    for (program, cost) in PROGRAMS.iter().zip(&costs) {
        println!("| `{}` | {} | {:.0} s |", program.name, cost.crates, cost.seconds);
    }
    Ok(())
}

impl Program {
    fn cost(&self) -> Result<Cost> {
        let project = workspace::target()?.join("compile-cost").join(self.name);
        self.write(&project)?;
        let manifest = project.join("Cargo.toml").to_string_lossy().into_owned();
        let cargo = |args: &str| CommandLine::cargo(args).args(["--manifest-path", &manifest]);
        cargo("fetch").run()?;
        let tree = cargo("tree --offline --edges normal,build --prefix none --format {p}").output()?;
        // Without the program itself. A crate is listed again wherever it is used.
        let crates = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect::<BTreeSet<_>>().len() - 1;
        let target = project.join("target");
        let build = cargo("build --offline").arg("--target-dir").arg(target.to_string_lossy());
        println!("    $ {build}");
        let before = children_seconds()?;
        build.run()?;
        let seconds = children_seconds()? - before;
        fs::remove_dir_all(&target).context("cannot remove the build output")?;
        Ok(Cost { crates, seconds })
    }

    /// Writes a project without any build output.
    fn write(&self, project: &Path) -> Result<()> {
        let root = workspace::root();
        if project.exists() {
            fs::remove_dir_all(project).with_context(|| format!("{} cannot be removed", project.display()))?;
        }
        fs::create_dir_all(project.join("src")).context("cannot create a project")?;
        let dependencies = self.dependencies.replace("{root}", &root.to_string_lossy());
        let package = "[workspace]\n\n[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        fs::write(project.join("Cargo.toml"), format!("{package}\n[dependencies]\n{dependencies}{TOKIO}"))?;
        fs::write(project.join("src/main.rs"), self.main)?;
        // The same versions of shared dependencies.
        fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;
        Ok(())
    }
}

/// Returns the processor time of all processes that this one has waited for, and of their children.
fn children_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read the processor time from /proc")?;
    parse_children_seconds(&stat).context("unexpected format of /proc/self/stat")
}

fn parse_children_seconds(stat: &str) -> Option<f64> {
    // The name of the program may contain spaces; it ends with the last bracket. The fields behind
    // it begin with the third.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(13)?.parse::<u32>().ok()? + fields.get(14)?.parse::<u32>().ok()?;
    // Linux reports hundredths of a second here, whatever its internal unit.
    Some(f64::from(ticks) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_read() {
        let stat = "1 (a) b) S 2 3 4 5 6 7 8 9 10 11 12 13 250 50 20 0";
        assert_eq!(parse_children_seconds(stat), Some(3.0));
        assert_eq!(parse_children_seconds("1 (a) S 2"), None);
    }
}
