//! What a router is set to.

use std::{panic::Location, sync::Arc};

use switchboard_core::{MemberOf, Message, MessageSet, envelope::EnvelopeStyle};

use super::{WsRouter, contract::Emitted};
use crate::{Config, Hub, Identity, OriginPolicy, TokenSources, TransportKind, TrustedProxies};

/// What does not depend on the router's types, and holds for a route as a whole: a router that is merged
/// into another has none of its own, but for what it emits.
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
    /// What the application has set, and where.
    set: Vec<(&'static str, &'static Location<'static>)>,
}

impl Settings {
    #[track_caller]
    fn note(&mut self, setting: &'static str) {
        self.set.push((setting, Location::caller()));
    }

    /// Takes over what may come from a router that is merged into this one's.
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
    /// The hub whose topics and counts this route shares. Without it the route has its own.
    #[track_caller]
    pub fn hub(mut self, hub: Hub) -> Self {
        self.settings.note("hub");
        self.settings.hub = Some(hub);
        self
    }

    /// The hub that is set, or one that is set now.
    #[cfg(feature = "test")]
    pub(crate) fn own_hub(&mut self) -> &Hub {
        self.settings.hub.get_or_insert_default()
    }

    /// The limits and times.
    #[track_caller]
    pub fn config(mut self, config: Config) -> Self {
        self.settings.note("config");
        self.settings.config = config;
        self
    }

    /// Which pages may connect. By default those of the same origin, and clients that are no
    /// browsers.
    #[track_caller]
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.settings.note("origin");
        self.settings.origin = origin;
        self
    }

    /// Where [`BearerToken`](crate::BearerToken) looks for the token.
    #[track_caller]
    pub fn tokens(mut self, tokens: TokenSources) -> Self {
        self.settings.note("tokens");
        self.settings.tokens = tokens;
        self
    }

    /// What carries the frames of a route made by [`ws_route`](crate::ws_route). By default
    /// [`Native`](TransportKind::Native).
    #[track_caller]
    pub fn transport(mut self, transport: TransportKind) -> Self {
        self.settings.note("transport");
        self.settings.transport = transport;
        self
    }

    /// Subprotocols of the application's own, in order of preference. The first that the client
    /// offered is chosen.
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

    /// The proxies whose `X-Forwarded-For` tells the client's address. By default none is trusted.
    #[track_caller]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.settings.note("trusted_proxies");
        self.settings.proxies = proxies;
        self
    }

    /// How envelopes look: for clients that were written for other servers.
    ///
    /// In a flat envelope a payload must be an object without keys `type` and `meta`. A reply whose is
    /// not becomes an error `INTERNAL`, sending one fails, and of what is published these clients
    /// do not get it, which is logged.
    #[track_caller]
    pub fn envelope(mut self, style: EnvelopeStyle) -> Self {
        self.settings.note("envelope");
        self.settings.envelope = style;
        self
    }

    /// Answers 401 and 403 of authentication by accepting the connection and closing it with 4401 or
    /// 4403, so that a browser can tell them apart from a server that is down. Other statuses stay
    /// HTTP responses.
    #[track_caller]
    pub fn refuse_after_accept(mut self) -> Self {
        self.settings.note("refuse_after_accept");
        self.settings.refuse_after_accept = true;
        self
    }

    /// Says whose connections these are, as far as the connection's data tells: for
    /// [`Conn::user`](crate::Conn::user), limits of connections per user, and tokens that expire.
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

    /// Says that this router sends a message of this type, beside replies: for its
    /// [`contract`](Self::contract). Debug builds then warn about messages that are sent or published
    /// without having been named. A router made by [`sending`](WsRouter::sending) has named them all.
    pub fn emits<M>(mut self) -> Self
    where
        M: Message + MemberOf<Out>,
    {
        self.settings.emits.push(Emitted::new::<M>());
        self
    }
}
