//! `cargo xtask compile-cost`: what it costs to compile a small program with Switchboard, beside others.
//!
//! Each program is built in an empty project, without anything built before, not optimised. Counted is the processor
//! time of cargo and all that it starts, which other work on the machine changes little.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result};
use devkit::{CommandLine, workspace};

/// A program: its name in the table, its dependencies and its text.
struct Program {
    name: &'static str,
    dependencies: &'static str,
    main: &'static str,
}

/// The first is what the others are compared with.
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

/// What building a program takes.
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
        // Without the program itself. A crate is named again wherever it is used.
        let crates = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect::<BTreeSet<_>>().len() - 1;
        let target = project.join("target");
        let build = cargo("build --offline").arg("--target-dir").arg(target.to_string_lossy());
        println!("    $ {build}");
        let before = children_seconds()?;
        build.run()?;
        let seconds = children_seconds()? - before;
        fs::remove_dir_all(&target).context("what was built cannot be removed")?;
        Ok(Cost { crates, seconds })
    }

    /// Writes a project that nothing has been built in.
    fn write(&self, project: &Path) -> Result<()> {
        let root = workspace::root();
        if project.exists() {
            fs::remove_dir_all(project).with_context(|| format!("{} cannot be removed", project.display()))?;
        }
        fs::create_dir_all(project.join("src")).context("no project can be made")?;
        let dependencies = self.dependencies.replace("{root}", &root.to_string_lossy());
        let package = "[workspace]\n\n[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        fs::write(project.join("Cargo.toml"), format!("{package}\n[dependencies]\n{dependencies}{TOKIO}"))?;
        fs::write(project.join("src/main.rs"), self.main)?;
        // The same versions of what they share.
        fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;
        Ok(())
    }
}

/// The processor time of all processes that this one has waited for, and of theirs.
fn children_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("the processor time is read from /proc")?;
    parse_children_seconds(&stat).context("/proc/self/stat is not as expected")
}

fn parse_children_seconds(stat: &str) -> Option<f64> {
    // The name of the program may hold spaces; it ends with the last bracket. The fields behind it begin with the third.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(13)?.parse::<u32>().ok()? + fields.get(14)?.parse::<u32>().ok()?;
    // Linux counts in hundredths of a second here, whatever it does inside.
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
