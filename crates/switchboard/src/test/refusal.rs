//! Refused upgrades.

use std::{error::Error, fmt, ops::Deref};

use super::HttpResponse;

/// The HTTP response to a refused upgrade: the error of [`TestApp::connect`](super::TestApp::connect).
///
/// It derefs to the response, whose body is empty if it is larger than 1 MiB or incomplete.
#[derive(Debug, Clone)]
pub struct Refusal(HttpResponse);

impl Refusal {
    pub(super) fn new(response: HttpResponse) -> Self {
        Self(response)
    }
}

impl Deref for Refusal {
    type Target = HttpResponse;

    fn deref(&self) -> &HttpResponse {
        &self.0
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the upgrade was refused with {}: {}", self.status(), self.text())
    }
}

impl Error for Refusal {}
