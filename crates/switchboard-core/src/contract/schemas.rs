//! JSON Schemas of types, where they are known.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use super::Schema;

/// Makes JSON Schemas, and keeps those that others refer to.
///
/// A [`Message`](crate::Message) that is written by hand says its schema with
/// [`of`](Self::of); the attributes do it by themselves.
pub struct Schemas {
    #[cfg(feature = "schema")]
    direction: Direction,
    #[cfg(feature = "schema")]
    generator: schemars::SchemaGenerator,
}

/// For whom a schema is: what may be left out differs, and other things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Of what clients send.
    Inbound,
    /// Of what the server sends.
    Outbound,
}

impl Schemas {
    /// Of what the server reads, or of what it writes.
    pub(super) fn new(direction: Direction) -> Self {
        #[cfg(not(feature = "schema"))]
        let _ = direction;
        Self {
            #[cfg(feature = "schema")]
            direction,
            #[cfg(feature = "schema")]
            generator: {
                let settings = schemars::generate::SchemaSettings::draft2020_12();
                let (settings, path) = match direction {
                    Direction::Inbound => (settings.for_deserialize(), "/inbound/$defs"),
                    Direction::Outbound => (settings.for_serialize(), "/outbound/$defs"),
                };
                settings.with(|settings| settings.definitions_path = path.into()).into_generator()
            },
        }
    }

    /// The schema of a type: mostly a reference to one that is kept.
    #[cfg(feature = "schema")]
    pub fn of<T: schemars::JsonSchema + ?Sized>(&mut self) -> Schema {
        finished(self.generator.subschema_for::<T>().to_value(), self.direction)
    }

    /// The schemas that were referred to, by name.
    pub(super) fn into_definitions(self) -> BTreeMap<String, Schema> {
        #[cfg(feature = "schema")]
        {
            let mut generator = self.generator;
            let definitions = generator.take_definitions(true);
            definitions.into_iter().map(|(name, schema)| (name, finished(schema, self.direction))).collect()
        }
        #[cfg(not(feature = "schema"))]
        BTreeMap::new()
    }
}

#[cfg(feature = "schema")]
fn finished(mut schema: serde_json::Value, direction: Direction) -> Schema {
    super::optional::resolve(&mut schema, direction);
    Schema::new(schema)
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas").finish_non_exhaustive()
    }
}

/// Asks for the schema of a type that may have none: the attributes cannot know what a type derives.
///
/// `(&TypeProbe::<T>::NEW).__switchboard_schema(schemas)` takes [`KnownSchema`] where it applies, since that needs
/// no further reference, else [`AnySchema`].
#[doc(hidden)]
pub struct TypeProbe<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> TypeProbe<T> {
    pub const NEW: Self = Self(PhantomData);
}

impl<T: ?Sized> fmt::Debug for TypeProbe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypeProbe")
    }
}

/// The schema of a type that derives it.
#[doc(hidden)]
pub trait KnownSchema {
    fn __switchboard_schema(&self, schemas: &mut Schemas) -> Schema;
}

/// `true`, which allows anything, for the others.
#[doc(hidden)]
pub trait AnySchema {
    fn __switchboard_schema(&self, schemas: &mut Schemas) -> Schema;
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema + ?Sized> KnownSchema for TypeProbe<T> {
    fn __switchboard_schema(&self, schemas: &mut Schemas) -> Schema {
        schemas.of::<T>()
    }
}

impl<T: ?Sized> AnySchema for &TypeProbe<T> {
    fn __switchboard_schema(&self, _: &mut Schemas) -> Schema {
        Schema::any()
    }
}

/// What a field may be that a function of the application writes.
#[cfg(feature = "schema")]
#[doc(hidden)]
pub type AnyJson = serde_json::Value;

/// A type with a schema, with an error that says what to do about one without.
#[cfg(feature = "schema")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no JSON Schema",
    label = "no JSON Schema is known for this type",
    note = "add `#[schemars(with = \"String\")]` to the field, with the type that it looks like on the wire; types of time need that, too",
    note = "a type of your own gets one from `#[ws_payload]`; types of bytes, chrono, rust_decimal, url and uuid from the feature of `switchboard` with the name of the crate",
    note = "or turn the feature `schema` of `switchboard` off"
)]
pub trait HasSchema {}

#[cfg(feature = "schema")]
#[diagnostic::do_not_recommend]
impl<T: schemars::JsonSchema + ?Sized> HasSchema for T {}

/// A bound of a rule, in a schema. One beyond 64 bits is the nearest `f64`, also where serde_json could hold it
/// (`arbitrary_precision`): a contract is the same in every build.
#[cfg(feature = "schema")]
#[doc(hidden)]
pub fn schema_bound(bound: impl serde::Serialize) -> serde_json::Value {
    use serde_json::Value;
    match serde_json::to_value(&bound) {
        Ok(value) if value.is_i64() || value.is_u64() || !value.is_number() => value,
        _ => {
            let text = serde_json::to_string(&bound).unwrap_or_default();
            text.parse::<f64>().map_or(Value::Null, Value::from)
        }
    }
}

/// Compiles for types with a schema.
#[cfg(feature = "schema")]
#[doc(hidden)]
pub fn has_schema<T: HasSchema + ?Sized>() {}
