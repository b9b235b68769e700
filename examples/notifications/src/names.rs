//! How topics are called. What clients name and whom it concerns have prefixes of their own, so that
//! nobody gets at the notifications of somebody else by a topic's name.

use switchboard::validator::ValidationError;

/// The longest name.
const MAX_NAME: usize = 100;

/// The topic of what clients know by this name.
pub(crate) fn topic(name: &str) -> String {
    format!("topic:{name}")
}

/// The topic of one client.
pub(crate) fn user(id: &str) -> String {
    format!("user:{id}")
}

/// Whether it may stand in a topic: 1 to 100 letters, digits and `-_.:/`.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fits)
}

/// The rule for lists of names.
pub(crate) fn check_names(names: &[String]) -> Result<(), ValidationError> {
    if names.iter().all(|name| is_name(name)) {
        return Ok(());
    }
    Err(ValidationError::new("topic").with_message("must be 1 to 100 letters, digits and -_.:/ each".into()))
}
