//! `#[validate(nested)]`: checks the rules of a value, whichever trait provides them.
//!
//! A macro cannot know which traits a type implements.
//! `(&&&&&&Nested(&value)).__switchboard_check(…)` calls the first of these traits that applies,
//! because method lookup tries the ones above with fewer dereferences.

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

/// Types with rules of this crate, and containers of them.
pub trait ByRules {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T: Rules + ?Sized> ByRules for &&&&&Nested<'_, T> {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        self.0.check(at, report);
    }
}

/// Types that derive only `validator::Validate`, and containers of them that `validator` supports.
pub trait ByValidator {
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report);
}

impl<T> ByValidator for &&&&Nested<'_, T>
where
    // Maps implement `Validate` only behind a reference.
    for<'a> &'a T: Validate,
    T: Serialize + DeserializeOwned,
{
    fn __switchboard_check(&self, at: At<'_>, report: &mut Report) {
        foreign::check(&self.0, Some(self.0), probe::wire_name::<T>, at, report);
    }
}

/// Types that implement only `Validate` and not `Deserialize`: a field with `#[serde(with = …)]`.
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

/// Pointers to types that derive only `validator::Validate`.
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

/// Messages that are implemented by hand.
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

/// All other types, for the text of the compile error.
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
