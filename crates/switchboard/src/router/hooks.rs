//! Adding hooks to a router.

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
    /// Called when a connection is open, before its first message is handled. What arrives
    /// meanwhile waits. If it fails, panics or takes longer than
    /// [`hook_timeout`](crate::Config::hook_timeout), the connection is closed with 1011.
    ///
    /// Several hooks run in the order in which they were added.
    pub fn on_open<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up(H::setup);
        self.hooks.open.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Called once when a connection has ended, however it did, unless the runtime itself shuts
    /// down. It can still publish; its subscriptions end after it. Each such hook runs, whatever
    /// became of the others, for [`hook_timeout`](crate::Config::hook_timeout) at most.
    pub fn on_close<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, CloseReason>,
    {
        self.set_up(H::setup);
        self.hooks.close.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Called with every message that failed, after the client was told: bad envelopes, invalid
    /// payloads, errors and panics of handlers. The next message waits for it. Failures of the
    /// connection's last moments come before its [`on_close`](Self::on_close).
    pub fn on_error<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, Failure>,
    {
        self.set_up(H::setup);
        self.hooks.error.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Takes text frames as they are, without an envelope: for protocols of your own. Such a
    /// router has no message handlers.
    ///
    /// # Panics
    ///
    /// If there is such a hook already; and, when mounted, if there are message handlers.
    #[track_caller]
    pub fn on_text<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, RawText>,
    {
        self.set_up(H::setup);
        let name = std::any::type_name::<H>();
        set_once(&mut self.hooks.text, "on_text", name, handler::erase_hook(hook));
        self
    }

    /// Takes binary frames. Without it they are read as UTF-8 JSON.
    ///
    /// # Panics
    ///
    /// If there is such a hook already.
    #[track_caller]
    pub fn on_binary<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, Bytes>,
    {
        self.set_up(H::setup);
        let name = std::any::type_name::<H>();
        set_once(&mut self.hooks.binary, "on_binary", name, handler::erase_hook(hook));
        self
    }

    /// Takes messages of types that no handler takes, instead of an error `UNIMPLEMENTED`. What the
    /// hook returns `Ok` for gets no reply but what it sends itself.
    ///
    /// # Panics
    ///
    /// If there is such a hook already.
    #[track_caller]
    pub fn fallback<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, UnknownMessage>,
    {
        self.set_up(H::setup);
        let name = std::any::type_name::<H>();
        set_once(&mut self.hooks.fallback, "fallback", name, handler::erase_hook(hook));
        self
    }

    /// Called for a connection whose client has not answered a ping, before its
    /// [`on_close`](Self::on_close), which runs whatever becomes of this.
    pub fn on_stale<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up(H::setup);
        self.hooks.stale.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Called with the token of a client's `$ws:refresh` (of the subprotocol `switchboard.v1.*`), to
    /// verify it and call [`Conn::identify`](crate::Conn::identify). The client is told when the
    /// identity expires then, or gets the error.
    pub fn on_refresh<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, RefreshToken>,
    {
        self.set_up(H::setup);
        self.hooks.refresh.push(OneHook::new(handler::erase_hook(hook)));
        self
    }

    /// Decides whether a connection may stay: asked every
    /// [`reauthorize_interval`](crate::Config::reauthorize_interval), and after
    /// [`Conn::reauthorize`](crate::Conn::reauthorize). With the error `UNAUTHENTICATED` the
    /// connection is closed with 4401, with `PERMISSION_DENIED` with 4403. Any other error is logged
    /// and the connection stays, so that a database that is down does not empty the server.
    pub fn on_reauthorize<H, X>(mut self, hook: H) -> Self
    where
        H: Hook<X, S, D, Out, ()>,
    {
        self.set_up(H::setup);
        self.hooks.reauthorize.push(OneHook::new(handler::erase_hook(hook)));
        self
    }
}
