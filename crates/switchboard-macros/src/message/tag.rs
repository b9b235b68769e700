//! The type tag of a message.

use syn::{Ident, LitStr, Token, parse::ParseStream};

use crate::errors::Errors;

const MAX_BYTES: usize = 128;

/// Reads the tag as the first argument: `#[ws_message("JOIN_ROOM", …)]`.
///
/// Leaves the following tokens for the options, and also a first argument that looks like an
/// option.
pub(crate) fn first_argument(input: ParseStream<'_>, example: &str) -> syn::Result<Option<LitStr>> {
    if input.is_empty() || input.peek(syn::Ident) && (input.peek2(Token![=]) || is_flag(input)) {
        return Ok(None);
    }
    // `crate = …`
    if input.peek(Token![crate]) && input.peek2(Token![=]) {
        return Ok(None);
    }
    let span = input.span();
    let tag = input.parse::<LitStr>();
    tag.map(Some)
        .map_err(|_| syn::Error::new(span, format!("the type tag must be a string literal, such as `\"{example}\"`")))
}

/// Whether the name is an option: only `allow_unknown` is; any other lone name was meant as the
/// tag.
fn is_flag(input: ParseStream<'_>) -> bool {
    input.fork().parse::<Ident>().is_ok_and(|name| name == "allow_unknown")
}

/// Reports a tag that the protocol does not allow.
pub(crate) fn check(tag: &LitStr, errors: &mut Errors) {
    if let Some(problem) = problem(&tag.value()) {
        errors.at(tag, problem);
    }
}

fn problem(tag: &str) -> Option<String> {
    if tag.is_empty() {
        return Some("the type tag must not be empty".to_owned());
    }
    if tag.len() > MAX_BYTES {
        let length = tag.len();
        return Some(format!("the type tag is {length} bytes long: shorten it to at most {MAX_BYTES}"));
    }
    if let Some(control) = tag.chars().find(|c| c.is_control()) {
        return Some(format!(
            "the type tag must not contain control characters: remove `{}`",
            control.escape_default()
        ));
    }
    for prefix in ["$ws:", "__"] {
        if tag.starts_with(prefix) {
            return Some(format!("the type tag is reserved: tags that start with `{prefix}` belong to the protocol"));
        }
    }
    if tag == "ERROR" || tag == "RPC_ERROR" {
        return Some(format!("the type tag is reserved: `{tag}` belongs to the protocol, choose another"));
    }
    None
}

/// Returns the tag that a type's name suggests: `JOIN_ROOM` for `JoinRoom`.
pub(crate) fn suggestion(name: &Ident) -> String {
    let mut tag = String::new();
    for c in name.to_string().trim_start_matches("r#").chars() {
        if c.is_uppercase() && !tag.is_empty() && !tag.ends_with('_') {
            tag.push('_');
        }
        tag.extend(c.to_uppercase());
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        assert_eq!(problem("JOIN_ROOM"), None);
        assert_eq!(problem(&"x".repeat(128)), None);
        for bad in ["", "a\n", "a\u{85}", "$ws:x", "__x", "ERROR", "RPC_ERROR", &"x".repeat(129)] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }

    /// The compiler and the server must agree.
    #[test]
    fn the_rules_are_those_of_core() {
        for tag in
            ["A", "", "ünïcode ✓", "a\u{7f}", "a\u{9f}", "a\u{a0}", "\0", "$ws:", "$ws", "__", "_", "ERROR", "ERRORS"]
        {
            assert_eq!(problem(tag).is_none(), switchboard_core::check_type_tag(tag).is_ok(), "{tag:?}");
        }
        for length in 126..131 {
            let tag = "x".repeat(length);
            assert_eq!(problem(&tag).is_none(), switchboard_core::check_type_tag(&tag).is_ok(), "{length}");
        }
    }

    #[test]
    fn suggestions() {
        let tag = |name: &str| suggestion(&quote::format_ident!("{name}"));
        assert_eq!(tag("JoinRoom"), "JOIN_ROOM");
        assert_eq!(tag("Add"), "ADD");
    }
}
