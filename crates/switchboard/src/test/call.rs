//! Requests of a client to the server.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    panic::Location,
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use switchboard_core::{ErrorCode, Message, Request, WsError};

use super::{
    TestClient,
    failure::{fail, shown},
    wire::{ClientMeta, Envelope, envelope},
};

/// The type tag of steps of progress.
const PROGRESS: &str = "$ws:rpc-progress";

/// A request to the server, sent when it is awaited: [`TestClient::call`].
///
/// # Errors
///
/// The error that the server replies with.
///
/// # Panics
///
/// If the connection is closed, there is no reply within the patience, or the reply is not the response
/// that the request declares.
///
/// # Cancel safety
///
/// If the future is dropped, the reply is ignored. The server is not told: see [`TestClient::abort`].
#[must_use = "nothing is sent before this is awaited"]
pub struct TestCall<'a, R: Request> {
    client: &'a mut TestClient,
    at: &'static Location<'static>,
    request: R,
    meta: Option<R::Meta>,
    timeout: Option<Duration>,
    idempotency_key: Option<String>,
    on_progress: Option<OnProgress<'a>>,
}

/// Takes a step of progress, or returns the error of decoding it.
type OnProgress<'a> = Box<dyn FnMut(&Envelope) -> serde_json::Result<()> + Send + 'a>;

impl<'a, R: Request> TestCall<'a, R> {
    /// Sets `meta.timeoutMs`. Default: none.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets `meta.idempotencyKey`. Default: none.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Sets the `meta` that the request's type declares.
    pub fn meta(mut self, meta: R::Meta) -> Self {
        self.meta = Some(meta);
        self
    }

    /// Sets a function that is called with each step of progress. Without it they are ignored.
    pub fn on_progress(mut self, mut on_progress: impl FnMut(R::Progress) + Send + 'a) -> Self
    where
        R::Progress: DeserializeOwned,
    {
        self.on_progress = Some(Box::new(move |envelope| envelope.payload().map(&mut on_progress)));
        self
    }

    /// Sends the request and returns the error that it must fail with.
    ///
    /// # Panics
    ///
    /// If it succeeds or fails with another code, and as [`TestCall`].
    pub async fn expect_error(self, code: impl Into<ErrorCode>) -> WsError {
        let (at, code) = (self.at, code.into());
        match self.run().await {
            Err(error) if *error.code() == code => error,
            Err(error) => fail(at, format_args!("expected {} to fail with {code}, got {error}", R::TYPE)),
            Ok(_) => fail(at, format_args!("expected {} to fail with {code}, but it succeeded", R::TYPE)),
        }
    }

    /// Sends the request without waiting for its reply, so that several requests can be in flight.
    /// [`TestClient::reply`] and [`TestClient::progress`] wait for the results.
    ///
    /// # Panics
    ///
    /// If the request does not serialise, or the server does not read it within the patience.
    pub async fn start(self) -> PendingCall<R> {
        self.begin().await.1
    }

    async fn begin(self) -> (&'a mut TestClient, PendingCall<R>, Option<OnProgress<'a>>) {
        let Self { client, at, request, meta, timeout, idempotency_key, on_progress } = self;
        let id = format!("t{}", client.calls.len() + 1);
        let mut fields = ClientMeta::new(meta.as_ref());
        fields.correlation_id = Some(&id);
        fields.timeout_ms = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        fields.idempotency_key = idempotency_key.as_deref();
        let text = envelope(&request, &fields);
        let text = text.unwrap_or_else(|error| fail(at, format_args!("{} does not serialise: {error}", R::TYPE)));
        drop((request, meta));
        client.calls.insert(id.clone());
        client.put(at, text).await;
        (client, PendingCall { id, kind: PhantomData }, on_progress)
    }

    async fn run(self) -> Result<R::Response, WsError> {
        let at = self.at;
        let (client, pending, mut on_progress) = self.begin().await;
        client.terminal(at, &pending, |envelope| on_progress.as_mut().map_or(Ok(()), |take| take(envelope))).await
    }
}

impl<'a, R: Request> IntoFuture for TestCall<'a, R> {
    type Output = Result<R::Response, WsError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<R: Request> fmt::Debug for TestCall<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCall").field("type", &R::TYPE).finish_non_exhaustive()
    }
}

/// A request in flight: [`TestCall::start`].
pub struct PendingCall<R> {
    id: String,
    kind: PhantomData<fn() -> R>,
}

