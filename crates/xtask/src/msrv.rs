//! `cargo xtask msrv`: checks that no dependency requires a newer compiler than this workspace.
//!
//! This needs only one toolchain. Clippy's `incompatible_msrv` checks the use of the standard
//! library, and CI compiles with the oldest compiler (`.github/workflows/ci.yml`).

use anyhow::{Context as _, Result, bail};
use devkit::CommandLine;
use serde_json::Value;

/// A version such as `1.88.0`, the most significant number first.
type Version = [u32; 3];

pub(crate) fn run() -> Result<()> {
    // With the dependencies of all features and all platforms in Cargo.lock.
    let metadata = CommandLine::cargo("metadata --locked --all-features --format-version 1").output()?;
    let metadata: Value = serde_json::from_str(&metadata).context("`cargo metadata` does not print JSON")?;
    let (ours, newer) = compare(&metadata)?;
    if !newer.is_empty() {
        bail!("these need a newer compiler than {ours}:\n    {}", newer.join("\n    "));
    }
    println!("    no dependency needs a newer compiler than {ours}");
    Ok(())
}

/// Returns the workspace's own version, and the packages that require a newer one.
fn compare(metadata: &Value) -> Result<(String, Vec<String>)> {
    let packages = metadata["packages"].as_array().context("`cargo metadata` names no packages")?;
    let (own, foreign): (Vec<&Value>, Vec<&Value>) = packages.iter().partition(|package| package["source"].is_null());
    let ours =
        own.iter().find_map(|package| package["rust_version"].as_str()).context("no package has a rust-version")?;
    let other = own.iter().find(|package| package["rust_version"] != ours);
    if let Some(other) = other {
        bail!("the rust-version of {} differs from the one of the workspace, {ours}", other["name"]);
    }
    let limit = version(ours)?;
    let mut newer = Vec::new();
    for package in foreign {
        if let Some(wanted) = package["rust_version"].as_str()
            && version(wanted)? > limit
        {
            newer.push(format!("{} {} needs {wanted}", text(package, "name"), text(package, "version")));
        }
    }
    Ok((ours.to_owned(), newer))
}

fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or("?")
}

fn version(text: &str) -> Result<Version> {
    let mut parts =
        text.split('.').map(|part| part.parse::<u32>().with_context(|| format!("`{text}` is not a version")));
    let mut next = || parts.next().unwrap_or(Ok(0));
    Ok([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(foreign: &[Option<&str>]) -> Value {
        let own = json!({ "name": "own", "source": null, "rust_version": "1.88" });
        let others = foreign
            .iter()
            .map(|wanted| json!({ "name": "other", "version": "2.0.0", "source": "registry", "rust_version": wanted }));
        json!({ "packages": others.chain([own]).collect::<Vec<_>>() })
    }

    #[test]
    fn packages_that_need_more_are_named() {
        let (ours, newer) =
            compare(&metadata(&[None, Some("1.9"), Some("1.88.0"), Some("1.88.1"), Some("1.100")])).unwrap();
        assert_eq!(ours, "1.88");
        assert_eq!(newer, ["other 2.0.0 needs 1.88.1", "other 2.0.0 needs 1.100"]);
    }

    #[test]
    fn all_packages_of_the_workspace_have_one_version() {
        let mut metadata = metadata(&[]);
        let other = json!({ "name": "odd", "source": null, "rust_version": "1.90" });
        metadata["packages"].as_array_mut().unwrap().push(other);
        let error = compare(&metadata).unwrap_err().to_string();
        assert_eq!(error, r#"the rust-version of "odd" differs from the one of the workspace, 1.88"#);
    }

    #[test]
    fn a_version_has_up_to_three_numbers() {
        assert_eq!(version("1.88").unwrap(), [1, 88, 0]);
        assert!(version("1.x").is_err());
    }
}
