//! A router as its connections share it.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use futures_util::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use switchboard_core::{
    WsError,
    envelope::{EnvelopeStyle, Wire},
};
use tracing::{Instrument as _, Span};

use super::{Settings, StateScope, Table, hooks::Hooks};
use crate::{
    Hub,
    conn::ConnInner,
    extract::{ConnParts, Step},
    guard::{cut, drop_quietly},
    handler::{ErasedHook, HandlerResult},
    idempotency::Idempotency,
    upgrade::{Authenticate, Identify, TrustedProxies},
};

/// Built once at mount, never changed.
pub(crate) struct Mounted<S, D> {
    pub(crate) routing: Arc<Routing<D>>,
    pub(crate) steps: Vec<Step<S>>,
    pub(crate) settings: Arc<MountedSettings>,
    pub(crate) authenticate: Option<Authenticate<S, D>>,
    pub(crate) identify: Option<Identify<D>>,
}

/// What the engine needs: free of the state's type.
pub(crate) struct Routing<D> {
    pub(crate) table: Table<D>,
    pub(crate) hooks: Hooks<D>,
    pub(crate) idempotency: Idempotency,
    pub(crate) settings: Arc<MountedSettings>,
    /// How many handlers go on without anybody waiting for them.
    detached: AtomicUsize,
}

impl<D: Send + Sync + 'static> Routing<D> {
    pub(crate) fn new(table: Table<D>, hooks: Hooks<D>, settings: Arc<MountedSettings>) -> Self {
        let idempotency = Idempotency::new(&settings.config);
        Self { table, hooks, idempotency, settings, detached: AtomicUsize::new(0) }
    }

    /// Lets a handler go on to its end in a task of its own, unless too many do.
    pub(crate) fn detach(self: &Arc<Self>, conn: &ConnInner<D>, future: BoxFuture<'static, HandlerResult>, span: Span) {
        struct Place<D>(Arc<Routing<D>>, Arc<AtomicUsize>);
        impl<D> Drop for Place<D> {
            fn drop(&mut self) {
                self.1.fetch_sub(1, Relaxed);
                self.0.detached.fetch_sub(1, Relaxed);
                self.0.settings.hub.detached_ended();
            }
        }
        let (hub, config) = (&self.settings.hub, &self.settings.config);
        let before = self.detached.fetch_add(1, Relaxed);
        hub.detached_begun();
        let of_conn = conn.detached_counter();
        of_conn.fetch_add(1, Relaxed);
        let place = Place(Arc::clone(self), of_conn);
        if before >= config.max_detached {
            if let Some(suppressed) = hub.may_log() {
                tracing::warn!(
                    suppressed,
                    "a handler is dropped that was to run to completion: `Config::max_detached` others do"
                );
            }
            return drop_quietly(future);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop_quietly(future) };
        let (hub, longest) = (hub.clone(), config.max_request_timeout);
        runtime.spawn(
            async move {
                let _place = place;
                let mut future = AssertUnwindSafe(future).catch_unwind();
                let outcome = tokio::time::timeout(longest, &mut future).await;
                drop_quietly(future);
                let (error, what) = match outcome {
                    Ok(Ok(HandlerResult(Ok(_)))) => return,
                    Ok(Ok(HandlerResult(Err(error)))) => (Some(error), "a detached handler failed"),
                    Ok(Err(_)) => (None, "a detached handler panicked"),
                    Err(_) => (None, "a detached handler took too long and was dropped"),
                };
                if let Some(suppressed) = hub.may_log() {
                    let error = error.as_ref().map(|error| cut(error.message()));
                    tracing::error!(error, suppressed, "{what}");
                }
            }
            .instrument(span),
        );
    }
}

