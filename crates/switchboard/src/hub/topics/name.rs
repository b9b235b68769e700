//! The names of topics, as arguments.

use self::sealed::Named;
use crate::hub::topics::typed::Topic;

/// The name of a topic: a string, or a [`Topic`].
///
/// This trait is sealed. It is implemented for every `AsRef<str>`, `Topic` and `&Topic`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of a topic",
    label = "not the name of a topic",
    note = "topics are named by strings (`AsRef<str>`) and by `Topic<M>`"
)]
pub trait TopicName: sealed::Named {}

/// A topic that accepts messages of type `M`: a string accepts any, a [`Topic<M>`](Topic) only `M`.
///
/// This trait is sealed. It is implemented for every `AsRef<str>`, `Topic<M>` and `&Topic<M>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a topic to which `{M}` can be published",
    label = "not a topic of `{M}`",
    note = "a string names a topic of any messages, a `Topic<M>` one of `M` only",
    note = "where messages of several types are published to one topic, each has a `Topic` of the same name"
)]
pub trait TopicOf<M>: TopicName {}

mod sealed {
    pub trait Named {
        fn topic_name(&self) -> &str;
    }
}

// Coherent because `Topic` is not `AsRef<str>`, and only this crate could implement that.

impl<T: AsRef<str> + ?Sized> Named for T {
    fn topic_name(&self) -> &str {
        self.as_ref()
    }
}

impl<M> Named for Topic<M> {
    fn topic_name(&self) -> &str {
        self.name()
    }
}

impl<M> Named for &Topic<M> {
    fn topic_name(&self) -> &str {
        self.name()
    }
}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized> TopicName for T {}
impl<M> TopicName for Topic<M> {}
impl<M> TopicName for &Topic<M> {}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized, M> TopicOf<M> for T {}
impl<M> TopicOf<M> for Topic<M> {}
impl<M> TopicOf<M> for &Topic<M> {}

/// Adapts a topic's name to `AsRef<str>`.
pub(crate) struct AsStr<T>(pub(crate) T);

impl<T: TopicName> AsRef<str> for AsStr<T> {
    fn as_ref(&self) -> &str {
        self.0.topic_name()
    }
}
