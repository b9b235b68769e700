//! The texts of broken rules.

use std::borrow::Cow;

use validator::ValidationError;

/// Returns the application's own text, or else this crate's. Never contains the value.
pub(super) fn message(error: &ValidationError) -> Cow<'static, str> {
    if let Some(message) = &error.message {
        return message.clone();
    }
    of(&error.code, |name| error.params.get(name).map(ToString::to_string))
}

/// Returns the text of a rule with these bounds.
pub(super) fn of(rule: &str, param: impl Fn(&str) -> Option<String>) -> Cow<'static, str> {
    let between = |what: &str, unit: &str| match (param("min"), param("max"), param("equal")) {
        (_, _, Some(n)) => format!("{what} exactly {n}{unit}"),
        (Some(min), Some(max), _) => format!("{what} {min} to {max}{unit}"),
        (Some(min), None, _) => format!("{what} at least {min}{unit}"),
        (None, Some(max), _) => format!("{what} at most {max}{unit}"),
        _ => "is out of range".to_owned(),
    };
    match rule {
        "length" => between("must have a length of", "").into(),
        "range" => match (param("exclusive_min"), param("exclusive_max"), param("min"), param("max")) {
            (None, None, ..) => between("must be", "").into(),
            (Some(min), None, _, None) => format!("must be more than {min}").into(),
            (Some(min), None, _, Some(max)) => format!("must be more than {min} and at most {max}").into(),
            (None, Some(max), None, _) => format!("must be less than {max}").into(),
            (None, Some(max), Some(min), _) => format!("must be at least {min} and less than {max}").into(),
            (Some(min), Some(max), ..) => format!("must be more than {min} and less than {max}").into(),
        },
        "email" => "must be an e-mail address".into(),
        "url" => "must be a URL".into(),
        "ip" => "must be an IP address".into(),
        "regex" => "does not have the expected form".into(),
        "contains" => "lacks something that it must contain".into(),
        "does_not_contain" => "contains something that it must not".into(),
        "must_match" => "does not match the other field".into(),
        "required" => "is required".into(),
        "credit_card" => "must be a credit card number".into(),
        "non_control_character" => "must not contain control characters".into(),
        _ => "is not valid".into(),
    }
}
