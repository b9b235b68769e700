//! Checks that the program of the README builds in an empty project, with the dependencies listed
//! there.

use std::fs;

use anyhow::{Context as _, Result};
use devkit::{CommandLine, workspace};

/// The path of this repository in the README.
const PATH: &str = "../switchboard/crates/switchboard";

/// Writes the project; for cargo, it is outside of this workspace.
pub(crate) fn check() -> Result<CommandLine> {
    let (root, project) = (workspace::root(), workspace::target()?.join("readme"));
    let readme = fs::read_to_string(root.join("README.md")).context("cannot read README.md")?;
    let dependencies = block(&readme, "toml")?;
    anyhow::ensure!(dependencies.contains(PATH), "README.md does not name `{PATH}`");
    let dependencies = dependencies.replace(PATH, &root.join("crates/switchboard").to_string_lossy());
    let package = "[workspace]\n\n[package]\nname = \"readme\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n";
    fs::create_dir_all(project.join("src")).context("cannot create a project")?;
    fs::write(project.join("Cargo.toml"), format!("{package}{dependencies}"))?;
    fs::write(project.join("src/main.rs"), block(&readme, "rust")?)?;
    // The versions that everything else was tested with, so that nothing has to be fetched.
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;
    Ok(CommandLine::cargo("check --offline --manifest-path")
        .arg(project.join("Cargo.toml").to_string_lossy())
        .arg("--target-dir")
        .arg(project.join("target").to_string_lossy()))
}

/// Returns the first block in this language.
fn block<'a>(document: &'a str, language: &str) -> Result<&'a str> {
    let (_, rest) = document.split_once(&format!("```{language}\n")).context("README.md has no such code block")?;
    rest.split_once("```\n").map(|(block, _)| block).context("a code block does not end")
}
