//! The names of topics. Topics named by clients and topics of single clients have different
//! prefixes, so that no client can subscribe to another one's notifications by name.

use switchboard::validator::ValidationError;

/// The longest name.
const MAX_NAME: usize = 100;

/// Returns the topic for a name that clients use.
pub(crate) fn topic(name: &str) -> String {
    format!("topic:{name}")
}

/// Returns the topic of one client.
pub(crate) fn user(id: &str) -> String {
    format!("user:{id}")
}

/// Whether a name may be part of a topic: 1 to 100 letters, digits and `-_.:/`.
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
