//! `#[validate(nested)]`: asks a value for its rules, whichever way it has them.
//!
//! A macro cannot know what a type implements. `(&&&&&&Nested(&value)).__switchboard_check(…)` takes
//! the first of these traits that applies, since the ones above need fewer references taken away.

use std::{fmt, ops::Deref};

use serde::{Serialize, de::DeserializeOwned};
use validator::Validate;

use super::{At, Report, Rules, foreign, probe};
use crate::Message;

/// The value of a field with nested rules.
pub struct Nested<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> fmt::Debug for Nested<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nested")
    }
}

/// Types with rules of ours, and containers of them.
pub trait ByRules {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T: Rules + ?Sized> ByRules for &&&&&Nested<'_, T> {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        self.0.check(at, report);
    }
}

/// Types that know `validator` alone, and its containers of them.
pub trait ByValidator {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T> ByValidator for &&&&Nested<'_, T>
where
    // Maps have rules only behind a reference.
    for<'a> &'a T: Validate,
    T: Serialize + DeserializeOwned,
{
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        foreign::check(&self.0, Some(self.0), probe::wire_name::<T>, at, report);
    }
}

/// The same for types that serde does not read: a field with `#[serde(with = …)]`.
pub trait ByValidatorOnly {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T: ?Sized> ByValidatorOnly for &&&Nested<'_, T>
where
    for<'a> &'a T: Validate,
{
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        foreign::check(&self.0, None::<&()>, probe::no_names, at, report);
    }
}

/// Pointers to types that know `validator` alone.
pub trait ByDeref {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T> ByDeref for &&Nested<'_, T>
where
    T: Deref<Target: Validate + Serialize + DeserializeOwned>,
{
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        let value = self.0.deref();
        foreign::check(value, Some(value), probe::wire_name::<T::Target>, at, report);
    }
}

/// Messages written by hand.
pub trait ByMessage {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T: Message> ByMessage for &Nested<'_, T> {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        if !report.is_partial()
            && let Err(issues) = self.0.validate()
        {
            report.issues(at, &issues);
        }
    }
}

/// Everything else, for the text of the error.
pub trait ByNothing<T: ?Sized> {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report)
    where
        T: Rules;
}

impl<T: ?Sized> ByNothing<T> for Nested<'_, T> {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report)
    where
        T: Rules,
    {
        self.0.check(at, report);
    }
}
