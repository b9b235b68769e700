//! What changed between two contracts, and what it does to clients of the old one.

mod change;
mod flat;
mod limits;
mod messages;
mod objects;
mod schemas;

pub use self::change::{Change, Sender, Verdict};
use self::messages::Contracts;
use switchboard_core::Contract;

/// Lists what changed from one contract to another, with a verdict for clients that were generated from the old one.
///
/// What clients send may be taken in more widely, and what the server sends may be narrower. A new field that the
/// server sends is harmless, since clients ignore what they do not know; one that clients must send is not. Limits of
/// what the server sends, such as a length, are not part of a client's types and count as harmless.
///
/// ```
/// # use switchboard_core::Contract;
/// # fn contract(payload: &str) -> Contract {
/// #     serde_json::from_str(&format!(
/// #         r##"{{ "path": "/", "envelope": "standard", "protocols": [], "errors": [],
/// #             "inbound": {{ "messages": [{{ "type": "JOIN", "payload": {payload} }}], "rpcs": [], "$defs": {{}} }},
/// #             "outbound": {{ "messages": [], "rpcs": [], "$defs": {{}} }} }}"##
/// #     )).unwrap()
/// # }
/// # let old = contract(r#"{ "type": "object", "properties": { "room": { "type": "string" } } }"#);
/// # let new = contract(
/// #     r#"{ "type": "object", "properties": { "room": { "type": "string" } }, "required": ["room"] }"#,
/// # );
/// let changes = switchboard_codegen::diff(&old, &new);
/// assert_eq!(changes[0].to_string(), "breaks: client sends JOIN.room: required now");
/// ```
#[must_use]
pub fn diff(old: &Contract, new: &Contract) -> Vec<Change> {
    let mut changes = Contracts::new(old, new).compare();
    // Breaking ones first, else in the order of the contract.
    changes.sort_by_key(|change| change.verdict() != Verdict::Breaks);
    changes
}
