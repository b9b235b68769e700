//! `docs/checklist.md` and `docs/attacks.md` have every row, and name only tests that exist, as does `docs/security.md`.

use std::{collections::BTreeSet, fs, ops::RangeInclusive, path::Path};

/// The number of rows of each document in the checklist.
const ROWS: [(&str, usize); 5] = [("000", 22), ("001", 17), ("002", 39), ("003", 12), ("004", 18)];

/// The reports of users of other systems that are about clients, and those about brokers.
const COMPLAINTS: [RangeInclusive<u32>; 3] = [1..=17, 19..=20, 22..=27];

/// A number that the attack report skips.
const SKIPPED: &str = "F20";

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of tables whose first cell `is_id` accepts, as (id, tests).
fn rows(document: &str, is_id: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.filter_map(|row| {
        let mut cells = row.splitn(3, " | ");
        let id = cells.next().filter(|id| is_id(id))?;
        Some((id, cells.nth(1)?))
    })
    .collect()
}

/// What no test can show: how the project is made.
const ROWS_WITHOUT_TESTS: [&str; 1] = ["004-17"];

fn checklist_rows(document: &str) -> Vec<(&str, &str)> {
    rows(document, |id| id.starts_with('0'))
}

#[test]
fn the_checklist_has_each_row_once() {
    let document = read("docs/checklist.md");
    let expected: BTreeSet<_> =
        ROWS.iter().flat_map(|(of, count)| (1..=*count).map(move |n| format!("{of}-{n}"))).collect();
    assert_eq!(expected.len(), 108);
    let rows = checklist_rows(&document);
    let ids: BTreeSet<_> = rows.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(ids, expected);
    assert_eq!(rows.len(), ids.len(), "a row is listed twice");
    assert!(rows.iter().all(|(_, place)| !place.is_empty()));
}

#[test]
fn the_checklist_names_tests_that_exist() {
    let document = read("docs/checklist.md");
    let rows = checklist_rows(&document);
    let without: Vec<_> = rows.iter().filter(|(id, place)| assert_tests_exist(id, place) == 0).collect();
    assert_eq!(without.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ROWS_WITHOUT_TESTS);
}

#[test]
fn each_attack_has_tests_that_exist() {
    let document = read("docs/security.md");
    let (_, table) = document.split_once("| attack | what happens | tests |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let counts: Vec<_> = rows
        .map(|row| {
            let (what, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
            assert_tests_exist(what, tests)
        })
        .collect();
    assert!(counts.len() > 25 && counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn each_entry_of_the_attack_report_has_tests_that_exist() {
    let document = read("docs/attacks.md");
    let entries = [("A", 1..=13), ("B", 14..=18), ("F", 1..=22)];
    let mut expected: BTreeSet<_> =
        entries.into_iter().flat_map(|(letter, numbers)| numbers.map(move |n| format!("{letter}{n}"))).collect();
    assert!(expected.remove(SKIPPED));
    let is_entry = |id: &str| id.get(1..).is_some_and(|number| number.parse::<u8>().is_ok());
    let rows = rows(&document, is_entry);
    let found: BTreeSet<_> = rows.iter().map(|(entry, _)| (*entry).to_owned()).collect();
    assert_eq!(found, expected);
    let all: String = rows.iter().map(|(_, tests)| *tests).collect();
    for (entry, tests) in rows {
        assert!(assert_tests_exist(entry, tests) > 0, "{entry} names no test");
        let kind = if entry.starts_with('F') { "kind" } else { "attack" };
        let prefix = format!("`{kind}_{}_", entry.to_lowercase());
        assert!(all.contains(&prefix), "no test of {entry} is named after it: {prefix}…`");
    }
}

#[test]
fn each_complaint_has_tests_that_exist() {
    let document = read("docs/checklist.md");
    let is_complaint =
        |id: &str| id.strip_prefix('C').is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0));
    let rows = rows(&document, is_complaint);
    let found: Vec<_> = rows.iter().map(|(id, _)| (*id).to_owned()).collect();
    let expected = COMPLAINTS.into_iter().flatten().map(|number| format!("C{number}"));
    assert_eq!(found, expected.collect::<Vec<_>>());
    for (id, tests) in rows {
        assert!(assert_tests_exist(id, tests) > 0 || tests.contains("to come"), "{id} names no test");
    }
}

/// Reads `place`, where each file in backticks is followed by the tests in it: those of Rust in backticks, those of
/// TypeScript in quotation marks. Returns the number of tests.
fn assert_tests_exist(id: &str, place: &str) -> usize {
    let mut tests = 0;
    let mut source = None;
    let mut is_typescript = false;
    for (index, text) in place.split('`').enumerate() {
        if index % 2 == 0 {
            for name in text.split('"').skip(1).step_by(2).filter(|_| is_typescript) {
                let source: &String = source.as_ref().unwrap_or_else(|| panic!("{id}: {name:?} has no file"));
                assert!(has_typescript_test(source, name), "{id}: there is no test {name:?}");
                tests += 1;
            }
        } else if text.contains('/') {
            source = Some(read(text));
            is_typescript = text.ends_with(".ts") || text.ends_with(".tsx");
        } else {
            let source = source.as_ref().unwrap_or_else(|| panic!("{id}: `{text}` has no file"));
            assert!(has_test(source, text), "{id}: there is no test `{text}`");
            tests += 1;
        }
    }
    tests
}

/// Whether a test has this name, as `test("name", …)`. A number that the source takes from a constant may differ.
fn has_typescript_test(source: &str, name: &str) -> bool {
    let squashed: String = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("test( ", "test(");
    squashed.split("test(").skip(1).any(|rest| {
        let Some(quote) = rest.chars().next().filter(|quote| ['"', '`'].contains(quote)) else { return false };
        let found = rest[1..].split(quote).next().unwrap_or_default();
        match found.split_once("${") {
            None => found == name,
            Some((start, rest)) => {
                name.starts_with(start) && rest.split_once('}').is_some_and(|(_, end)| name.ends_with(end))
            }
        }
    })
}

/// Whether a function with this name has the attribute of a test, or the tests that adapters share are run under it.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let is_shared = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(": Program::"));
    let mut shared = lines.iter().skip_while(|line| **line != "adapter_cases!(").take_while(|line| **line != ");");
    if shared.any(is_shared) {
        return true;
    }
    let declares = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with('('))
    };
    lines.iter().enumerate().filter(|(_, line)| declares(line)).any(|(at, _)| {
        let mut above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        above.any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
    })
}

#[test]
fn tests_are_distinguished_from_other_functions() {
    let source = "
        /// Helps.
        fn helps() {}
        #[test]
        /// Shows.
        fn shows(ops in vec(op(), 1..9)) {}
        #[tokio::test(start_paused = true)]
        #[should_panic]
        async fn waits() {}
        adapter_cases!(
            shared: Program::Redis
        );
        other: Program::Redis
    ";
    assert_eq!(
        ["helps", "shows", "waits", "show", "absent", "shared", "other"].map(|name| has_test(source, name)),
        [false, true, true, false, false, true, false]
    );
}

#[test]
fn tests_of_typescript_are_found_by_their_name() {
    let source = "test(\"a b\", () => {}); const x = \"c\"; test(\n  `killing ${N} times`,\n run);";
    assert_eq!(
        ["a b", "killing 50 times", "c", "a"].map(|name| has_typescript_test(source, name)),
        [true, true, false, false]
    );
}