impl<R> PendingCall<R> {
    /// Returns the request's `meta.correlationId`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl<R> fmt::Debug for PendingCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCall").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TestClient {
    /// Creates a request, which is sent when it is awaited; the result is its reply. Messages that arrive
    /// meanwhile are kept for [`expect`](Self::expect).
    ///
    /// ```
    /// use switchboard::{Progress, WsError, WsRouter, test::TestApp, ws_message, ws_payload, ws_rpc};
    ///
    /// #[ws_message("COUNTED")]
    /// struct Counted {
    ///     to: u32,
    /// }
    ///
    /// #[ws_payload]
    /// struct Step {
    ///     at: u32,
    /// }
    ///
    /// #[ws_rpc("COUNT", response = Counted, progress = Step)]
    /// struct Count {
    ///     #[validate(range(max = 10))]
    ///     to: u32,
    /// }
    ///
    /// async fn count(mut progress: Progress<Step>, count: Count) -> Result<Counted, WsError> {
    ///     for at in 1..=count.to {
    ///         progress.send(Step { at }).await?;
    ///     }
    ///     Ok(Counted { to: count.to })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = TestApp::new(WsRouter::new().on(count));
    /// let mut ann = app.connect().await?;
    /// let mut steps = Vec::new();
    /// let counted = ann.call(Count { to: 3 }).on_progress(|step| steps.push(step.at)).await?;
    /// assert_eq!((counted.to, steps), (3, vec![1, 2, 3]));
    ///
    /// ann.call(Count { to: 11 }).expect_error("INVALID_ARGUMENT").await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn call<R: Request>(&mut self, request: R) -> TestCall<'_, R> {
        let at = Location::caller();
        TestCall { client: self, at, request, meta: None, timeout: None, idempotency_key: None, on_progress: None }
    }

    /// Waits for the reply to a request that was [started](TestCall::start). Steps of progress that were not
    /// taken are discarded.
    ///
    /// # Errors
    ///
    /// The error that the server replies with.
    ///
    /// # Panics
    ///
    /// As [`TestCall`].
    #[track_caller]
    pub fn reply<R: Request>(
        &mut self,
        pending: PendingCall<R>,
    ) -> impl Future<Output = Result<R::Response, WsError>> + Send {
        let at = Location::caller();
        async move { self.terminal(at, &pending, |_| Ok(())).await }
    }

    /// Waits for the next step of progress of a request that was [started](TestCall::start).
    ///
    /// # Panics
    ///
    /// If the reply arrives instead, the connection is closed, or nothing arrives within the patience.
    #[track_caller]
    pub fn progress<R>(&mut self, pending: &PendingCall<R>) -> impl Future<Output = R::Progress> + Send
    where
        R: Request<Progress: DeserializeOwned>,
    {
        let at = Location::caller();
        async move {
            let what = format!("progress of {} ({})", R::TYPE, pending.id);
            let envelope = self.wait_for(at, &what, |client| client.take_of(&pending.id)).await;
            if envelope.message_type != PROGRESS {
                fail(at, format_args!("expected {what}, got {}", shown(&envelope.text)));
            }
            envelope.payload().unwrap_or_else(|error| unreadable(at, &envelope, &error))
        }
    }

    /// Aborts a request with `$ws:abort`. It fails with `CANCELLED`, unless its reply was sent already.
    ///
    /// # Panics
    ///
    /// If the server does not read it within the patience.
    #[track_caller]
    pub fn abort<R>(&mut self, pending: &PendingCall<R>) -> impl Future<Output = ()> + Send {
        let text = serde_json::json!({ "type": "$ws:abort", "meta": { "correlationId": pending.id } }).to_string();
        self.put(Location::caller(), text)
    }

    async fn terminal<R: Request>(
        &mut self,
        at: &'static Location<'static>,
        pending: &PendingCall<R>,
        mut on_progress: impl FnMut(&Envelope) -> serde_json::Result<()> + Send,
    ) -> Result<R::Response, WsError> {
        let what = format!("the reply to {} ({})", R::TYPE, pending.id);
        loop {
            let envelope = self.wait_for(at, &what, |client| client.take_of(&pending.id)).await;
            match envelope.message_type.as_str() {
                PROGRESS => on_progress(&envelope).unwrap_or_else(|error| unreadable(at, &envelope, &error)),
                "RPC_ERROR" => {
                    let error = envelope.error().unwrap_or_else(|error| unreadable(at, &envelope, &error));
                    return Err(error);
                }
                response if response == R::Response::TYPE => return Ok(envelope.read(at)),
                _ => {
                    let response = R::Response::TYPE;
                    fail(at, format_args!("expected {response} as {what}, got {}", shown(&envelope.text)))
                }
            }
        }
    }
}

fn unreadable(at: &Location<'_>, envelope: &Envelope, error: &serde_json::Error) -> ! {
    fail(at, format_args!("{} cannot be read, {error}: {}", envelope.message_type, shown(&envelope.text)))
}
