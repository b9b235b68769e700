//! The hooks of a router.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use switchboard_core::WsError;

use crate::{
    CloseReason, Failure, RawText, RefreshToken, UnknownMessage,
    conn::ConnInner,
    extract::{ConnParts, StateScope},
    handler::ErasedHook,
};

pub(crate) struct Hooks<D> {
    pub(crate) open: Vec<OneHook<D, ()>>,
    pub(crate) close: Vec<OneHook<D, CloseReason>>,
    pub(crate) error: Vec<OneHook<D, Failure>>,
    pub(crate) stale: Vec<OneHook<D, ()>>,
    pub(crate) reauthorize: Vec<OneHook<D, ()>>,
    pub(crate) refresh: Vec<OneHook<D, RefreshToken>>,
    pub(crate) text: Option<Named<D, RawText>>,
    pub(crate) binary: Option<Named<D, Bytes>>,
    pub(crate) fallback: Option<Named<D, UnknownMessage>>,
}

/// A hook that a router has once, with its name for the panic about a second one.
pub(crate) struct Named<D, E> {
    pub(crate) hook: OneHook<D, E>,
    name: &'static str,
}

impl<D> Default for Hooks<D> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            close: Vec::new(),
            error: Vec::new(),
            stale: Vec::new(),
            reauthorize: Vec::new(),
            refresh: Vec::new(),
            text: None,
            binary: None,
            fallback: None,
        }
    }
}

impl<D> Hooks<D> {
    #[track_caller]
    pub(crate) fn merge(&mut self, other: Self) {
        self.open.extend(other.open);
        self.close.extend(other.close);
        self.error.extend(other.error);
        self.stale.extend(other.stale);
        self.reauthorize.extend(other.reauthorize);
        self.refresh.extend(other.refresh);
        if let Some(second) = other.text {
            set(&mut self.text, "on_text", second);
        }
        if let Some(second) = other.binary {
            set(&mut self.binary, "on_binary", second);
        }
        if let Some(second) = other.fallback {
            set(&mut self.fallback, "fallback", second);
        }
    }

    pub(crate) fn with_scope(mut self, scope: &Arc<StateScope>) -> Self {
        self.open.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.close.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.error.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.stale.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.reauthorize.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.refresh.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.fallback.iter_mut().for_each(|named| named.hook.set_scope(scope));
        self.text.iter_mut().for_each(|named| named.hook.set_scope(scope));
        self.binary.iter_mut().for_each(|named| named.hook.set_scope(scope));
        self
    }
}

#[track_caller]
pub(crate) fn set_once<D, E>(slot: &mut Option<Named<D, E>>, what: &str, name: &'static str, hook: ErasedHook<D, E>) {
    set(slot, what, Named { hook: OneHook::new(hook), name });
}

#[track_caller]
fn set<D, E>(slot: &mut Option<Named<D, E>>, what: &str, second: Named<D, E>) {
    if let Some(first) = slot {
        panic!("two `{what}` hooks: `{}` and `{}`; a router can have only one", first.name, second.name);
    }
    *slot = Some(second);
}

/// A hook with its state.
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
    pub(crate) fn new(hook: ErasedHook<D, E>) -> Self {
        Self { hook, scope: None }
    }

    pub(crate) fn set_scope(&mut self, scope: &Arc<StateScope>) {
        self.scope.get_or_insert_with(|| Arc::clone(scope));
    }
}

impl<D: Send + Sync + 'static, E> OneHook<D, E> {
    pub(crate) fn call(&self, conn: &Arc<ConnInner<D>>, event: E) -> BoxFuture<'static, Result<(), WsError>> {
        (self.hook)(ConnParts::new(Arc::clone(conn), self.scope.clone(), None), event)
    }
}
