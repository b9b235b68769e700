//! The explaining run over a payload that failed: structured issues instead of serde's texts.
//!
//! It reads the text again and knows at each value where that stands. What it costs is linear in the
//! text: paths are linked, and written out only for the issues that are reported.

mod blame;
mod fault;
mod fields;
mod findings;
mod items;
mod key;
mod large;
mod node;
mod path;
mod scalar;
mod variant;

use std::marker::PhantomData;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, IgnoredAny},
};

use self::{
    findings::Findings,
    node::{Context, Node},
    path::Path,
};
use super::single;
use crate::{Issue, Issues, Message, json::Lexer};

/// Decodes a JSON payload that does not decode as `M` or seems to hold unknown keys, and says what is
/// wrong with it. `Ok` where the keys turn out to be declared.
pub(super) fn json<M: Message>(json: &str, report_unknown: bool) -> Result<M, Issues> {
    // What the lexer relies on; the payload of an envelope was checked before.
    if serde_json::from_str::<IgnoredAny>(json).is_err() {
        return Err(not_valid());
    }
    let findings = Findings::of_payload(report_unknown);
    let message = run(json, &findings)?;
    Issues::from_vec(findings.issues_of_tags(&message)).map_or(Ok(message), Err)
}

/// What is wrong with a payload that decodes as `M`, but with an `f32` that is too small for its number.
pub(super) fn too_large<M: Message>(json: &str, report_unknown: bool) -> Issues {
    too_large_in::<M>(json, || Findings::of_payload(report_unknown))
}

/// What is said where nothing more is known.
pub(super) fn not_valid() -> Issues {
    Issues::single("", "type", "is not valid")
}

/// Decodes a JSON object, ignoring unknown keys and some known ones: for extended meta.
pub(crate) fn object<T>(json: &str, ignored: &'static [&'static str]) -> Result<T, Issues>
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let findings = Findings::ignoring(ignored);
    let value: T = run(json, &findings)?;
    if findings.large.is_seen() && single::has_infinite(&value) {
        return Err(too_large_in::<T>(json, || Findings::ignoring(ignored)));
    }
    Ok(value)
}

/// Decodes what has no keys: `()`.
pub(crate) fn nothing<T: for<'de> Deserialize<'de>>() -> Result<T, Issues> {
    run("null", &Findings::default())
}

fn run<'de, T: Deserialize<'de>>(json: &'de str, findings: &Findings) -> Result<T, Issues> {
    run_seed(json, findings, PhantomData)
}

fn run_seed<'de, S: DeserializeSeed<'de>>(json: &'de str, findings: &Findings, seed: S) -> Result<S::Value, Issues> {
    let decoded = decode(json, findings, seed);
    let mut issues = findings.take_issues();
    match decoded {
        Ok(value) => Issues::from_vec(issues).map_or(Ok(value), Err),
        Err(issue) => {
            issues.push(issue);
            Err(Issues::from_vec(issues).unwrap_or_else(not_valid))
        }
    }
}

fn decode<'de, S: DeserializeSeed<'de>>(json: &'de str, findings: &Findings, seed: S) -> Result<S::Value, Issue> {
    let start = Lexer::new(json);
    let mut lexer = start;
    let context = Context::root(findings);
    seed.deserialize(Node { lexer: &mut lexer, path: &Path::ROOT, context })
        .map_err(|fault| fault.blame(start, &Path::ROOT, context).into_issue())
}

/// Where a type does not take the marks, nothing more is said than that the whole is not valid.
fn too_large_in<T>(json: &str, findings: impl Fn() -> Findings) -> Issues
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let marking = findings().marking();
    let Ok(value) = decode(json, &marking, PhantomData::<T>) else {
        // Here the number is not always in a buffer: a content behind its tag is not.
        return run::<T>(json, &findings()).err().unwrap_or_else(not_valid);
    };
    let mut issues = marking.take_issues();
    issues.append(&mut marking.large.issues_in(&value));
    Issues::from_vec(issues).unwrap_or_else(not_valid)
}

#[cfg(all(test, feature = "validator"))]
mod cost_tests;
#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod large_tests;
#[cfg(test)]
mod same_as_serde_json;
#[cfg(test)]
mod tests;
