//! A message on its way to the subscribers of a topic.

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

/// The encoded message, its type tag, and the value that filters and conflation keys look at.
///
/// A message that is published by this process may bring its value along. For one that arrives as
/// bytes, as from a broker, the first rule that asks has it decoded.
#[derive(Clone)]
pub(crate) struct Outgoing {
    message_type: Cow<'static, str>,
    /// In the standard JSON envelope.
    frame: Frame,
    value: Option<Value>,
    decoded: OnceLock<Option<Value>>,
}

/// What looking at a value came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inspected<T> {
    Value(T),
    /// The message has another type tag.
    OtherType,
    /// The tag fits, and the payload does not.
    Undecodable,
}

impl Outgoing {
    pub(crate) fn new(message_type: impl Into<Cow<'static, str>>, frame: Frame) -> Self {
        Self { message_type: message_type.into(), frame, value: None, decoded: OnceLock::new() }
    }

    /// Keeps the value, which saves decoding it.
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

    /// Looks at the message as an `M`, if its type tag is that of `M`.
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
            // Two types of the application have one tag, and the other was asked for first.
            Some(None) => self.decode().map_or(Inspected::Undecodable, |value| Inspected::Value(inspect(&value))),
            None => Inspected::Undecodable,
        }
    }

    /// Leniently: the publisher may be of a later version, with more fields.
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

    /// Of the same tag.
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
        // The value that was given, not the bytes.
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
    fn what_another_version_published_is_read_leniently_or_not_at_all() {
        let later = Frame::text(r#"{"type":"N","meta":{},"payload":{"n":4,"more":true}}"#);
        assert_eq!(n(&Outgoing::new("N".to_owned(), later)), Inspected::Value(4));
        for wrong in [r#"{"type":"N","meta":{},"payload":{"n":"4"}}"#, r#"{"type":"N","meta":{}}"#, "{"] {
            let outgoing = Outgoing::new("N", Frame::text(wrong));
            assert_eq!((n(&outgoing), n(&outgoing)), (Inspected::Undecodable, Inspected::Undecodable), "{wrong}");
        }
    }
}
