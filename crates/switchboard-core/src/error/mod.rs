//! The error that handlers return and clients see.

mod close;
mod code;
mod details;
pub(crate) mod issue;
mod limit;
#[cfg(feature = "axum")]
mod response;

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser::SerializeStruct as _};
use serde_json::Value;

pub use self::{
    close::{CloseCode, close_reason},
    code::ErrorCode,
    issue::{Issue, Issues, MAX_ISSUES},
    limit::LimitReached,
};

/// Any error, as middleware passes it on.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// An error for the client: a code, a message, and optional details.
///
/// The code decides whether a client may retry and after how long; see [`ErrorCode`]. Details lose
/// keys that look like credentials. The source is logged and never leaves the server.
///
/// ```
/// use switchboard_core::{ErrorCode, WsError};
///
/// let error = WsError::not_found("Room x does not exist").with_detail("roomId", "x");
/// assert_eq!(error.code(), &ErrorCode::NotFound);
/// ```
pub struct WsError(Box<Inner>);

struct Inner {
    code: ErrorCode,
    message: Cow<'static, str>,
    details: Option<Value>,
    retryable: Option<bool>,
    retry: Retry,
    source: Option<BoxError>,
}

#[derive(Clone, Copy)]
enum Retry {
    /// What the code suggests.
    Suggested,
    /// It can never succeed under the policy in force.
    Never,
    Millis(u64),
}

/// When a client may try again: [`WsError::retry_after`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    /// After this time.
    After(Duration),
    /// Never: it cannot succeed under the policy in force.
    Never,
}

/// One constructor for each code that applications use.
macro_rules! constructors {
    ($($name:ident => $code:ident, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[must_use]
        pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
            Self::new(ErrorCode::$code, message)
        }
    )*};
}

impl WsError {
    /// Creates an error with any code, also one of your own.
    #[must_use]
    pub fn new(code: impl Into<ErrorCode>, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code: code.into(),
            message: message.into(),
            details: None,
            retryable: None,
            retry: Retry::Suggested,
            source: None,
        }))
    }

    constructors! {
        unauthenticated => Unauthenticated, "`UNAUTHENTICATED`: who are you?";
        permission_denied => PermissionDenied, "`PERMISSION_DENIED`: known, but not allowed.";
        invalid_argument => InvalidArgument, "`INVALID_ARGUMENT`: the message is wrong in itself.";
        failed_precondition => FailedPrecondition, "`FAILED_PRECONDITION`: not in this state.";
        not_found => NotFound, "`NOT_FOUND`: what the message names does not exist.";
        already_exists => AlreadyExists, "`ALREADY_EXISTS`: what should be created exists.";
        unimplemented => Unimplemented, "`UNIMPLEMENTED`: not supported here.";
        cancelled => Cancelled, "`CANCELLED`: the caller gave up.";
        deadline_exceeded => DeadlineExceeded, "`DEADLINE_EXCEEDED`: too late; may be retried.";
        resource_exhausted => ResourceExhausted, "`RESOURCE_EXHAUSTED`: a limit; may be retried later.";
        unavailable => Unavailable, "`UNAVAILABLE`: a dependency is down; may be retried.";
        aborted => Aborted, "`ABORTED`: a conflict; may be retried.";
    }

    /// Creates an `INTERNAL` error with a generic text. The source is logged and never sent.
    ///
    /// ```
    /// # use switchboard_core::WsError;
    /// fn read() -> Result<String, WsError> {
    ///     std::fs::read_to_string("/nowhere").map_err(WsError::internal)
    /// }
    /// assert_eq!(read().unwrap_err().message(), "internal error");
    /// ```
    #[must_use]
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self::new(ErrorCode::Internal, "internal error").with_source(source)
    }

    /// Creates an `INVALID_ARGUMENT` error whose details list the issues.
    #[must_use]
    pub fn invalid_payload(issues: &Issues) -> Self {
        Self::invalid_argument("invalid payload").with_detail("issues", issues)
    }

    /// `INTERNAL`: a message that the server itself made breaks its own rules.
    pub(crate) fn invalid_outbound(message_type: &'static str, issues: &Issues) -> Self {
        Self::internal(format!("the outgoing {message_type} is invalid: {issues}"))
    }

    /// Adds one detail. Keys that look like credentials (`token`, `password`, `cookie`, …) are
    /// dropped at any depth, and so is a value that does not serialise.
    #[must_use]
    pub fn with_detail(mut self, key: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            let mut details = match self.0.details.take() {
                Some(Value::Object(details)) => details,
                _ => serde_json::Map::new(),
            };
            if let Value::Object(detail) = details::sanitise([(key.to_owned(), value)].into_iter().collect()) {
                details.extend(detail);
            }
            self.0.details = Some(Value::Object(details));
        }
        self
    }

    /// Sets all details at once, sanitised as by [`with_detail`](Self::with_detail).
    #[must_use]
    pub fn with_details(mut self, details: impl Serialize) -> Self {
        self.0.details = serde_json::to_value(details).ok().filter(|v| !v.is_null()).map(details::sanitise);
        self
    }

    /// Sets the time after which the client may try again, which is rounded up to milliseconds. Ignored
    /// for codes that are not retryable.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use switchboard_core::WsError;
    ///
    /// let error = WsError::resource_exhausted("too many orders").with_retry_after(Duration::from_secs(2));
    /// assert_eq!(serde_json::to_value(&error).unwrap()["retryAfterMs"], 2_000);
    /// ```
    #[must_use]
    pub fn with_retry_after(mut self, time: Duration) -> Self {
        let ms = time.as_nanos().div_ceil(1_000_000);
        self.0.retry = Retry::Millis(u64::try_from(ms).unwrap_or(u64::MAX));
        self
    }

    /// Says that a retry can never succeed under the policy in force: `retryAfterMs: null`.
    #[must_use]
    pub fn never_retry(mut self) -> Self {
        self.0.retry = Retry::Never;
        self
    }

    /// Sets whether the client may retry. Only for `INTERNAL` and codes of your own: the other codes
    /// decide it.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = Some(retryable);
        self
    }

    /// Sets the cause, which is logged and never sent.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error for another client; its source was for the log.
    #[doc(hidden)]
    #[must_use]
    pub fn again(&self) -> Self {
        self.without_source()
    }

    fn without_source(&self) -> Self {
        let Inner { code, message, details, retryable, retry, source: _ } = &*self.0;
        Self(Box::new(Inner {
            code: code.clone(),
            message: message.clone(),
            details: details.clone(),
            retryable: *retryable,
            retry: *retry,
            source: None,
        }))
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> &ErrorCode {
        &self.0.code
    }

    /// Returns the message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the sanitised details, if they deserialize as `T`.
    #[must_use]
    pub fn details<T: DeserializeOwned>(&self) -> Option<T> {
        self.0.details.clone().and_then(|value| serde_json::from_value(value).ok())
    }

    /// Returns `retryable` as sent on the wire; `None` if the key is absent.
    #[must_use]
    pub fn retryable(&self) -> Option<bool> {
        match self.0.code.retryable() {
            Some(true) => Some(!matches!(self.0.retry, Retry::Never)),
            Some(false) => Some(false),
            None => self.0.retryable,
        }
    }

    /// Returns when the client may try again, as sent on the wire; `None` if the error does not say.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        Some(self.retry_after_ms()?.map_or(RetryAfter::Never, |ms| RetryAfter::After(Duration::from_millis(ms))))
    }

    /// `retryAfterMs` as sent on the wire: `None` if the key is absent, `Some(None)` for `null`.
    fn retry_after_ms(&self) -> Option<Option<u64>> {
        if self.0.code.retryable() == Some(false) {
            return None;
        }
        match self.0.retry {
            Retry::Suggested => self.0.code.backoff_ms().map(Some),
            Retry::Never => Some(None),
            Retry::Millis(_) if self.retryable() == Some(false) => None,
            Retry::Millis(ms) => Some(Some(ms)),
        }
    }
}