pub(crate) struct MountedSettings {
    pub(crate) hub: Hub,
    pub(crate) config: crate::Config,
    pub(crate) origin: crate::OriginPolicy,
    pub(crate) tokens: Arc<crate::TokenSources>,
    pub(crate) protocols: Vec<String>,
    pub(crate) transport: crate::TransportKind,
    pub(crate) proxies: TrustedProxies,
    /// How frames look for those who speak JSON, and for those who speak MessagePack.
    pub(crate) json: Wire,
    pub(crate) messagepack: Wire,
    /// Refusals of authentication are WebSockets that are closed.
    pub(crate) refuse_after_accept: bool,
    /// Text frames have no envelope.
    pub(crate) raw: bool,
    /// The hash of the contract.
    pub(crate) contract: Box<str>,
    /// The types that the application says it sends, if it says so.
    pub(crate) emits: Vec<&'static str>,
    /// Those that were sent without having been named, once each.
    pub(crate) undeclared: Mutex<Vec<&'static str>>,
}

impl MountedSettings {
    /// In debug builds: says once of each type that it is sent although the router does not say so.
    pub(crate) fn check_declared(&self, message_type: &'static str) {
        if !cfg!(debug_assertions) || self.emits.is_empty() || self.emits.contains(&message_type) {
            return;
        }
        let mut undeclared = self.undeclared.lock();
        if !undeclared.contains(&message_type) {
            undeclared.push(message_type);
            tracing::warn!("{message_type} is sent, but not named: add `.emits::<…>()` to the router");
        }
    }
}

impl<S, D: Send + Sync + 'static> Mounted<S, D> {
    #[track_caller]
    pub(super) fn new(
        table: Table<D>,
        hooks: Hooks<D>,
        steps: Vec<Step<S>>,
        settings: Settings,
        contract: String,
        authenticate: Option<Authenticate<S, D>>,
        identify: Option<Identify<D>>,
    ) -> Self {
        if hooks.text.is_some() && !table.types().is_empty() {
            panic!(
                "a router with `on_text` takes every text frame as it is, but it also has handlers of {:?}: \
                 use one or the other",
                table.types(),
            );
        }
        if let Some(entry) = settings.origin.first_invalid() {
            panic!(
                "`{entry}` in the `OriginPolicy` is not an origin: write `scheme://host` or `scheme://host:port`, as in \
                 `https://chat.example.com` or `capacitor://localhost`, without a path; or `null`",
            );
        }
        if let Err(setting) = settings.config.check() {
            panic!("`Config::{setting}` is too small for any message to be handled");
        }
        if let EnvelopeStyle::PayloadKey(key) = &settings.envelope
            && (key == "type" || key == "meta")
        {
            panic!("the payload of an envelope cannot stand under the key `{key}`, which has another meaning");
        }
        let raw = hooks.text.is_some();
        let settings = Arc::new(MountedSettings {
            hub: settings.hub.unwrap_or_default(),
            config: settings.config,
            origin: settings.origin,
            tokens: Arc::new(settings.tokens),
            protocols: settings.protocols,
            transport: settings.transport,
            proxies: settings.proxies,
            json: Wire::json(settings.envelope.clone()),
            messagepack: Wire::messagepack(settings.envelope),
            refuse_after_accept: settings.refuse_after_accept,
            raw,
            emits: settings.emits.iter().map(|emitted| emitted.message_type).collect(),
            contract: contract.into(),
            undeclared: Mutex::default(),
        });
        Self {
            routing: Arc::new(Routing::new(table, hooks, Arc::clone(&settings))),
            steps,
            settings,
            authenticate,
            identify,
        }
    }
}

/// A hook and the state that it sees.
pub(crate) struct OneHook<D, E> {
    hook: ErasedHook<D, E>,
    scope: Option<Arc<StateScope>>,
}

impl<D, E> Clone for OneHook<D, E> {
    fn clone(&self) -> Self {
        Self { hook: Arc::clone(&self.hook), scope: self.scope.clone() }
    }
}

impl<D, E> OneHook<D, E> {
    pub(super) fn new(hook: ErasedHook<D, E>) -> Self {
        Self { hook, scope: None }
    }

    pub(super) fn set_scope(&mut self, scope: &Arc<StateScope>) {
        self.scope.get_or_insert_with(|| Arc::clone(scope));
    }
}

impl<D: Send + Sync + 'static, E> OneHook<D, E> {
    pub(crate) fn call(&self, conn: &Arc<ConnInner<D>>, event: E) -> BoxFuture<'static, Result<(), WsError>> {
        (self.hook)(ConnParts::new(Arc::clone(conn), self.scope.clone()), event)
    }
}
