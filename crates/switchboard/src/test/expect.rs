//! Expectations of a client.

use std::{fmt, future::Future, panic::Location, time::Duration};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use switchboard_core::{CloseCode, ErrorCode, Message, WsError};

use super::{
    QUIET, TestClient,
    client::{Pulled, deadline},
    failure::{fail, meanwhile, shown},
    wire::{Arrived, Envelope},
};

impl TestClient {
    /// Waits for the next message, which must be an `M`. Unknown keys are ignored.
    ///
    /// # Panics
    ///
    /// If another message arrives, the connection is closed, or nothing arrives within the patience.
    #[track_caller]
    pub fn expect<M: Message>(&mut self) -> impl Future<Output = M> + Send {
        let at = Location::caller();
        async move { self.next_of(at, M::TYPE).await.read::<M>(at) }
    }

    /// Waits for the next message, and returns it with the `meta` that its type declares.
    ///
    /// # Panics
    ///
    /// As [`expect`](Self::expect).
    #[track_caller]
    pub fn expect_with_meta<M: Message>(&mut self) -> impl Future<Output = (M, M::Meta)> + Send {
        let at = Location::caller();
        async move {
            let envelope = self.next_of(at, M::TYPE).await;
            let meta = envelope.meta().unwrap_or_else(|error| {
                fail(at, format_args!("the meta of {} cannot be read, {error}: {}", M::TYPE, shown(&envelope.text)))
            });
            (envelope.read(at), meta)
        }
    }

    /// Waits for an `M`, and discards the messages before it.
    ///
    /// # Panics
    ///
    /// If none arrives within the patience, or the connection is closed.
    #[track_caller]
    pub fn skip_to<M: Message>(&mut self) -> impl Future<Output = M> + Send {
        let at = Location::caller();
        async move {
            let mut skipped = Vec::new();
            let deadline = deadline(self.patience);
            loop {
                match self.take_next() {
                    Some(Arrived::Message(envelope)) if envelope.message_type == M::TYPE => return envelope.read(at),
                    Some(other) => {
                        skipped.push(other);
                        continue;
                    }
                    None => {}
                }
                let how = match self.pull(deadline).await {
                    Pulled::More => continue,
                    Pulled::Closed => self.how_closed().unwrap_or_default(),
                    Pulled::TimedOut => format!("it did not arrive within {:?}", self.patience),
                };
                fail(at, format_args!("expected {}, but {how}{}", M::TYPE, meanwhile(skipped.iter())));
            }
        }
    }

    /// Waits for the next message, which must be an error with this code.
    ///
    /// # Panics
    ///
    /// If something else arrives, the connection is closed, or nothing arrives within the patience.
    #[track_caller]
    pub fn expect_error(&mut self, code: impl Into<ErrorCode>) -> impl Future<Output = WsError> + Send {
        let (at, code) = (Location::caller(), code.into());
        async move {
            let what = format!("the error {code}");
            let arrived = self.next(at, &what).await;
            match &arrived {
                Arrived::Message(envelope) if envelope.is_error() => match envelope.error() {
                    Ok(error) if *error.code() == code => error,
                    _ => unexpected(at, &what, &arrived),
                },
                _ => unexpected(at, &what, &arrived),
            }
        }
    }

    /// Waits for a text frame with any content.
    ///
    /// # Panics
    ///
    /// If another frame arrives, the connection is closed, or nothing arrives within the patience.
    #[track_caller]
    pub fn expect_text(&mut self) -> impl Future<Output = String> + Send {
        let at = Location::caller();
        async move {
            match self.next(at, &"a text frame").await {
                Arrived::Text(text) => text,
                Arrived::Message(envelope) => envelope.text,
                other => unexpected(at, &"a text frame", &other),
            }
        }
    }

    /// Waits for a binary frame.
    ///
    /// # Panics
    ///
    /// If another frame arrives, the connection is closed, or nothing arrives within the patience.
    #[track_caller]
    pub fn expect_binary(&mut self) -> impl Future<Output = Bytes> + Send {
        let at = Location::caller();
        async move {
            match self.next(at, &"a binary frame").await {
                Arrived::Binary(bytes) => bytes,
                other => unexpected(at, &"a binary frame", &other),
            }
        }
    }

