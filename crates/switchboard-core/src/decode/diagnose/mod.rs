//! Explains why a payload was refused: structured issues instead of serde's texts.
//!
//! A deserializer that tracks the path of each value reads the text again. A type that refuses a
//! value cannot continue, so it gets a placeholder instead, and the values behind it are checked,
//! too. The cost is linear in the text: paths are linked, and written out only for reported issues.

mod blame;
mod fault;
mod findings;
mod large;
mod path;
mod placeholder;
mod probe;
mod reader;
mod repair;
mod text_kind;

use std::marker::PhantomData;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, IgnoredAny},
};

use self::{
    fault::Fault,
    findings::Findings,
    path::Path,
    reader::{Context, Node},
    repair::{Repair, Repairs},
};
use super::{Substituted, single};
use crate::{Issue, Issues, Message, json::Lexer};

/// Explains a JSON payload that does not decode as `M` or seems to have unknown keys. Returns `Ok`
/// if the keys turn out to be declared; the rules are not checked then.
pub(super) fn json<M: Message>(json: &str, report_unknown: bool) -> Result<M, Issues> {
    // The lexer relies on valid JSON; the payload of an envelope was checked before.
    if serde_json::from_str::<IgnoredAny>(json).is_err() {
        return Err(not_valid());
    }
    let mut issues = Vec::new();
    let mut replaced = Vec::new();
    let mut repairs = Repairs::default();
    loop {
        let is_first = repairs.is_empty();
        let findings = Findings::of_payload(report_unknown).with_placeholders(repairs, probe::missing::<M>);
        let decoded = decode(json, &findings, PhantomData::<M>);
        issues.append(&mut findings.take_issues());
        if let Ok(message) = &decoded {
            issues.append(&mut findings.issues_of_tags(message));
        }
        let (mut found, paths, known) = findings.placeholders.map_or_else(Default::default, |all| all.into_parts());
        repairs = known;
        replaced.append(&mut found);
        match decoded {
            Ok(message) if is_first && issues.is_empty() && paths.is_empty() => return Ok(message),
            Ok(message) => {
                issues.append(&mut issues_of::<M>(replaced));
                if issues.is_empty() {
                    // The type itself makes a value of the refused one.
                    return run(json, &Findings::of_payload(report_unknown));
                }
                if let Err(broken) = broken_rules(&message, paths) {
                    issues.extend(broken.iter().cloned());
                }
                break;
            }
            Err(mut fault) => {
                let repair = fault.take_repair();
                if let Some(Repair::Supply(missing)) = &repair {
                    issues.extend(missing.issues.iter().cloned());
                }
                issues.extend(fault.into_issue());
                if !repair.is_some_and(|repair| repairs.add(repair, json.len())) {
                    issues.append(&mut issues_of::<M>(replaced));
                    break;
                }
            }
        }
    }
    Err(Issues::from_vec(issues).unwrap_or_else(not_valid))
}

/// The issues of values that have placeholders, except those that a type does not refuse after all.
fn issues_of<T: for<'de> Deserialize<'de>>(mut replaced: Vec<findings::Replaced>) -> Vec<Issue> {
    replaced.sort_by(|a, b| a.issue.cmp(&b.issue));
    replaced.dedup_by(|a, b| a.issue == b.issue);
    replaced.into_iter().filter(|one| !probe::swallows::<T>(&one.steps)).map(|one| one.issue).collect()
}

/// Returns the broken rules beside the issues found before.
fn broken_rules<M: Message>(message: &M, placeholders: Vec<String>) -> Result<(), Issues> {
    match Substituted::at(placeholders) {
        Ok(None) => message.validate(),
        Ok(Some(substituted)) => message.validate_decoded(&substituted),
        Err(_) => Ok(()),
    }
}

/// Explains a payload that decodes as `M`, but with an `f32` that is too small for its number.
pub(super) fn too_large<M: Message>(json: &str, report_unknown: bool) -> Issues {
    too_large_in::<M>(json, || Findings::of_payload(report_unknown))
}

/// Returns the issue for a refusal without further knowledge.
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

/// Decodes a type without keys: `()`.
pub(crate) fn nothing<T: for<'de> Deserialize<'de>>() -> Result<T, Issues> {
    run("null", &Findings::of_payload(false))
}

fn run<'de, T: Deserialize<'de>>(json: &'de str, findings: &Findings) -> Result<T, Issues> {
    run_seed(json, findings, PhantomData)
}

fn run_seed<'de, S: DeserializeSeed<'de>>(json: &'de str, findings: &Findings, seed: S) -> Result<S::Value, Issues> {
    let decoded = decode(json, findings, seed);
    let mut issues = findings.take_issues();
    match decoded {
        Ok(value) => Issues::from_vec(issues).map_or(Ok(value), Err),
        Err(fault) => {
            issues.extend(fault.into_issue());
            Err(Issues::from_vec(issues).unwrap_or_else(not_valid))
        }
    }
}

fn decode<'de, S: DeserializeSeed<'de>>(json: &'de str, findings: &Findings, seed: S) -> Result<S::Value, Fault> {
    let start = Lexer::new(json);
    let mut lexer = start;
    let context = Context::root(findings);
    seed.deserialize(Node { lexer: &mut lexer, path: &Path::ROOT, context })
        .map_err(|fault| fault.blame(start, &Path::ROOT, context))
}

/// If a type does not accept the marks, only the whole value is called invalid.
fn too_large_in<T>(json: &str, findings: impl Fn() -> Findings) -> Issues
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let marking = findings().marking();
    let Ok(value) = decode(json, &marking, PhantomData::<T>) else {
        // This number is not always in a buffer: content behind its tag is not.
        return run::<T>(json, &findings()).err().unwrap_or_else(not_valid);
    };
    let mut issues = marking.take_issues();
    issues.append(&mut marking.large.issues_in(&value));
    Issues::from_vec(issues).unwrap_or_else(not_valid)
}

#[cfg(test)]
mod tests;
