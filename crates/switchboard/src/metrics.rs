//! Metrics, recorded through the `metrics` crate. Without the feature `metrics` these functions do
//! nothing.
//!
//! `docs/metrics.md` lists the names and labels.

use switchboard_core::{CloseCode, ErrorCode};

/// The `type` label of messages without a route.
pub(crate) const UNKNOWN: &str = "unknown";

/// Returns the label of an error code. Custom codes share one label, so that the number of labels
/// is bounded.
pub(crate) fn code(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::Unauthenticated => "UNAUTHENTICATED",
        ErrorCode::PermissionDenied => "PERMISSION_DENIED",
        ErrorCode::InvalidArgument => "INVALID_ARGUMENT",
        ErrorCode::FailedPrecondition => "FAILED_PRECONDITION",
        ErrorCode::NotFound => "NOT_FOUND",
        ErrorCode::AlreadyExists => "ALREADY_EXISTS",
        ErrorCode::Unimplemented => "UNIMPLEMENTED",
        ErrorCode::Cancelled => "CANCELLED",
        ErrorCode::DeadlineExceeded => "DEADLINE_EXCEEDED",
        ErrorCode::ResourceExhausted => "RESOURCE_EXHAUSTED",
        ErrorCode::Unavailable => "UNAVAILABLE",
        ErrorCode::Aborted => "ABORTED",
        ErrorCode::Internal => "INTERNAL",
        _ => "custom",
    }
}

#[cfg(feature = "metrics")]
mod recorded {
    use super::CloseCode;

    pub(crate) fn opened() {
        metrics::counter!("switchboard_connections_opened_total").increment(1);
        metrics::gauge!("switchboard_connections").increment(1.0);
    }

    pub(crate) fn closed(code: CloseCode) {
        metrics::counter!("switchboard_connections_closed_total", "code" => label(code)).increment(1);
        metrics::gauge!("switchboard_connections").decrement(1.0);
    }

    /// Clients may send any close code: unknown ones share one label.
    fn label(code: CloseCode) -> &'static str {
        match code.get() {
            1000 => "1000",
            1001 => "1001",
            1002 => "1002",
            1003 => "1003",
            1005 => "1005",
            1006 => "1006",
            1007 => "1007",
            1008 => "1008",
            1009 => "1009",
            1011 => "1011",
            1012 => "1012",
            1013 => "1013",
            4001 => "4001",
            4002 => "4002",
            4003 => "4003",
            4006 => "4006",
            4401 => "4401",
            4403 => "4403",
            4503 => "4503",
            4504 => "4504",
            4507 => "4507",
            _ => "other",
        }
    }

    pub(crate) fn handled(message_type: &'static str, outcome: &'static str) {
        metrics::counter!("switchboard_messages_total", "type" => message_type, "outcome" => outcome).increment(1);
    }

    pub(crate) fn took(message_type: &'static str, outcome: &'static str, took: std::time::Duration) {
        metrics::histogram!("switchboard_message_seconds", "type" => message_type, "outcome" => outcome).record(took);
    }

    pub(crate) fn refused(reason: &'static str) {
        metrics::counter!("switchboard_upgrades_refused_total", "reason" => reason).increment(1);
    }

    pub(crate) fn published() {
        metrics::counter!("switchboard_published_total").increment(1);
    }

    pub(crate) fn late_answer() {
        metrics::counter!("switchboard_late_answers_total").increment(1);
    }
}

#[cfg(not(feature = "metrics"))]
mod recorded {
    use super::CloseCode;

    pub(crate) fn opened() {}
    pub(crate) fn closed(_: CloseCode) {}
    pub(crate) fn handled(_: &'static str, _: &'static str) {}
    pub(crate) fn refused(_: &'static str) {}
    pub(crate) fn published() {}
    pub(crate) fn late_answer() {}
}

#[cfg(feature = "metrics")]
pub(crate) use self::recorded::took;
pub(crate) use self::recorded::{closed, handled, late_answer, opened, published, refused};