    /// Waits for the next JSON document of any kind: a message, a reply, or a frame of the protocol itself.
    ///
    /// ```
    /// # use serde_json::{Value, json};
    /// # use switchboard::{WsRouter, test::TestApp};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let app = TestApp::new(WsRouter::new());
    /// let mut ann = app.connect().subprotocol("switchboard.v1.json").await?;
    /// let hello: Value = ann.recv_json().await;
    /// assert_eq!(hello["type"], "$ws:hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If another frame or something other than a `T` arrives, the connection is closed, or nothing arrives
    /// within the patience.
    #[track_caller]
    pub fn recv_json<T: DeserializeOwned>(&mut self) -> impl Future<Output = T> + Send {
        let at = Location::caller();
        async move {
            let what = std::any::type_name::<T>();
            let text = match self.wait_for(at, what, |client| client.queue.pop_front()).await {
                Arrived::Message(envelope) => envelope.text,
                Arrived::Text(text) => text,
                other => unexpected(at, &what, &other),
            };
            let read = serde_json::from_str(&text);
            read.unwrap_or_else(|error| fail(at, format_args!("expected {what}, {error}: {}", shown(&text))))
        }
    }

    /// Waits until the server closes the connection with this code, and returns the reason. 1006 means an
    /// end without a close frame, 1005 a close frame without a code.
    ///
    /// # Panics
    ///
    /// If a message arrives before, the code differs, or the connection is not closed within the patience.
    #[track_caller]
    pub fn expect_close(&mut self, code: impl Into<CloseCode>) -> impl Future<Output = String> + Send {
        let (at, code) = (Location::caller(), code.into());
        self.close_of(at, code, move |arrived| unexpected(at, &format_args!("to be closed with {code}"), arrived))
    }

    /// Waits as [`expect_close`](Self::expect_close) does, and discards the messages before.
    ///
    /// # Panics
    ///
    /// If the code differs, or the connection is not closed within the patience.
    #[track_caller]
    pub fn skip_to_close(&mut self, code: impl Into<CloseCode>) -> impl Future<Output = String> + Send {
        self.close_of(Location::caller(), code.into(), |_| {})
    }

    async fn close_of(
        &mut self,
        at: &'static Location<'static>,
        code: CloseCode,
        before: impl Fn(&Arrived) + Send,
    ) -> String {
        let deadline = deadline(self.patience);
        loop {
            if let Some(arrived) = self.take_next() {
                before(&arrived);
                continue;
            }
            match self.pull(deadline).await {
                Pulled::More => {}
                Pulled::Closed => break,
                Pulled::TimedOut => fail(at, format_args!("waited {:?} to be closed with {code}", self.patience)),
            }
        }
        match self.closed() {
            Some((with, reason)) if *with == code => reason.clone(),
            _ => {
                let how = self.how_closed().unwrap_or_default();
                fail(at, format_args!("expected to be closed with {code}, but {how}"))
            }
        }
    }

    /// Asserts that no message arrives until the application is quiet: with a paused clock, until no task
    /// can make progress; otherwise for 10 ms.
    ///
    /// # Panics
    ///
    /// If a message arrives, or the connection is closed.
    #[track_caller]
    pub fn expect_nothing(&mut self) -> impl Future<Output = ()> + Send {
        self.expect_nothing_for(QUIET)
    }

    /// Asserts that no message arrives for some time.
    ///
    /// # Panics
    ///
    /// If a message arrives, or the connection is closed.
    #[track_caller]
    pub fn expect_nothing_for(&mut self, time: Duration) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let deadline = deadline(time);
            loop {
                if let Some(arrived) = self.take_next() {
                    unexpected(at, &"nothing", &arrived);
                }
                match self.pull(deadline).await {
                    Pulled::More => {}
                    Pulled::TimedOut => return,
                    Pulled::Closed => {
                        fail(at, format_args!("expected nothing, but {}", self.how_closed().unwrap_or_default()))
                    }
                }
            }
        }
    }

    pub(super) async fn next(&mut self, at: &'static Location<'static>, what: &(dyn fmt::Display + Sync)) -> Arrived {
        self.wait_for(at, what, Self::take_next).await
    }

    /// Waits for the next message, which must have this type.
    pub(super) async fn next_of(&mut self, at: &'static Location<'static>, message_type: &'static str) -> Envelope {
        match self.next(at, &message_type).await {
            Arrived::Message(envelope) if envelope.message_type == message_type => envelope,
            other => unexpected(at, &message_type, &other),
        }
    }
}

impl Envelope {
    /// Decodes the message, or fails the test.
    pub(super) fn read<M: Message>(&self, at: &Location<'_>) -> M {
        self.message().unwrap_or_else(|error| {
            let name = std::any::type_name::<M>();
            fail(at, format_args!("{} does not decode as {name}: {error}: {}", M::TYPE, shown(&self.text)))
        })
    }
}

fn unexpected(at: &Location<'_>, what: &dyn fmt::Display, arrived: &Arrived) -> ! {
    fail(at, format_args!("expected {what}, got {arrived}"))
}
