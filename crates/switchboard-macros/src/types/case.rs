//! The values of `rename_all`, and the names that they produce.

use syn::LitStr;

use crate::{attributes::suggest, errors::Errors};

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

/// The default, without an option or attribute.
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

/// Returns the name of a field under a rule, as serde converts it. An unknown rule changes nothing.
pub(crate) fn field(name: &str, rule: &str) -> String {
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "PascalCase" => pascal(name),
        "camelCase" => {
            let pascal = pascal(name);
            // A name of only underscores is not changed.
            if pascal.is_empty() { name.to_owned() } else { first_lower(&pascal) }
        }
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// Returns the name of a variant under a rule, as serde converts it. An unknown rule changes
/// nothing.
pub(crate) fn variant(name: &str, rule: &str) -> String {
    match rule {
        "lowercase" => name.to_ascii_lowercase(),
        "UPPERCASE" => name.to_ascii_uppercase(),
        "camelCase" => first_lower(name),
        "snake_case" => snake(name),
        "SCREAMING_SNAKE_CASE" => snake(name).to_ascii_uppercase(),
        "kebab-case" => snake(name).replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => snake(name).to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// Whether serde's derive panics over a name: it cuts off one byte for camelCase.
pub(crate) fn beyond_serde(name: &str, rule: &str) -> bool {
    rule == "camelCase" && name.trim_start_matches('_').chars().next().is_none_or(|first| !first.is_ascii())
}

fn first_lower(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().into_iter().flat_map(char::to_lowercase).chain(rest).collect()
}

fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (i, letter) in name.char_indices() {
        if i > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
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

    #[test]
    fn variants() {
        let expected = [
            "outerring",
            "OUTERRING",
            "OuterRing",
            "outerRing",
            "outer_ring",
            "OUTER_RING",
            "outer-ring",
            "OUTER-RING",
        ];
        for (rule, expected) in RULES.iter().zip(expected) {
            assert_eq!(variant("OuterRing", rule), expected, "{rule}");
        }
    }

    #[test]
    fn names_that_serde_panics_over() {
        for (name, camel) in [("über_uns", "überUns"), ("__", "__"), ("_ß", "ß")] {
            assert!(beyond_serde(name, "camelCase"), "{name}");
            assert!(!beyond_serde(name, "snake_case"), "{name}");
            assert_eq!(field(name, "camelCase"), camel);
        }
        for name in ["_a", "__x", "a1b", "a_ü"] {
            assert!(!beyond_serde(name, "camelCase"), "{name}");
        }
        assert_eq!(variant("Über", "camelCase"), "über");
    }
}
