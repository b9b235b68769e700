//! The values of `rename_all`, and what they make of a field's name.

use syn::LitStr;

use crate::{errors::Errors, suggest};

/// serde's values.
pub(crate) const RULES: [&str; 8] = [
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
];

/// Without an option or attribute that says otherwise.
pub(crate) const DEFAULT: &str = "camelCase";

/// Reports a value that serde does not know.
pub(crate) fn check(rule: &LitStr, errors: &mut Errors) -> bool {
    let value = rule.value();
    let known = RULES.contains(&value.as_str());
    if !known {
        let fix = match suggest::closest(&value, &RULES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use one of {}", suggest::list(&RULES)),
        };
        errors.at(rule, format!("unknown case `{value}`: {fix}"));
    }
    known
}

/// The name of a field under a rule, as serde has it. An unknown rule changes nothing.
pub(crate) fn field(name: &str, rule: &str) -> String {
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "PascalCase" => pascal(name),
        "camelCase" => {
            let pascal = pascal(name);
            let mut rest = pascal.chars();
            rest.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(rest).collect()
        }
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

fn pascal(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        pascal.push_str(letters.as_str());
    }
    pascal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let expected =
            ["client_id", "CLIENT_ID", "ClientId", "clientId", "client_id", "CLIENT_ID", "client-id", "CLIENT-ID"];
        for (rule, expected) in RULES.iter().zip(expected) {
            assert_eq!(field("client_id", rule), expected, "{rule}");
        }
    }
}
