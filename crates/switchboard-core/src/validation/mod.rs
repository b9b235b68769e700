//! Validation: the rules of a type, checked at the wire path of each value.
//!
//! The macros write [`Rules`] for a type from its `#[validate(…)]` and serde attributes, so a broken
//! rule knows its wire name without asking anyone. Types that know `validator` alone are checked by
//! it, and `foreign` finds the wire paths in its errors.

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
/// For `credit_card`, whose trait is there only with a feature of `validator`.
pub use validator;

use crate::{Issues, decode::Substituted};

/// The rules of a type that travels inside a payload.
///
/// Written by the macros from `#[validate(…)]`; containers pass on those of their elements.
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

/// The same for a value of which some places were not decoded: only the rules of single values, and none that touch
/// such a place.
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

/// The same for `validator`, whose trait the macros implement for types inside those that derive it.
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

/// Runs `validator`'s rules over a value that has no [`Rules`].
///
/// `validator` panics where it cannot put the value that breaks a rule into its error: a number beyond
/// 64 bits, say. Then the type as a whole is reported, as `custom`. Types with `#[ws_payload]` instead of
/// `derive(Validate)` have the field and the rule there, too.
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
mod tests;
