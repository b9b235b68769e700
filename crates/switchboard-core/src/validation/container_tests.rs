//! Where issues of containers are, and what their texts say, without the macros.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque},
    rc::Rc,
    sync::{Arc, Mutex, RwLock},
};

use serde::Serialize;

use super::{At, Report, Rules, check, messages};

/// A value that breaks its rule if it is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Even(u8);

impl Rules for Even {
    fn check(&self, at: At<'_>, report: &mut Report) {
        if !self.0.is_multiple_of(2) {
            report.push(at, || ("even".into(), "must be even".into()));
        }
    }
}

fn paths(value: &impl Rules) -> Vec<String> {
    let issues = check(value).err();
    issues.iter().flatten().map(|issue| issue.path().to_owned()).collect()
}

#[test]
fn containers_check_what_they_hold() {
    let (odd, even) = (Even(1), Even(2));
    assert_eq!(paths(&Cell::new(odd)), [""]);
    assert_eq!(paths(&RefCell::new(odd)), [""]);
    assert_eq!(paths(&Mutex::new(odd)), [""]);
    assert_eq!(paths(&RwLock::new(odd)), [""]);
    assert_eq!(paths(&Box::new(odd)), [""]);
    assert_eq!(paths(&Rc::new(odd)), [""]);
    assert_eq!(paths(&Arc::new(odd)), [""]);
    assert_eq!(paths(&Cow::Borrowed(&odd)), [""]);
    assert_eq!((paths(&Some(odd)), paths(&None::<Even>)), (vec![String::new()], Vec::new()));
    assert_eq!((paths(&Ok::<_, Even>(odd)), paths(&Err::<Even, _>(odd))), (vec!["Ok".into()], vec!["Err".into()]));
    assert_eq!(paths(&[even, odd]), ["[1]"]);
    assert_eq!(paths(&vec![even, odd]), ["[1]"]);
    assert_eq!(paths(&VecDeque::from([even, odd])), ["[1]"]);
    assert_eq!(paths(&LinkedList::from([even, odd])), ["[1]"]);
    assert_eq!(paths(&BTreeSet::from([odd, even])), ["[0]"]);
    assert_eq!(paths(&BinaryHeap::from([odd])), ["[0]"]);
    assert_eq!(paths(&HashSet::from([odd])), ["[0]"]);
    assert_eq!(paths(&HashMap::from([("a", even), ("b", odd)])), ["b"]);
    assert_eq!(paths(&BTreeMap::from([("a", even), ("b", odd)])), ["b"]);
    assert_eq!(paths(&(even, odd, "no rules", vec![odd])), ["[1]", "[3][0]"]);
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Name(&'static str);

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Big,
}

#[test]
fn keys_are_written_as_in_json() {
    fn path<K: Serialize + Ord>(key: K) -> String {
        paths(&BTreeMap::from([(key, Even(1))])).remove(0)
    }
    assert_eq!([path("plain"), path(Name("newtype")), path(Kind::Big), path('c')], ["plain", "newtype", "Big", "c"]);
    assert_eq!([path(true), path(-7_i64), path(u128::MAX)], ["true", "-7", &u128::MAX.to_string()]);
    // JSON has no such key.
    assert_eq!([path([1, 2]), path(())], ["", ""]);
}

#[test]
fn long_keys_are_cut() {
    let path = paths(&BTreeMap::from([("é".repeat(5000), vec![Even(1)])])).remove(0);
    assert!(path.len() < 300 && path.starts_with("éé"), "{path}");
}

#[test]
fn each_rule_has_a_text_of_its_own() {
    let text = |rule, bounds: &[(&str, &str)]| {
        let of = |name: &str| bounds.iter().find(|(bound, _)| *bound == name).map(|(_, value)| (*value).to_owned());
        messages::of(rule, of).into_owned()
    };
    let rules = [
        "email",
        "url",
        "ip",
        "regex",
        "contains",
        "does_not_contain",
        "must_match",
        "required",
        "credit_card",
        "non_control_character",
        "anything else",
    ];
    let texts: BTreeSet<_> = rules.iter().map(|rule| text(rule, &[])).collect();
    assert_eq!(texts.len(), rules.len(), "{texts:?}");
    for (bounds, length, range) in [
        (&[("min", "1"), ("max", "5")][..], "must have a length of 1 to 5", "must be 1 to 5"),
        (&[("min", "1")], "must have a length of at least 1", "must be at least 1"),
        (&[("max", "5")], "must have a length of at most 5", "must be at most 5"),
        (&[("equal", "3"), ("min", "1")], "must have a length of exactly 3", "must be exactly 3"),
    ] {
        assert_eq!((&*text("length", bounds), &*text("range", bounds)), (length, range));
    }
    for (bounds, range) in [
        (&[("exclusive_min", "1")][..], "must be more than 1"),
        (&[("exclusive_min", "1"), ("max", "5")], "must be more than 1 and at most 5"),
        (&[("exclusive_max", "5")], "must be less than 5"),
        (&[("exclusive_max", "5"), ("min", "1")], "must be at least 1 and less than 5"),
        (&[("exclusive_min", "1"), ("exclusive_max", "5")], "must be more than 1 and less than 5"),
    ] {
        assert_eq!(text("range", bounds), range);
    }
}
