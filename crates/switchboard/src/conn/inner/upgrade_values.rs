//! The values that axum's extractors took from the upgrade request.

use std::any::{Any, TypeId};

/// One value, and the scope of the router state that it was extracted with.
pub(crate) struct UpgradeValue {
    pub(crate) scope: usize,
    pub(crate) type_id: TypeId,
    pub(crate) value: Box<dyn Any + Send + Sync>,
}

/// All values that a connection keeps of its upgrade request: few, so found by a linear search.
#[derive(Default)]
pub(crate) struct UpgradeValues(Box<[UpgradeValue]>);

impl UpgradeValues {
    pub(crate) fn new(values: Vec<UpgradeValue>) -> Self {
        Self(values.into())
    }

    pub(crate) fn get<T: 'static>(&self, scope: usize) -> Option<&T> {
        let type_id = TypeId::of::<T>();
        let found = self.0.iter().find(|one| one.scope == scope && one.type_id == type_id)?;
        found.value.downcast_ref()
    }
}
