//! A router as its connections share it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use switchboard_core::WsError;

use super::{Settings, StateScope, Table, hooks::Hooks};
use crate::{
    Hub,
    conn::ConnInner,
    extract::{ConnParts, Step},
    handler::ErasedHook,
    upgrade::Authenticate,
};

/// Built once at mount, never changed.
pub(crate) struct Mounted<S, D> {
    pub(crate) routing: Arc<Routing<D>>,
    pub(crate) steps: Vec<Step<S>>,
    pub(crate) settings: Arc<MountedSettings>,
    pub(crate) authenticate: Option<Authenticate<S, D>>,
}

/// What the engine needs: free of the state's type.
pub(crate) struct Routing<D> {
    pub(crate) table: Table<D>,
    pub(crate) hooks: Hooks<D>,
}

pub(crate) struct MountedSettings {
    pub(crate) hub: Hub,
    pub(crate) config: crate::Config,
    pub(crate) origin: crate::OriginPolicy,
    pub(crate) tokens: Arc<crate::TokenSources>,
    pub(crate) protocols: Vec<String>,
    pub(crate) transport: crate::TransportKind,
}

impl<S, D> Mounted<S, D> {
    #[track_caller]
    pub(super) fn new(
        table: Table<D>,
        hooks: Hooks<D>,
        steps: Vec<Step<S>>,
        settings: Settings,
        authenticate: Option<Authenticate<S, D>>,
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
                "`{entry}` in the `OriginPolicy` is not an origin: write `https://host` or `https://host:port`, \
                 without a path",
            );
        }
        if let Err(setting) = settings.config.check() {
            panic!("`Config::{setting}` is too small for any message to be handled");
        }
        Self {
            routing: Arc::new(Routing { table, hooks }),
            steps,
            settings: Arc::new(MountedSettings {
                hub: settings.hub.unwrap_or_default(),
                config: settings.config,
                origin: settings.origin,
                tokens: Arc::new(settings.tokens),
                protocols: settings.protocols,
                transport: settings.transport,
            }),
            authenticate,
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
