//! The hooks of a router.

use std::sync::Arc;

use bytes::Bytes;

use super::{OneHook, StateScope};
use crate::{CloseReason, Failure, RawText, handler::ErasedHook};

pub(crate) struct Hooks<D> {
    pub(crate) open: Vec<OneHook<D, ()>>,
    pub(crate) close: Vec<OneHook<D, CloseReason>>,
    pub(crate) error: Vec<OneHook<D, Failure>>,
    pub(crate) text: Option<Named<D, RawText>>,
    pub(crate) binary: Option<Named<D, Bytes>>,
}

/// A hook of which there is one, and its name for the report of a conflict.
pub(crate) struct Named<D, E> {
    pub(crate) hook: OneHook<D, E>,
    name: &'static str,
}

impl<D> Default for Hooks<D> {
    fn default() -> Self {
        Self { open: Vec::new(), close: Vec::new(), error: Vec::new(), text: None, binary: None }
    }
}

impl<D> Hooks<D> {
    #[track_caller]
    pub(super) fn merge(&mut self, other: Self) {
        self.open.extend(other.open);
        self.close.extend(other.close);
        self.error.extend(other.error);
        if let Some(second) = other.text {
            set(&mut self.text, "on_text", second);
        }
        if let Some(second) = other.binary {
            set(&mut self.binary, "on_binary", second);
        }
    }

    pub(super) fn with_scope(mut self, scope: &Arc<StateScope>) -> Self {
        self.open.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.close.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.error.iter_mut().for_each(|hook| hook.set_scope(scope));
        self.text.iter_mut().for_each(|named| named.hook.set_scope(scope));
        self.binary.iter_mut().for_each(|named| named.hook.set_scope(scope));
        self
    }
}

#[track_caller]
pub(super) fn set_once<D, E>(slot: &mut Option<Named<D, E>>, what: &str, name: &'static str, hook: ErasedHook<D, E>) {
    set(slot, what, Named { hook: OneHook::new(hook), name });
}

#[track_caller]
fn set<D, E>(slot: &mut Option<Named<D, E>>, what: &str, second: Named<D, E>) {
    if let Some(first) = slot {
        panic!("two `{what}` hooks: `{}` and `{}`; a router has one", first.name, second.name);
    }
    *slot = Some(second);
}
