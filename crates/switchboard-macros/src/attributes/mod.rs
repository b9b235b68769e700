//! Reads the attributes of an item: the arguments of this crate's macros, serde's attributes, and
//! conditions.

pub(crate) mod cfg;
pub(crate) mod options;
pub(crate) mod serde_attrs;
pub(crate) mod suggest;
pub(crate) mod target;
