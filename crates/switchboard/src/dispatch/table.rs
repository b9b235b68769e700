//! The table of handlers by type tag.

use std::{any::TypeId, panic::Location, sync::Arc};

use rustc_hash::FxHashMap;
use switchboard_core::{Kind, Message, check_type_tag, contract::ContractBuilder, is_reserved_type};

use super::Handling;
use crate::{
    extract::{RequiredExtension, StateScope},
    handler::ErasedHandler,
    middleware,
};

/// Adds a handler's message, under its type tag, and its replies to a contract.
pub(crate) type Describe = fn(&mut ContractBuilder, &'static str);

/// What a handler's arguments need, besides values of the upgrade request.
pub(crate) struct Needs {
    /// Whether an argument needs the whole frame.
    pub(crate) keeps_frame: bool,
    pub(crate) extensions: Vec<RequiredExtension>,
}

/// A handler in the table.
pub(crate) struct Route<D> {
    /// The type tag on the wire, with the prefixes of nested routers.
    pub(crate) message_type: &'static str,
    /// The type tag that the message declares.
    pub(crate) declared_type: &'static str,
    /// The Rust type of the message.
    pub(crate) message: TypeId,
    pub(crate) is_rpc: bool,
    /// Part of the protocol's extended dialect, not of the application.
    pub(crate) is_extended: bool,
    pub(crate) handler: ErasedHandler<D>,
    pub(crate) scope: Option<Arc<StateScope>>,
    pub(crate) options: Handling,
    /// Whether an argument needs the whole frame.
    pub(crate) keeps_frame: bool,
    /// The layers around the handler.
    pub(crate) layers: middleware::Route<D>,
    /// Extensions that the handler takes, which its layers may insert.
    pub(crate) extensions: Vec<RequiredExtension>,
    pub(crate) describe: Describe,
    /// Error codes of the application, for the contract.
    pub(crate) codes: Box<[&'static str]>,
    pub(crate) name: &'static str,
    location: &'static Location<'static>,
}

impl<D> Route<D> {
    #[track_caller]
    pub(crate) fn new<M: Message>(
        name: &'static str,
        handler: ErasedHandler<D>,
        options: Handling,
        needs: Needs,
        describe: Describe,
        layers: middleware::Route<D>,
    ) -> Self {
        Self {
            message_type: M::TYPE,
            declared_type: M::TYPE,
            message: TypeId::of::<M>(),
            is_rpc: M::Kind::IS_RPC,
            is_extended: is_reserved_type(M::TYPE),
            handler,
            scope: None,
            options,
            keeps_frame: needs.keeps_frame,
            layers,
            extensions: needs.extensions,
            describe,
            codes: Box::default(),
            name,
            location: Location::caller(),
        }
    }
}

/// The handlers of a router. Queued messages keep the index of their route.
pub(crate) struct Table<D> {
    routes: Vec<Route<D>>,
    /// A fast hash without protection from collisions: the keys come from the program, not from clients.
    by_type: FxHashMap<&'static str, usize>,
}

impl<D> Default for Table<D> {
    fn default() -> Self {
        Self { routes: Vec::new(), by_type: FxHashMap::default() }
    }
}

impl<D> Table<D> {
    #[track_caller]
    pub(crate) fn insert(&mut self, route: Route<D>) {
        if let Some(first) = self.find(route.message_type) {
            let first = self.get(first);
            panic!(
                "two handlers for the message type `{}`: `{}` ({}) and `{}` ({}); a type has one handler",
                route.message_type, first.name, first.location, route.name, route.location,
            );
        }
        self.by_type.insert(route.message_type, self.routes.len());
        self.routes.push(route);
    }

    #[track_caller]
    pub(crate) fn merge(&mut self, other: Self) {
        for route in other.routes {
            self.insert(route);
        }
    }

    /// Adds a prefix to the types of all handlers.
    #[track_caller]
    pub(crate) fn with_prefix(self, prefix: &str) -> Self {
        let mut prefixed = Self::default();
        for mut route in self.routes {
            // Leaked: types are `'static` everywhere, and a program builds its routers once.
            let message_type: &'static str = format!("{prefix}{}", route.message_type).leak();
            if let Err(rule) = check_type_tag(message_type) {
                panic!("`{prefix}` cannot be the prefix of the message type `{}`: {rule}", route.message_type);
            }
            route.message_type = message_type;
            prefixed.insert(route);
        }
        prefixed
    }

    pub(crate) fn with_scope(mut self, scope: &Arc<StateScope>) -> Self {
        for route in &mut self.routes {
            route.scope.get_or_insert_with(|| Arc::clone(scope));
        }
        self
    }

    pub(crate) fn find(&self, message_type: &str) -> Option<usize> {
        self.by_type.get(message_type).copied()
    }

    /// Returns the route at an index returned by [`find`](Self::find).
    pub(crate) fn get(&self, index: usize) -> &Route<D> {
        &self.routes[index]
    }

    pub(crate) fn routes_mut(&mut self) -> &mut [Route<D>] {
        &mut self.routes
    }

    pub(crate) fn routes(&self) -> &[Route<D>] {
        &self.routes
    }

    pub(crate) fn types(&self) -> Vec<&'static str> {
        self.routes.iter().map(|route| route.message_type).collect()
    }
}
