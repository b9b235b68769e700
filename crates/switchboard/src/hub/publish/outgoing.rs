//! A message on the way to the subscribers of a topic.

use std::{
    any::Any,
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

use switchboard_core::{
    Message,
    decode::{RawPayload, decode, read},
    envelope::Inbound,
};

use crate::wire::Frame;

type Value = Arc<dyn Any + Send + Sync>;

/// The encoded message, its type tag, and the value for filters and conflation keys.
///
/// A message published by this process may carry its value. A message that arrives as bytes, for
/// example from a broker, is decoded when the first rule inspects it.
#[derive(Clone)]
pub(crate) struct Outgoing {
    message_type: Cow<'static, str>,
    /// In the standard JSON envelope.
    frame: Frame,
    value: Option<Value>,
    decoded: OnceLock<Option<Value>>,
}

/// The result of inspecting a message as a certain type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inspected<T> {
    Value(T),
    /// The message has another type tag.
    OtherType,
    /// The type tag matches, but the payload cannot be decoded.
    Undecodable,
}

impl Outgoing {
    pub(crate) fn new(message_type: impl Into<Cow<'static, str>>, frame: Frame) -> Self {
        Self { message_type: message_type.into(), frame, value: None, decoded: OnceLock::new() }
    }

    /// Adds the value, which saves decoding the message.
    pub(crate) fn with_value<M: Message>(mut self, value: M) -> Self {
        self.value = Some(Arc::new(value));
        self
    }

    pub(crate) fn message_type(&self) -> &str {
        &self.message_type
    }

    pub(crate) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Inspects the message as an `M`, if it has the type tag of `M`.
    pub(crate) fn inspect<M: Message, T>(&self, inspect: impl FnOnce(&M) -> T) -> Inspected<T> {
        if let Some(value) = self.value.as_ref().and_then(|value| value.downcast_ref()) {
            return Inspected::Value(inspect(value));
        }
        if self.message_type != M::TYPE {
            return Inspected::OtherType;
        }
        let decoded = self.decoded.get_or_init(|| self.decode::<M>().map(|value| Arc::new(value) as Value));
        match decoded.as_ref().map(|value| value.downcast_ref()) {
            Some(Some(value)) => Inspected::Value(inspect(value)),
            // The application has two types with this tag, and the other one was decoded first.
            Some(None) => self.decode().map_or(Inspected::Undecodable, |value| Inspected::Value(inspect(&value))),
            None => Inspected::Undecodable,
        }
    }

    /// Decodes leniently, since a later version of the publisher may add fields.
    fn decode<M: Message>(&self) -> Option<M> {
        match Inbound::from_json(self.frame.text_payload()?).ok()?.payload() {
            Some(RawPayload::Json(json)) => read(json),
            None => decode(None).ok(),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("message_type", &self.message_type).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{wire::encode, ws_message};

    #[ws_message("N", crate = crate)]
    struct N {
        n: u8,
    }

    /// Has the same type tag as `N`.
    #[ws_message("N", crate = crate)]
    struct Other {
        n: u16,
    }

    #[ws_message("M", crate = crate)]
    struct M;

    fn n(outgoing: &Outgoing) -> Inspected<u8> {
        outgoing.inspect(|message: &N| message.n)
    }

    fn outgoing<T: Message<Meta = ()>>(message: &T) -> Outgoing {
        Outgoing::new(T::TYPE, encode::event(message, None, true).unwrap())
    }

    #[test]
    fn a_value_is_kept_or_decoded() {
        assert_eq!(n(&outgoing(&N { n: 1 })), Inspected::Value(1));
        // The given value wins over the bytes.
        assert_eq!(n(&outgoing(&N { n: 1 }).with_value(N { n: 2 })), Inspected::Value(2));
        assert_eq!(n(&outgoing(&M)), Inspected::OtherType);
        assert_eq!(outgoing(&M).inspect(|_: &M| ()), Inspected::Value(()));
    }

    #[test]
    fn two_types_may_have_one_tag() {
        let outgoing = outgoing(&Other { n: 3 }).with_value(Other { n: 3 });
        assert_eq!(
            (n(&outgoing), outgoing.inspect(|other: &Other| other.n)),
            (Inspected::Value(3), Inspected::Value(3))
        );
        let outgoing = Outgoing::new("N", outgoing.frame().clone());
        assert_eq!(
            (n(&outgoing), outgoing.inspect(|other: &Other| other.n)),
            (Inspected::Value(3), Inspected::Value(3))
        );
    }

    #[test]
    fn messages_of_other_versions_are_decoded_leniently_or_not_at_all() {
        let later = Frame::text(r#"{"type":"N","meta":{},"payload":{"n":4,"more":true}}"#);
        assert_eq!(n(&Outgoing::new("N".to_owned(), later)), Inspected::Value(4));
        for wrong in [r#"{"type":"N","meta":{},"payload":{"n":"4"}}"#, r#"{"type":"N","meta":{}}"#, "{"] {
            let outgoing = Outgoing::new("N", Frame::text(wrong));
            assert_eq!((n(&outgoing), n(&outgoing)), (Inspected::Undecodable, Inspected::Undecodable), "{wrong}");
        }
    }
}
