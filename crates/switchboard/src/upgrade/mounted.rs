//! A finished router, shared by its upgrades.

use std::sync::Arc;

use super::{Authenticate, Identify, OriginPolicy, TokenSources, TrustedProxies};
use crate::{
    TransportKind,
    conn::RouteSettings,
    dispatch::Routing,
    extract::{RequiredExtension, Step},
};

/// A finished router, built once when it is mounted.
pub(crate) struct Mounted<S, D> {
    pub(crate) routing: Arc<Routing<D>>,
    pub(crate) steps: Vec<Step<S>>,
    /// Extensions without which an upgrade is refused, each with the name of what takes it.
    pub(crate) extensions: Vec<(RequiredExtension, &'static str)>,
    pub(crate) admission: Admission,
    pub(crate) authenticate: Option<Authenticate<S, D>>,
    pub(crate) identify: Option<Identify<D>>,
}

impl<S, D> Mounted<S, D> {
    pub(crate) fn settings(&self) -> &Arc<RouteSettings> {
        &self.routing.settings
    }
}

/// Who may connect, and how.
pub(crate) struct Admission {
    pub(crate) origin: OriginPolicy,
    pub(crate) tokens: Arc<TokenSources>,
    pub(crate) protocols: Vec<String>,
    pub(crate) transport: TransportKind,
    pub(crate) proxies: TrustedProxies,
    /// A failed authentication accepts the WebSocket and closes it, instead of an HTTP error.
    pub(crate) refuse_after_accept: bool,
    /// Text frames carry no envelope.
    pub(crate) raw: bool,
}