/// Writes the error payload: `{code, message, details?, retryable?, retryAfterMs?}`.
impl Serialize for WsError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("WsError", 5)?;
        map.serialize_field("code", self.0.code.as_str())?;
        map.serialize_field("message", &self.0.message)?;
        match &self.0.details {
            Some(details) => map.serialize_field("details", details)?,
            None => map.skip_field("details")?,
        }
        match self.retryable() {
            Some(retryable) => map.serialize_field("retryable", &retryable)?,
            None => map.skip_field("retryable")?,
        }
        match self.retry_after_ms() {
            Some(ms) => map.serialize_field("retryAfterMs", &ms)?,
            None => map.skip_field("retryAfterMs")?,
        }
        map.end()
    }
}

impl fmt::Debug for WsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsError")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for WsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl StdError for WsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

/// Reads an error that a peer sent. Unknown keys are ignored: a server may add some.
impl<'de> Deserialize<'de> for WsError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            code: String,
            message: String,
            details: Option<Value>,
            retryable: Option<bool>,
            #[serde(default, deserialize_with = "present")]
            retry_after_ms: Option<Option<u64>>,
        }
        fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
            Deserialize::deserialize(deserializer).map(Some)
        }
        let wire = Wire::deserialize(deserializer)?;
        let mut error = Self::new(wire.code, wire.message);
        error.0.details = wire.details.filter(|details| !details.is_null()).map(details::sanitise);
        error.0.retryable = wire.retryable;
        error.0.retry = match wire.retry_after_ms {
            None => Retry::Suggested,
            Some(None) => Retry::Never,
            Some(Some(ms)) => Retry::Millis(ms),
        };
        Ok(error)
    }
}

/// Becomes `INTERNAL`, unless the error is a [`WsError`] or has one among its sources. So `?` works in
/// handlers that return `Result<_, BoxError>`, and nothing of a foreign error reaches the client.
impl From<BoxError> for WsError {
    fn from(error: BoxError) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        let mut source = error.source();
        while let Some(inner) = source {
            if let Some(wire) = inner.downcast_ref::<Self>() {
                return wire.without_source().with_source(error);
            }
            source = inner.source();
        }
        Self::internal(error)
    }
}

impl From<std::io::Error> for WsError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}

impl From<std::convert::Infallible> for WsError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests;
