//! The rules of fields: `validator`'s traits, under unambiguous names.
//!
//! The macros call these as methods, so that the content of a smart pointer is checked, and import
//! them as `_`. The names of `validator`'s own methods could also be those of other traits in
//! scope.

use std::fmt;

use serde::Serialize;
use validator::{
    AsRegex, ValidateContains, ValidateDoesNotContain, ValidateEmail, ValidateIp, ValidateLength,
    ValidateNonControlCharacter, ValidateRange, ValidateRegex, ValidateRequired, ValidateUrl,
};

/// The bounds of a broken rule, formatted only if it is reported.
pub trait Bounds {
    /// Returns a bound as shown in messages; `None` if there is none, or if JSON cannot have it.
    fn word(&self, name: &str) -> Option<String>;
}

/// Rules without bounds.
impl Bounds for () {
    fn word(&self, _: &str) -> Option<String> {
        None
    }
}

/// Bounds by their names.
impl<N: Serialize, const COUNT: usize> Bounds for [(&'static str, Option<N>); COUNT] {
    fn word(&self, name: &str) -> Option<String> {
        let (_, bound) = self.iter().find(|(bound, _)| *bound == name)?;
        let text = serde_json::to_string(bound.as_ref()?).ok()?;
        Some(text.trim_matches('"').to_owned())
    }
}

/// `length(…)`
pub trait LengthRule<N> {
    /// # Errors
    ///
    /// Returns the bounds, at least one of which does not hold.
    fn __switchboard_length(
        &self,
        min: impl Fn() -> Option<N>,
        max: impl Fn() -> Option<N>,
        equal: impl Fn() -> Option<N>,
    ) -> Result<(), impl Bounds>;
}

impl<N: PartialEq + PartialOrd + Serialize, T: ValidateLength<N> + ?Sized> LengthRule<N> for T {
    #[inline]
    fn __switchboard_length(
        &self,
        min: impl Fn() -> Option<N>,
        max: impl Fn() -> Option<N>,
        equal: impl Fn() -> Option<N>,
    ) -> Result<(), impl Bounds> {
        if self.validate_length(min(), max(), equal()) {
            return Ok(());
        }
        Err([("min", min()), ("max", max()), ("equal", equal())])
    }
}

/// `range(…)`
pub trait RangeRule<N> {
    /// # Errors
    ///
    /// Returns the bounds, at least one of which does not hold.
    fn __switchboard_range(
        &self,
        min: impl Fn() -> Option<N>,
        max: impl Fn() -> Option<N>,
        exclusive_min: impl Fn() -> Option<N>,
        exclusive_max: impl Fn() -> Option<N>,
    ) -> Result<(), impl Bounds>;
}

impl<N: Serialize, T: ValidateRange<N> + ?Sized> RangeRule<N> for T {
    #[inline]
    fn __switchboard_range(
        &self,
        min: impl Fn() -> Option<N>,
        max: impl Fn() -> Option<N>,
        exclusive_min: impl Fn() -> Option<N>,
        exclusive_max: impl Fn() -> Option<N>,
    ) -> Result<(), impl Bounds> {
        if self.validate_range(min(), max(), exclusive_min(), exclusive_max()) {
            return Ok(());
        }
        Err([("min", min()), ("max", max()), ("exclusive_min", exclusive_min()), ("exclusive_max", exclusive_max())])
    }
}

/// Rules without bounds.
macro_rules! plain_rules {
    ($($(#[$doc:meta])* $name:ident: $bound:ident, $method:ident = $own:ident($($arg:ident: $ty:ty),*);)*) => {$(
        $(#[$doc])*
        pub trait $name {
            fn $method(&self $(, $arg: $ty)*) -> bool;
        }

        impl<T: $bound + ?Sized> $name for T {
            fn $method(&self $(, $arg: $ty)*) -> bool {
                self.$own($($arg),*)
            }
        }
    )*};
}

plain_rules! {
    /// `email`
    EmailRule: ValidateEmail, __switchboard_email = validate_email();
    /// `url`
    UrlRule: ValidateUrl, __switchboard_url = validate_url();
    /// `ip`
    IpRule: ValidateIp, __switchboard_ip = validate_ip();
    /// `ip(v4)`
    Ipv4Rule: ValidateIp, __switchboard_ipv4 = validate_ipv4();
    /// `ip(v6)`
    Ipv6Rule: ValidateIp, __switchboard_ipv6 = validate_ipv6();
    /// `non_control_character`
    NonControlCharacterRule: ValidateNonControlCharacter, __switchboard_non_control_character
        = validate_non_control_character();
    /// `required`
    RequiredRule: ValidateRequired, __switchboard_required = validate_required();
    /// `contains(…)`
    ContainsRule: ValidateContains, __switchboard_contains = validate_contains(needle: &str);
    /// `does_not_contain(…)`
    DoesNotContainRule: ValidateDoesNotContain, __switchboard_does_not_contain
        = validate_does_not_contain(needle: &str);
}

/// `regex(…)`
pub trait RegexRule {
    fn __switchboard_regex(&self, regex: impl AsRegex) -> bool;
}

impl<T: ValidateRegex + ?Sized> RegexRule for T {
    fn __switchboard_regex(&self, regex: impl AsRegex) -> bool {
        self.validate_regex(regex)
    }
}

/// The value of a field, before its type selects how its rules are checked.
pub struct Value<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> fmt::Debug for Value<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}

/// A field written as `Option<…>` has the rules of its content.
pub trait OptionValue<'a> {
    type Inner: ?Sized;

    fn __switchboard_inner(&self) -> Option<&'a Self::Inner>;
}

impl<'a, T> OptionValue<'a> for &Value<'a, Option<T>> {
    type Inner = T;

    fn __switchboard_inner(&self) -> Option<&'a T> {
        self.0.as_ref()
    }
}

/// For types that are named `Option` but are not the standard library's.
pub trait OtherValue<'a> {
    type Inner: ?Sized;

    fn __switchboard_inner(&self) -> Option<&'a Self::Inner>;
}

impl<'a, T: ?Sized> OtherValue<'a> for Value<'a, T> {
    type Inner = T;

    fn __switchboard_inner(&self) -> Option<&'a T> {
        Some(self.0)
    }
}

/// NaN is in no range, which comparisons do not detect.
pub trait FloatValue {
    fn __switchboard_is_nan(&self) -> bool;
}

impl FloatValue for &Value<'_, f32> {
    fn __switchboard_is_nan(&self) -> bool {
        self.0.is_nan()
    }
}

impl FloatValue for &Value<'_, f64> {
    fn __switchboard_is_nan(&self) -> bool {
        self.0.is_nan()
    }
}

impl FloatValue for &Value<'_, Option<f32>> {
    fn __switchboard_is_nan(&self) -> bool {
        self.0.is_some_and(f32::is_nan)
    }
}

impl FloatValue for &Value<'_, Option<f64>> {
    fn __switchboard_is_nan(&self) -> bool {
        self.0.is_some_and(f64::is_nan)
    }
}

/// All other types.
pub trait NoFloatValue {
    fn __switchboard_is_nan(&self) -> bool;
}

impl<T: ?Sized> NoFloatValue for Value<'_, T> {
    fn __switchboard_is_nan(&self) -> bool {
        false
    }
}
