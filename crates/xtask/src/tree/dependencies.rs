//! Checks that `docs/dependencies.md` lists the direct dependencies, and no others.

use std::{collections::BTreeSet, fs};

use devkit::workspace;

use super::manifest::{Manifest, members};

/// The heading of the table of dependencies that no published crate has.
const OTHERS: &str = "## For tests, examples and tools only";

#[test]
fn the_document_lists_the_dependencies() {
    let members = members();
    let document = fs::read_to_string(workspace::root().join("docs/dependencies.md")).unwrap();
    let names: BTreeSet<&str> = members.iter().map(Manifest::name).collect();
    let foreign = |name: &&str| !names.contains(name);

    let mut published = BTreeSet::new();
    for krate in members.iter().filter(|krate| krate.is_published()) {
        let expected: BTreeSet<_> = krate.dependencies("dependencies").into_iter().filter(foreign).collect();
        assert_same(&rows(&document, &format!("### `{}`", krate.name())), &expected);
        published.extend(expected);
    }
    let all =
        members.iter().flat_map(|krate| ["dependencies", "dev-dependencies"].map(|table| krate.dependencies(table)));
    let others = all.flatten().filter(foreign).filter(|name| !published.contains(name)).collect();
    assert_same(&rows(&document, OTHERS), &others);
}

/// Returns the names in the first column below a heading, up to the next one.
fn rows<'a>(document: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let mut lines = document.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "docs/dependencies.md has no heading `{heading}`");
    let rows = lines.take_while(|line| !line.starts_with('#')).filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}

fn assert_same(listed: &BTreeSet<&str>, used: &BTreeSet<&str>) {
    let missing: Vec<_> = used.difference(listed).collect();
    let stale: Vec<_> = listed.difference(used).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "docs/dependencies.md lacks {missing:?} and lists unused {stale:?}"
    );
}
