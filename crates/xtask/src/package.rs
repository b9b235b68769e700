//! `cargo xtask package`: builds the crates from their packages, as a user of the release does.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use devkit::{CommandLine, workspace};

use crate::test::features::PUBLISHED;

pub(crate) fn run() -> Result<()> {
    let command = packages(&fresh("packages")?);
    println!("    $ {command}");
    command.run()?;
    println!("    in this order: {}", PUBLISHED.map(|krate| krate.name).join(", "));
    Ok(())
}

/// Packages the published crates and builds them from their packages, each against the packages of
/// the others.
///
/// This detects a file that is missing in a package, and a dependency that exists only inside the
/// workspace. Offline, because the earlier steps have fetched all dependencies.
fn packages(target: &Path) -> CommandLine {
    let names = PUBLISHED.iter().flat_map(|krate| ["--package", krate.name]);
    CommandLine::cargo("package --allow-dirty --offline")
        .args(names)
        .arg("--target-dir")
        .arg(target.to_string_lossy())
        // Packages do not have the profiles of this workspace, and none of this is debugged.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
}

/// Returns a folder in the target directory that no earlier run used.
///
/// cargo unpacks a package once for each source and does not check it again: packages of the same
/// version from the same place would be those of an earlier run.
fn fresh(name: &str) -> Result<PathBuf> {
    let folder = workspace::target()?.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(folder.join(now.as_nanos().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::manifest::members;

    #[test]
    fn the_checklist_publishes_them_in_this_order() {
        let document = fs::read_to_string(workspace::root().join("docs/release.md")).unwrap();
        let published: Vec<_> = document.lines().filter_map(|line| line.strip_prefix("cargo publish -p ")).collect();
        assert_eq!(published, PUBLISHED.map(|krate| krate.name));
    }

    #[test]
    fn each_crate_is_published_after_its_dependencies() {
        let members = members();
        let place = |name: &str| PUBLISHED.iter().position(|krate| krate.name == name);
        for krate in members.iter().filter(|krate| krate.is_published()) {
            for dependency in krate.dependencies("dependencies") {
                assert!(
                    place(dependency).is_none_or(|first| Some(first) < place(krate.name())),
                    "{dependency} must be before {} in PUBLISHED",
                    krate.name()
                );
            }
        }
    }
}
