//! Adding hooks to a router.

use std::any::type_name;

use bytes::Bytes;
use switchboard_core::MessageSet;

use super::WsRouter;
use crate::{
    CloseReason, Failure, Hook, RawText, RefreshToken, UnknownMessage,
    dispatch::{OneHook, set_once},
    handler,
};

impl<S, D, Out, A> WsRouter<S, D, Out, A>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    /// Adds a hook that runs when a connection opens. Messages that arrive meanwhile wait in the inbox.
    ///
    /// If a hook fails or panics, or all of them together take longer than
    /// [`hook_timeout`](crate::Config::hook_timeout), the connection is closed with 1011. Several hooks
    /// run in the order in which they were added.
    pub fn on_open<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        self.hooks.open.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Adds a hook that runs once when a connection has ended, for any reason but the shutdown of the
    /// runtime. It can still publish; the subscriptions end after it. Every hook runs, even if another
    /// failed, for at most [`hook_timeout`](crate::Config::hook_timeout).
    pub fn on_close<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, CloseReason>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        self.hooks.close.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Adds a hook that runs for every message that failed: malformed envelopes, invalid payloads,
    /// errors and panics of handlers. It runs after the client was told and before the next message is
    /// handled. The last failures of a connection come before its [`on_close`](Self::on_close).
    pub fn on_error<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, Failure>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        self.hooks.error.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Sets the hook for text frames, which it gets without an envelope: for protocols of your own.
    /// A router with this hook cannot have message handlers.
    ///
    /// # Panics
    ///
    /// If the router has this hook already. When it is mounted, also if it has message handlers.
    #[track_caller]
    pub fn on_text<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, RawText>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        let name = type_name::<H>();
        set_once(&mut self.hooks.text, "on_text", name, handler::erase_hook(hook));
        self
    }

    /// Sets the hook for binary frames. Without it they are read as JSON in UTF-8.
    ///
    /// # Panics
    ///
    /// If the router has this hook already.
    #[track_caller]
    pub fn on_binary<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, Bytes>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        let name = type_name::<H>();
        set_once(&mut self.hooks.binary, "on_binary", name, handler::erase_hook(hook));
        self
    }

    /// Sets the hook for messages of unknown type, in place of the error `UNIMPLEMENTED`. If it returns
    /// `Ok`, the client gets no reply beside what the hook itself sends.
    ///
    /// # Panics
    ///
    /// If the router has this hook already.
    #[track_caller]
    pub fn fallback<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, UnknownMessage>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        let name = type_name::<H>();
        set_once(&mut self.hooks.fallback, "fallback", name, handler::erase_hook(hook));
        self
    }

    /// Adds a hook that runs when a client did not answer a ping in time, before
    /// [`on_close`](Self::on_close). If it fails, `on_close` runs all the same.
    pub fn on_stale<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        self.hooks.stale.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Adds a hook for the token of a client's `$ws:refresh` (subprotocol `switchboard.v1.*`). The hook
    /// verifies it and calls [`Conn::identify`](crate::Conn::identify). The client is sent the new
    /// expiry, or the error.
    pub fn on_refresh<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, RefreshToken>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        self.hooks.refresh.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Adds a hook that decides whether a connection may stay. It runs every
    /// [`reauthorize_interval`](crate::Config::reauthorize_interval), and after
    /// [`Conn::reauthorize`](crate::Conn::reauthorize).
    ///
    /// The error `UNAUTHENTICATED` closes the connection with 4401, `PERMISSION_DENIED` with 4403. Any
    /// other error is logged and the connection stays, so that a database outage does not disconnect
    /// all clients.
    pub fn on_reauthorize<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up_hook(type_name::<H>(), H::setup);
        self.hooks.reauthorize.push(OneHook::new(handler::erase_hook(hook)));
        self
    }
}
