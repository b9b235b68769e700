//! Builds the programs of the tests package.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::CommandLine;

/// Builds programs in release mode, to be measured, and returns their paths.
///
/// # Errors
///
/// If the build fails or does not produce a program.
pub fn build_release<const N: usize>(names: [&str; N]) -> Result<[PathBuf; N]> {
    let build = CommandLine::cargo("build --release --package switchboard-tests");
    build_with(&names.iter().fold(build, |build, name| build.args(["--bin", name])), names)
}

/// Builds the programs of the package with this test program as for tests, with debug assertions, and returns their paths.
///
/// After the tests, nothing is left to build: cargo builds the programs of a package with each of
/// its tests, and this uses the same features of all dependencies, including dev-dependencies.
///
/// # Errors
///
/// If the build fails or does not produce a program.
pub fn build_as_for_tests<const N: usize>(test: &str, names: [&str; N]) -> Result<[PathBuf; N]> {
    build_with(&CommandLine::cargo("test --no-run --workspace --all-features --test").arg(test), names)
}

/// Builds an example as for tests, and returns its path.
///
/// After the tests, nothing is left to build, as for [`build_as_for_tests`].
///
/// # Errors
///
/// If the build fails or does not produce a program.
pub fn build_example_as_for_tests(name: &str) -> Result<PathBuf> {
    let build = CommandLine::cargo("build --workspace --all-features --example").arg(name);
    build_with(&build, [name]).map(|[path]| path)
}

fn build_with<const N: usize>(build: &CommandLine, names: [&str; N]) -> Result<[PathBuf; N]> {
    println!("    $ {build}");
    let output = build.clone().arg("--message-format=json-render-diagnostics").output()?;
    let messages: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let paths = names.map(|name| find(&messages, name));
    if let Some(place) = paths.iter().position(Option::is_none) {
        bail!("cargo did not report the path of {}", names[place]);
    }
    Ok(paths.map(Option::unwrap_or_default))
}

fn find(messages: &[Value], name: &str) -> Option<PathBuf> {
    let built = messages.iter().filter(|message| message["target"]["name"] == name);
    built.filter_map(|message| message["executable"].as_str()).map(PathBuf::from).next_back()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_program_is_found_by_its_name() {
        let messages = [
            json!({ "reason": "compiler-artifact", "target": { "name": "a" }, "executable": null }),
            json!({ "reason": "compiler-artifact", "target": { "name": "a" }, "executable": "/t/a" }),
            json!({ "reason": "compiler-artifact", "target": { "name": "b" }, "executable": "/t/b" }),
            json!({ "reason": "build-finished", "success": true }),
        ];
        assert_eq!(find(&messages, "a").unwrap(), PathBuf::from("/t/a"));
        assert_eq!(find(&messages, "b").unwrap(), PathBuf::from("/t/b"));
        assert!(find(&messages, "c").is_none());
    }
}
