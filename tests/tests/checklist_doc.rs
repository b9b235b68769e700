//! `docs/checklist.md` has every row, and neither it nor `docs/security.md` names tests that are not there.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::{collections::BTreeSet, fs, path::Path};

/// How many rows each document has.
const ROWS: [(&str, usize); 5] = [("000", 22), ("001", 17), ("002", 39), ("003", 12), ("004", 18)];

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows as (id, where it is shown).
fn rows(document: &str) -> Vec<(&str, &str)> {
    let cells = document.lines().filter_map(|line| line.strip_prefix("| 0").map(|_| &line[2..line.len() - 2]));
    cells.map(|row| (row.split(" | ").next().unwrap(), row.splitn(3, " | ").nth(2).unwrap())).collect()
}

#[test]
fn every_row_stands_there_once() {
    let document = read("docs/checklist.md");
    let expected: BTreeSet<_> =
        ROWS.iter().flat_map(|(of, count)| (1..=*count).map(move |n| format!("{of}-{n}"))).collect();
    assert_eq!(expected.len(), 108);
    let rows = rows(&document);
    let ids: BTreeSet<_> = rows.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(ids, expected);
    assert_eq!(rows.len(), ids.len(), "a row stands there twice");
    assert!(rows.iter().all(|(_, place)| !place.is_empty()));
}

#[test]
fn every_test_that_is_named_exists() {
    let document = read("docs/checklist.md");
    let tests: usize = rows(&document).iter().map(|(id, place)| assert_named(id, place)).sum();
    assert!(tests > 80, "only {tests} tests are named");
}

/// `docs/security.md` names tests in the same way.
#[test]
fn every_attack_has_its_tests() {
    let document = read("docs/security.md");
    let (_, table) = document.split_once("| attack | what happens | tests |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let counts: Vec<_> = rows
        .map(|row| {
            let (what, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
            assert_named(what, tests)
        })
        .collect();
    assert!(counts.len() > 25 && counts.iter().all(|count| *count > 0), "{counts:?}");
}

/// In backticks stand files, and behind each the tests in it. How many tests there are.
fn assert_named(id: &str, place: &str) -> usize {
    let mut tests = 0;
    let mut source = None;
    for text in place.split('`').skip(1).step_by(2) {
        if text.contains('/') {
            source = Some(read(text));
        } else {
            let source = source.as_ref().unwrap_or_else(|| panic!("{id}: `{text}` has no file"));
            let declared = format!("#[test]\nfn {text}(");
            let found = source.contains(&declared) || is_async_test(source, text);
            assert!(found, "{id}: there is no test `{text}`");
            tests += 1;
        }
    }
    tests
}

/// Whether the attribute of an async test stands above the function.
fn is_async_test(source: &str, name: &str) -> bool {
    let Some((above, _)) = source.split_once(&format!("\nasync fn {name}(")) else { return false };
    let attributes = above.lines().rev().take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| line.starts_with("#[tokio::test"))
}
