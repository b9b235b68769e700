//! Checks that `docs/contributing.md` lists the files that differ by platform, because Windows and
//! macOS are not built here.

use std::{collections::BTreeSet, fs};

use devkit::workspace;

use super::files::{folders, name_of, rust_files};

/// The names of conditions. Tests use `target_os = "none"` for a condition that is never true.
const CONDITIONS: [&str; 5] = ["unix", "windows", "target_os", "target_family", "target_arch"];
const NEVER: &str = "target_os = \"none\"";

/// In these crates, the conditions are text for tests.
const TEXT: [&str; 2] = ["crates/switchboard-macros/", "crates/xtask/"];

#[test]
fn files_that_differ_by_platform_are_listed() {
    let root = workspace::root();
    let document = fs::read_to_string(root.join("docs/contributing.md")).unwrap();
    let (_, section) = document.split_once("## Platforms\n").expect("docs/contributing.md has a section `Platforms`");
    let section = section.split("\n## ").next().unwrap_or_default();
    let listed: BTreeSet<_> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    let found: BTreeSet<_> = folders(&root)
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|path| fs::read_to_string(path).unwrap().lines().any(depends_on_the_platform))
        .map(|path| name_of(&root, &path))
        .filter(|name| !TEXT.iter().any(|folder| name.starts_with(folder)))
        .collect();
    assert_eq!(listed, found, "the table of docs/contributing.md, and the files with such a condition");
}

fn depends_on_the_platform(line: &str) -> bool {
    let named = |name: &&str| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == *name);
    line.contains("cfg") && !line.contains(NEVER) && CONDITIONS.iter().any(named)
}

#[test]
fn conditions_are_distinguished_from_words() {
    for line in ["#[cfg(unix)]", "if cfg!(any(target_os = \"linux\", windows))", "#[cfg_attr(not(unix), ignore)]"] {
        assert!(depends_on_the_platform(line), "{line}");
    }
    for line in ["#[cfg(test)]", "// unix", "#[cfg(target_os = \"none\")]", "cfg.unix_socket()"] {
        assert!(!depends_on_the_platform(line), "{line}");
    }
}
