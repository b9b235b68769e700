//! Topics with a message type.

use std::{borrow::Cow, fmt, marker::PhantomData};

use switchboard_core::Message;

/// A topic's name together with the type of its messages.
///
/// Use it wherever a topic's name is expected. Publishing a message of another type to it is a
/// compile error. To publish several types to one topic, create a `Topic` of the same name for
/// each.
///
/// ```
/// use switchboard::{Conn, Hub, PublishError, Topic, WsError, ws_message};
///
/// #[ws_message("NEWS")]
/// struct News {
///     text: String,
/// }
///
/// #[ws_message("READ_NEWS")]
/// struct ReadNews;
///
/// const NEWS: Topic<News> = Topic::from_static("news");
///
/// fn news_of(city: &str) -> Topic<News> {
///     Topic::new(format!("news:{city}"))
/// }
///
/// async fn read_news(conn: Conn, _: ReadNews) -> Result<(), WsError> {
///     conn.subscribe(NEWS).await?;
///     Ok(())
/// }
///
/// async fn announce(hub: Hub) -> Result<(), PublishError> {
///     hub.publish(&NEWS, News { text: "hi".into() }).await?;
///     hub.publish(&news_of("Riga"), News { text: "rain".into() }).await?;
///     Ok(())
/// }
/// # let _ = switchboard::WsRouter::<()>::new().on(read_news);
/// ```
///
/// Another message is a compile error:
///
/// ```compile_fail,E0308
/// use switchboard::{Hub, Topic, ws_message};
///
/// #[ws_message("NEWS")]
/// struct News {}
///
/// #[ws_message("WEATHER")]
/// struct Weather {}
///
/// const NEWS: Topic<News> = Topic::from_static("news");
///
/// async fn announce(hub: Hub) {
///     let _ = hub.publish(&NEWS, Weather {}).await;
/// }
/// ```
pub struct Topic<M> {
    name: Cow<'static, str>,
    of: PhantomData<fn(M)>,
}

impl<M: Message> Topic<M> {
    /// Creates a topic. The name is checked when the topic is used.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), of: PhantomData }
    }

    /// Creates a topic in a constant.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), of: PhantomData }
    }
}

impl<M> Topic<M> {
    /// Returns the topic's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<M> Clone for Topic<M> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), of: PhantomData }
    }
}

impl<M> fmt::Debug for Topic<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Topic").field(&self.name).finish()
    }
}

impl<M> fmt::Display for Topic<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
