//! Validation: the rules of a type, checked at the wire path of each value.
//!
//! The macros implement [`Rules`] for a type from its `#[validate(…)]` and serde attributes, so
//! each broken rule knows its wire name. `validator` checks types that derive only `Validate`, and
//! `foreign` finds the wire paths for its errors.

mod containers;
mod foreign;
mod key;
mod messages;
mod nested;
mod path;
mod probe;
mod report;
mod rule;
mod unwritable;

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors};

pub use self::{
    nested::{ByDeref, ByMessage, ByNothing, ByRules, ByValidator, ByValidatorOnly, Nested},
    path::At,
    report::{Broken, Report},
    rule::{
        Bounds, ContainsRule, DoesNotContainRule, EmailRule, FloatValue, IpRule, Ipv4Rule, Ipv6Rule, LengthRule,
        NoFloatValue, NonControlCharacterRule, OptionValue, OtherValue, RangeRule, RegexRule, RequiredRule, UrlRule,
        Value,
    },
    unwritable::custom,
};
/// For `credit_card`, whose trait exists only with a feature of `validator`.
pub use validator;

use crate::{Issues, decode::Substituted};

/// The rules of a type inside a payload.
///
/// Implemented by the macros from `#[validate(…)]`. Containers check the rules of their elements.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rules to check",
    label = "`#[validate(nested)]` needs a type with rules",
    note = "add `#[ws_payload]` and a `#[validate(…)]` to the type, or derive or implement `validator::Validate`",
    note = "or remove `nested` from the field"
)]
#[doc(hidden)]
pub trait Rules {
    /// Reports every broken rule below `at`.
    fn check(&self, at: At<'_>, report: &mut Report);
}

/// Checks a value; paths start at the value itself.
///
/// # Errors
///
/// All broken rules.
#[doc(hidden)]
pub fn check<T: Rules + ?Sized>(value: &T) -> Result<(), Issues> {
    let mut report = Report::default();
    value.check(At::ROOT, &mut report);
    report.into_result()
}

/// Checks a value of which some places were not decoded: only rules of single values, and none that
/// touch such a place.
///
/// # Errors
///
/// All broken rules among these.
#[doc(hidden)]
pub fn check_decoded<T: Rules + ?Sized>(value: &T, substituted: &Substituted) -> Result<(), Issues> {
    let mut report = Report::beside(substituted.clone());
    value.check(At::ROOT, &mut report);
    report.into_result()
}

/// Checks a value for `validator`, whose trait the macros implement for types inside those that
/// derive it.
///
/// # Errors
///
/// Each broken rule under its wire path.
#[doc(hidden)]
pub fn check_for_validator<T: Rules + ?Sized>(value: &T) -> Result<(), ValidationErrors> {
    let Err(issues) = check(value) else { return Ok(()) };
    let mut errors = ValidationErrors::new();
    for issue in &issues {
        let error = ValidationError {
            code: Cow::Owned(issue.code().to_owned()),
            message: Some(Cow::Owned(issue.message().to_owned())),
            params: [(Cow::Borrowed(foreign::PATH), issue.path().into())].into(),
        };
        let path = if issue.path().is_empty() { foreign::WHOLE } else { issue.path() };
        let entry = errors.0.entry(Cow::Owned(path.to_owned()));
        let kind = entry.or_insert_with(|| validator::ValidationErrorsKind::Field(Vec::new()));
        if let validator::ValidationErrorsKind::Field(errors) = kind {
            errors.push(error);
        }
    }
    Err(errors)
}

/// Runs `validator`'s rules over a value without [`Rules`].
///
/// `validator` panics if its error cannot hold the value that breaks a rule, such as a number
/// beyond 64 bits. Then the whole type is reported, as `custom`. For types with `#[ws_payload]`
/// instead of `derive(Validate)`, the issue has the field and the rule.
///
/// # Errors
///
/// All broken rules.
#[doc(hidden)]
pub fn validate<T>(value: &T) -> Result<(), Issues>
where
    T: validator::Validate + serde::Serialize + serde::de::DeserializeOwned,
{
    let mut report = Report::default();
    foreign::check(value, Some(value), probe::wire_name::<T>, At::ROOT, &mut report);
    report.into_result()
}

#[cfg(test)]
mod container_tests;
#[cfg(test)]
mod tests;
