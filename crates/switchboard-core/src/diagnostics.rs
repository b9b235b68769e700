//! Bounds that the macros check for the sake of their errors, which say what to do.

use serde::{Serialize, de::DeserializeOwned};

use crate::Message;

/// The type of a field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a message",
    label = "serde does not read and write this type",
    note = "add `#[ws_payload]` to `{Self}` if it is a type of your own",
    note = "for a type of bytes, chrono, rust_decimal, time, url or uuid, turn on the feature with the name of that crate: `switchboard = {{ …, features = [\"uuid\"] }}`",
    note = "for a type of another crate, turn on its feature `serde`, or add `#[serde(with = \"…\")]` to the field"
)]
pub trait FieldType {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> FieldType for T {}

/// Compiles for types that can stand in a message.
pub fn field_type<T: FieldType>() {}

/// The last argument of a method in `#[ws_handlers]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message, so this method cannot be a handler",
    label = "the last argument of a handler is its message",
    note = "put the message last, behind the extractors",
    note = "if the method is no handler, add `#[ws(skip)]` to it",
    note = "a struct becomes a message with `#[ws_message(\"TYPE\")]`"
)]
pub trait HandledMessage {}

#[diagnostic::do_not_recommend]
impl<M: Message> HandledMessage for M {}

/// Compiles for messages.
pub fn handled_message<M: HandledMessage>() {}
