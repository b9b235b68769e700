//! The location of the workspace.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::CommandLine;

/// Returns the root folder of the workspace.
///
/// `cargo run` sets the package's folder at run time, so a copied target directory does not matter.
pub fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Returns the target directory, as configured by the environment or cargo's configuration.
///
/// # Errors
///
/// If cargo cannot read the workspace.
pub fn target() -> Result<PathBuf> {
    let text = CommandLine::cargo("metadata --no-deps --offline --format-version 1").output()?;
    let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` does not print JSON")?;
    let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    Ok(target.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_target_directory() {
        assert!(target().unwrap().is_absolute());
    }

    #[test]
    fn the_workspace_has_a_manifest_and_this_package() {
        assert!(root().join("Cargo.toml").is_file());
        assert!(root().join("crates/devkit/src/workspace.rs").is_file());
    }
}
