//! "Did you mean …" for misspelt options.

/// Returns the candidate that `word` is most likely a misspelling of.
pub(crate) fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let near = candidates.iter().map(|candidate| (distance(word, candidate), *candidate));
    let (edits, candidate) = near.min_by_key(|(edits, _)| *edits)?;
    // A third of the letters may differ, and at least one.
    (edits <= (word.chars().count() / 3).max(1)).then_some(candidate)
}

/// Returns the number of letters to insert, remove or replace to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// `` `a`, `b` and `c` ``
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings() {
        let options = ["rename_all", "allow_unknown", "meta", "crate"];
        assert_eq!(closest("allow_unkown", &options), Some("allow_unknown"));
        assert_eq!(closest("renameall", &options), Some("rename_all"));
        assert_eq!(closest("mata", &options), Some("meta"));
        assert_eq!(closest("topic", &options), None);
        assert_eq!(closest("", &options), None);
    }

    #[test]
    fn edit_distance() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn lists() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
