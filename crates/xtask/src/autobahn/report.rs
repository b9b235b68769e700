//! The suite's results, and which of them are accepted.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// Invalid UTF-8 arrives in portions of one frame. Refusing it only once the frame is complete is
/// allowed.
const NON_STRICT: [&str; 2] = ["6.4.3", "6.4.4"];

/// A close in the middle of a large message, and undefined close codes: the suite has no
/// requirements for them.
const INFORMATIONAL: [&str; 3] = ["7.1.6", "7.13.1", "7.13.2"];

/// The cases of a run.
#[derive(Debug, Default)]
pub(super) struct Report {
    cases: BTreeMap<Case, Verdict>,
}

/// The number of a case, ordered numerically: 1.10 is after 1.9.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Case(Vec<u32>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    behavior: String,
    /// The result of closing, which is judged separately.
    closing: String,
}

impl Report {
    /// Parses an `index.json`: a table of cases for each tested server, of which there is one.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let servers: Map<String, Value> = serde_json::from_str(text).context("not a report")?;
        let mut report = Self::default();
        for cases in servers.values() {
            for (case, verdict) in cases.as_object().context("a report without a table of cases")? {
                let verdict = Verdict::parse(verdict).with_context(|| format!("case {case}"))?;
                report.insert(Case::parse(case)?, verdict)?;
            }
        }
        Ok(report)
    }

    pub(super) fn add(&mut self, other: Self) -> Result<()> {
        other.cases.into_iter().try_for_each(|(case, verdict)| self.insert(case, verdict))
    }

    fn insert(&mut self, case: Case, verdict: Verdict) -> Result<()> {
        match self.cases.entry(case) {
            Entry::Vacant(entry) => entry.insert(verdict),
            Entry::Occupied(entry) => bail!("case {} occurs twice", entry.key()),
        };
        Ok(())
    }

    /// Returns what is not accepted, one line each.
    pub(super) fn bad(&self, expected: usize) -> Vec<String> {
        let bad = self.cases.iter().filter(|(case, verdict)| !verdict.is_accepted(&case.to_string()));
        let mut bad: Vec<_> = bad.map(|(case, verdict)| format!("case {case}: {verdict}")).collect();
        if self.cases.len() != expected {
            bad.push(format!("{} cases were run instead of {expected}", self.cases.len()));
        }
        bad
    }
}

impl Case {
    fn parse(text: &str) -> Result<Self> {
        let numbers: Result<_, _> = text.split('.').map(str::parse).collect();
        Ok(Self(numbers.with_context(|| format!("`{text}` is not a case number"))?))
    }
}

impl Verdict {
    fn parse(value: &Value) -> Result<Self> {
        let text = |key| value[key].as_str().map(str::to_owned).with_context(|| format!("`{key}` is missing"));
        Ok(Self { behavior: text("behavior")?, closing: text("behaviorClose")? })
    }

    fn is_accepted(&self, case: &str) -> bool {
        match (self.behavior.as_str(), self.closing.as_str()) {
            ("OK", "OK") => true,
            ("NON-STRICT", "OK") => NON_STRICT.contains(&case),
            ("OK" | "INFORMATIONAL", "OK" | "INFORMATIONAL") => INFORMATIONAL.contains(&case),
            _ => false,
        }
    }
}

/// The number of cases, and their results.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = BTreeMap::<String, usize>::new();
        for verdict in self.cases.values() {
            *counts.entry(verdict.to_string()).or_default() += 1;
        }
        let cases = if self.cases.len() == 1 { "case" } else { "cases" };
        write!(f, "{} {cases}", self.cases.len())?;
        for (index, (verdict, count)) in counts.iter().enumerate() {
            write!(f, "{}{count} {verdict}", if index == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// Mentions the closing only if its result is unusual for the result of the case.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.behavior)?;
        if self.closing != "OK" && self.closing != self.behavior {
            write!(f, " (closing {})", self.closing)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(cases: &[(&str, &str, &str)]) -> Report {
        let cases: Map<_, _> = cases
            .iter()
            .map(|(case, behavior, closing)| {
                let entry = json!({
                    "behavior": behavior, "behaviorClose": closing, "duration": 2, "remoteCloseCode": null,
                    "reportfile": "a.json",
                });
                ((*case).to_owned(), entry)
            })
            .collect();
        Report::parse(&json!({ "127.0.0.1:1": cases }).to_string()).unwrap()
    }

    #[test]
    fn a_good_report() {
        let mut all = report(&[("1.1.1", "OK", "OK"), ("6.4.3", "NON-STRICT", "OK")]);
        all.add(report(&[("7.1.6", "INFORMATIONAL", "INFORMATIONAL"), ("7.13.2", "OK", "OK")])).unwrap();
        assert_eq!(all.bad(4), [""; 0]);
        assert_eq!(all.to_string(), "4 cases: 1 INFORMATIONAL, 1 NON-STRICT, 2 OK");
    }

    #[test]
    fn bad_cases_are_listed_in_order() {
        let all = report(&[
            ("10.1.1", "OK", "WRONG CODE"),
            ("6.4.4", "NON-STRICT", "UNCLEAN"),
            ("5.10", "ERROR", "FAILED"),
            ("5.9", "FAILED", "OK"),
            ("6.4.2", "NON-STRICT", "OK"),
            ("7.1.6", "FAILED", "INFORMATIONAL"),
            ("2.1", "INFORMATIONAL", "INFORMATIONAL"),
            ("2.2", "UNIMPLEMENTED", "OK"),
            ("2.3", "something new", "OK"),
        ]);
        assert_eq!(
            all.bad(9),
            [
                "case 2.1: INFORMATIONAL",
                "case 2.2: UNIMPLEMENTED",
                "case 2.3: something new",
                "case 5.9: FAILED",
                "case 5.10: ERROR (closing FAILED)",
                "case 6.4.2: NON-STRICT",
                "case 6.4.4: NON-STRICT (closing UNCLEAN)",
                "case 7.1.6: FAILED (closing INFORMATIONAL)",
                "case 10.1.1: OK (closing WRONG CODE)",
            ]
        );
    }

    #[test]
    fn all_cases_must_have_been_run_once() {
        let mut all = report(&[("1.1.1", "OK", "OK")]);
        assert_eq!(all.bad(2), ["1 cases were run instead of 2"]);
        assert_eq!(report(&[]).bad(1), ["0 cases were run instead of 1"]);
        let error = all.add(report(&[("1.1.1", "OK", "OK")])).unwrap_err();
        assert_eq!(error.to_string(), "case 1.1.1 occurs twice");
    }

    #[test]
    fn other_reports_are_refused() {
        let error = |text| format!("{:#}", Report::parse(text).unwrap_err());
        assert!(error("").starts_with("not a report: "));
        assert_eq!(error(r#"{"a": 1}"#), "a report without a table of cases");
        assert_eq!(error(r#"{"a": {"1.1": {"behavior": "OK"}}}"#), "case 1.1: `behaviorClose` is missing");
        let unknown = error(r#"{"a": {"one": {"behavior": "OK", "behaviorClose": "OK"}}}"#);
        assert!(unknown.starts_with("`one` is not a case number"), "{unknown}");
    }
}
