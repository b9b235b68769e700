//! Values of the upgrade request that are kept for the connection's lifetime.

use std::{
    any::{Any, TypeId, type_name},
    cell::RefCell,
    fmt,
    sync::Arc,
};

use crate::conn::UpgradeValue;
use axum::{
    Extension,
    extract::FromRequestParts,
    response::{IntoResponse as _, Response},
};
use futures_util::future::BoxFuture;
use http::{Extensions, request::Parts};

type Run<S> =
    dyn for<'a> Fn(&'a mut Parts, &'a S) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>, Response>> + Send + Sync;

/// Runs one axum extractor at the upgrade.
pub(crate) struct Step<S> {
    pub(crate) scope: usize,
    type_id: TypeId,
    name: &'static str,
    run: Arc<Run<S>>,
}

impl<S> Clone for Step<S> {
    fn clone(&self) -> Self {
        Self { run: Arc::clone(&self.run), ..*self }
    }
}

impl<S> fmt::Debug for Step<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.name).finish()
    }
}

impl<S: Send + Sync + 'static> Step<S> {
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.scope == other.scope && self.type_id == other.type_id
    }

    /// Converts a step for a router with another state; this step keeps its own.
    pub(crate) fn with_state<S2: Send + Sync + 'static>(self, scope: usize, state: Arc<S>) -> Step<S2> {
        let run = self.run;
        Step {
            // The state of a step from a nested scope is fixed already.
            scope: if self.scope == 0 { scope } else { self.scope },
            type_id: self.type_id,
            name: self.name,
            run: Arc::new(move |parts, _| {
                let (run, state) = (Arc::clone(&run), Arc::clone(&state));
                Box::pin(async move { run(parts, &state).await })
            }),
        }
    }

    pub(crate) async fn run(&self, parts: &mut Parts, state: &S, kept: &mut Vec<UpgradeValue>) -> Result<(), Response> {
        let value = (self.run)(parts, state).await?;
        kept.push(UpgradeValue { scope: self.scope, type_id: self.type_id, value });
        Ok(())
    }
}

/// An extension that only the upgrade request can provide.
#[derive(Clone, Copy)]
pub(crate) struct RequiredExtension {
    name: &'static str,
    is_in: fn(&Extensions) -> bool,
}

impl RequiredExtension {
    /// The name of the missing type, if it is missing.
    pub(crate) fn missing_in(self, extensions: &Extensions) -> Option<&'static str> {
        if (self.is_in)(extensions) { None } else { Some(self.name) }
    }
}

thread_local! {
    /// The steps of the layers that are being applied.
    static STEPS_OF_LAYERS: RefCell<Vec<Step<()>>> = const { RefCell::new(Vec::new()) };
}

/// Adds the steps of a layer: [`tower::Layer`] has no other way to return them.
pub(crate) fn add_steps_of_layer<S: Send + Sync + 'static>(setup: Setup<S>, scope: usize, state: &Arc<S>) {
    let steps = setup.steps.into_iter().map(|step| step.with_state(scope, Arc::clone(state)));
    STEPS_OF_LAYERS.with_borrow_mut(|all| all.extend(steps));
}

/// Returns the result of applying a layer, and the steps of the layers in it.
pub(crate) fn collect_steps_of_layers<R>(apply: impl FnOnce() -> R) -> (R, Vec<Step<()>>) {
    drop(STEPS_OF_LAYERS.take());
    let applied = apply();
    (applied, STEPS_OF_LAYERS.take())
}

/// Collects the values that a handler's arguments need from the upgrade.
pub struct Setup<S> {
    steps: Vec<Step<S>>,
    required_extensions: Vec<RequiredExtension>,
    keeps_frame: bool,
}

impl<S: Send + Sync + 'static> Setup<S> {
    pub(crate) fn new() -> Self {
        Self { steps: Vec::new(), required_extensions: Vec::new(), keeps_frame: false }
    }

    /// Runs the axum extractor `T` at each upgrade and keeps its value for
    /// [`ConnParts::kept`](super::ConnParts::kept). A rejection is the HTTP response of a refused
    /// upgrade. If several arguments keep the same `T`, it runs once.
    pub fn keep<T>(&mut self)
    where
        T: FromRequestParts<S> + Send + Sync + 'static,
    {
        let step = Step {
            scope: 0,
            type_id: TypeId::of::<T>(),
            name: type_name::<T>(),
            run: Arc::new(|parts, state| {
                Box::pin(async move {
                    match T::from_request_parts(parts, state).await {
                        Ok(value) => Ok(Box::new(value) as Box<dyn Any + Send + Sync>),
                        Err(rejection) => Err(rejection.into_response()),
                    }
                })
            }),
        };
        self.steps.push(step);
    }

    /// Keeps the extension `T` of each upgrade request, if it has one, for
    /// [`ConnParts::extension`](super::ConnParts::extension).
    pub fn keep_extension<T: Clone + Send + Sync + 'static>(&mut self) {
        self.keep::<Option<Extension<T>>>();
    }

    /// Refuses the upgrade without the extension `T`, unless middleware can insert one.
    pub(super) fn require_extension<T: Send + Sync + 'static>(&mut self) {
        let is_in = |extensions: &Extensions| extensions.get::<T>().is_some();
        self.required_extensions.push(RequiredExtension { name: type_name::<T>(), is_in });
    }

    /// Keeps each message's frame until its handler has run.
    pub(super) fn keep_frame(&mut self) {
        self.keeps_frame = true;
    }

    pub(crate) fn keeps_frame(&self) -> bool {
        self.keeps_frame
    }

    pub(crate) fn required_extensions(&mut self) -> Vec<RequiredExtension> {
        std::mem::take(&mut self.required_extensions)
    }

    pub(crate) fn into_steps(self) -> Vec<Step<S>> {
        self.steps
    }
}

impl<S> fmt::Debug for Setup<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("steps", &self.steps).finish()
    }
}
