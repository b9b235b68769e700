//! Settings of a router.

use std::{panic::Location, sync::Arc};

use switchboard_core::{MemberOf, Message, MessageSet, envelope::EnvelopeStyle};

use super::{WsRouter, contract::Emitted};
use crate::{Config, Hub, Identity, OriginPolicy, TokenSources, TransportKind, TrustedProxies};

/// The settings of a route as a whole. A router that is merged into another may set only `emits`.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) hub: Option<Hub>,
    pub(super) config: Config,
    pub(super) origin: OriginPolicy,
    pub(super) tokens: TokenSources,
    pub(super) protocols: Vec<String>,
    pub(super) transport: TransportKind,
    pub(super) proxies: TrustedProxies,
    pub(super) envelope: EnvelopeStyle,
    pub(super) refuse_after_accept: bool,
    pub(super) emits: Vec<Emitted>,
    /// The settings that were set, and where.
    set: Vec<(&'static str, &'static Location<'static>)>,
}

impl Settings {
    #[track_caller]
    fn note(&mut self, setting: &'static str) {
        self.set.push((setting, Location::caller()));
    }

    /// Takes over what a merged router may set, and panics if it has set anything else.
    #[track_caller]
    pub(super) fn merge(&mut self, other: Self) {
        let shares_hub = self.hub.is_some() && self.hub == other.hub;
        let own: Vec<_> = other.set.iter().filter(|(setting, _)| !(shares_hub && *setting == "hub")).collect();
        if let Some((setting, location)) = own.first() {
            let also: String =
                own[1..].iter().map(|(setting, location)| format!(", `{setting}` ({location})")).collect();
            panic!(
                "a router that is merged into another cannot have settings of its own, as this one has: \
                 `{setting}` ({location}){also}; set that on the outermost router, which is the one that is mounted"
            );
        }
        self.emits.extend(other.emits);
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hub: None,
            config: Config::new(),
            origin: OriginPolicy::same_origin(),
            tokens: TokenSources::default(),
            protocols: Vec::new(),
            transport: TransportKind::default(),
            proxies: TrustedProxies::none(),
            envelope: EnvelopeStyle::Standard,
            refuse_after_accept: false,
            emits: Vec::new(),
            set: Vec::new(),
        }
    }
}

impl<S, D, Out, A> WsRouter<S, D, Out, A>
where
    S: Clone + Send + Sync + 'static,
    D: Send + Sync + 'static,
    Out: MessageSet,
{
    /// Sets the hub. Routes with the same hub share topics, users and limits. Default: a hub of its own.
    #[track_caller]
    pub fn hub(mut self, hub: Hub) -> Self {
        self.settings.note("hub");
        self.settings.hub = Some(hub);
        self
    }

    /// Returns the hub; sets one first if there is none.
    #[cfg(feature = "test")]
    pub(crate) fn own_hub(&mut self) -> &Hub {
        self.settings.hub.get_or_insert_default()
    }

    /// Sets the limits and timeouts.
    #[track_caller]
    pub fn config(mut self, config: Config) -> Self {
        self.settings.note("config");
        self.settings.config = config;
        self
    }

    /// Sets which origins may connect. Default: pages of the same origin, and clients that send no
    /// `Origin`, which are not browsers.
    #[track_caller]
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.settings.note("origin");
        self.settings.origin = origin;
        self
    }

    /// Sets where [`BearerToken`](crate::BearerToken) looks for the token.
    #[track_caller]
    pub fn tokens(mut self, tokens: TokenSources) -> Self {
        self.settings.note("tokens");
        self.settings.tokens = tokens;
        self
    }

    /// Sets the WebSocket implementation of a route made by [`ws_route`](crate::ws_route). Default:
    /// [`Native`](TransportKind::Native).
    #[track_caller]
    pub fn transport(mut self, transport: TransportKind) -> Self {
        self.settings.note("transport");
        self.settings.transport = transport;
        self
    }

    /// Sets the application's own subprotocols, in order of preference. The first one that the client
    /// offers is negotiated.
    #[track_caller]
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.note("protocols");
        self.settings.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. Default: none.
    #[track_caller]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.settings.note("trusted_proxies");
        self.settings.proxies = proxies;
        self
    }

    /// Sets the form of envelopes, for clients that were written for other servers.
    ///
    /// In a flat envelope, a payload must be an object without the keys `type` and `meta`. A reply with
    /// another payload becomes the error `INTERNAL`, sending one fails, and a published one is not
    /// delivered to these clients, which is logged.
    #[track_caller]
    pub fn envelope(mut self, style: EnvelopeStyle) -> Self {
        self.settings.note("envelope");
        self.settings.envelope = style;
        self
    }

    /// Turns a 401 or 403 of [`authenticate`](Self::authenticate) into a connection that is closed at
    /// once with 4401 or 4403, because a page cannot read the status of a refused upgrade. Other statuses
    /// stay HTTP responses.
    #[track_caller]
    pub fn refuse_after_accept(mut self) -> Self {
        self.settings.note("refuse_after_accept");
        self.settings.refuse_after_accept = true;
        self
    }

    /// Sets a function that derives the user from the connection's data: for
    /// [`Conn::user`](crate::Conn::user), limits per user, and identities that expire.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use switchboard::{Identity, WsRouter};
    ///
    /// struct User {
    ///     id: String,
    /// }
    ///
    /// let ws = WsRouter::<(), User>::new()
    ///     .identify(|user| Some(Identity::new(user.id.as_str())))
    ///     .authenticate(async || Ok::<_, StatusCode>(User { id: "ann".into() }));
    /// # let _ = ws;
    /// ```
    pub fn identify(mut self, identify: impl Fn(&D) -> Option<Identity> + Send + Sync + 'static) -> Self {
        self.identify = Some(Arc::new(identify));
        self
    }

    /// Adds a message type that the router sends beside replies to its [`contract`](Self::contract).
    ///
    /// Debug builds then warn about messages that are sent or published without being in the contract.
    /// A router made by [`sending`](WsRouter::sending) needs no `emits`.
    pub fn emits<M>(mut self) -> Self
    where
        M: Message + MemberOf<Out>,
    {
        self.settings.emits.push(Emitted::new::<M>());
        self
    }
}
