//! The definitions of several routes in both directions, each shape once and under one name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Direction, Doc, Reader, Shape, Source, pascal, read::doc};
use crate::error::Problem;

/// One side of one route.
type Unit = (usize, Direction);

/// All definitions. Those of equal shape, whatever they refer to included, are one.
#[derive(Debug)]
pub(crate) struct Group {
    classes: Vec<Class>,
    class_of: BTreeMap<(Unit, String), usize>,
}

impl Class {
    /// Whether this side has it.
    /// Who sends the type; the server, if both do.
    pub(crate) fn sender(&self) -> Direction {
        let by_server = self.units.iter().any(|(_, direction)| *direction == Direction::Outbound);
        if by_server { Direction::Outbound } else { Direction::Inbound }
    }
}

/// Definitions that are one type.
#[derive(Debug)]
pub(crate) struct Class {
    /// Its name in what is generated.
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) doc: Doc,
    /// A definition of it.
    pub(crate) schema: Value,
    /// The side that `shape` and `schema` are of, in which they refer to others.
    pub(crate) unit: Unit,
    rust_name: String,
    units: BTreeSet<Unit>,
}

impl Group {
    /// Reads all definitions. `reserved` are names that no type gets.
    pub(crate) fn new(sources: &[Source], reserved: &BTreeSet<String>, problems: &mut Vec<Problem>) -> Self {
        let mut shapes: BTreeMap<(Unit, String), (Shape, Value)> = BTreeMap::new();
        for (route, source) in sources.iter().enumerate() {
            for direction in Direction::BOTH {
                for (name, schema) in source.definitions(direction) {
                    let shape = Reader::new(direction, name, problems).read(schema);
                    shapes.insert(((route, direction), name.clone()), (shape, schema.clone()));
                }
            }
        }
        let class_of = partition(&shapes);
        let mut classes: Vec<Class> = Vec::new();
        let mut ids = BTreeMap::new();
        let mut numbered = BTreeMap::new();
        // Outbound first: it is the server's view of a type that gives it its text.
        let mut keys: Vec<_> = class_of.keys().collect();
        keys.sort_by_key(|((route, direction), name)| (name.clone(), *direction == Direction::Inbound, *route));
        for key in keys {
            let (unit, rust_name) = key;
            let id = *ids.entry(class_of[key]).or_insert_with(|| {
                let (shape, schema) = shapes[key].clone();
                classes.push(Class {
                    name: String::new(),
                    doc: doc(&schema),
                    shape,
                    schema,
                    unit: *unit,
                    rust_name: rust_name.clone(),
                    units: BTreeSet::new(),
                });
                classes.len() - 1
            });
            classes[id].units.insert(*unit);
            numbered.insert(key.clone(), id);
        }
        let mut group = Self { classes, class_of: numbered };
        group.name(sources, reserved);
        group
    }

    /// The types by name.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &Class> {
        let mut classes: Vec<&Class> = self.classes.iter().collect();
        classes.sort_by(|a, b| a.name.cmp(&b.name));
        classes.into_iter()
    }

    /// The name of a definition of this side.
    pub(crate) fn name_of(&self, unit: Unit, rust_name: &str) -> &str {
        let id = self.class_of.get(&(unit, rust_name.to_owned()));
        id.map_or("unknown", |id| &self.classes[*id].name)
    }

    fn name(&mut self, sources: &[Source], reserved: &BTreeSet<String>) {
        let base = |class: &Class, all: &[Class]| {
            let name = pascal(&class.rust_name);
            let is_input = |class: &Class| class.units.iter().all(|unit| unit.1 == Direction::Inbound);
            let has_output = all.iter().any(|other| other.rust_name == class.rust_name && !is_input(other));
            if is_input(class) && has_output { format!("{name}Input") } else { name }
        };
        let mut bases: Vec<String> = self.classes.iter().map(|class| base(class, &self.classes)).collect();
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        bases.iter().for_each(|base| *count.entry(base.clone()).or_default() += 1);
        for (base, class) in bases.iter_mut().zip(&self.classes) {
            // Types of several routes that only share their name.
            if count[base] > 1 && sources.len() > 1 {
                let route = class.units.first().map_or("", |unit| &sources[unit.0].name);
                *base = format!("{}{base}", pascal(route));
            }
        }
        let mut taken = reserved.clone();
        for (base, class) in bases.into_iter().zip(&mut self.classes) {
            let typed = if reserved.contains(&base) { format!("{base}Type") } else { base };
            let mut name = typed.clone();
            let mut number = 2;
            while !taken.insert(name.clone()) {
                name = format!("{typed}{number}");
                number += 1;
            }
            class.name = name;
        }
    }
}

/// A number for each definition; equal for those that are the same type.
fn partition(shapes: &BTreeMap<(Unit, String), (Shape, Value)>) -> BTreeMap<(Unit, String), usize> {
    let mut numbers = BTreeMap::new();
    let mut class_of: BTreeMap<(Unit, String), usize> = BTreeMap::new();
    for (key, (shape, schema)) in shapes {
        let next = numbers.len();
        // Limits count, too: AsyncAPI has them.
        let limits = without_references(schema).to_string();
        class_of.insert(key.clone(), *numbers.entry((key.1.clone(), shape, limits)).or_insert(next));
    }
    let mut count = numbers.len();
    // Until what they refer to makes no more differences.
    loop {
        let mut numbers = BTreeMap::new();
        let mut next_of = BTreeMap::new();
        for (key, (shape, _)) in shapes {
            let mut names = BTreeSet::new();
            shape.collect_names(&mut names);
            let referred: Vec<_> =
                names.into_iter().map(|name| class_of.get(&(key.0, name.to_owned())).copied()).collect();
            let next = numbers.len();
            next_of.insert(key.clone(), *numbers.entry((class_of[key], referred)).or_insert(next));
        }
        if numbers.len() == count {
            return next_of;
        }
        count = numbers.len();
        class_of = next_of;
    }
}

/// The schema with the side left out of its references.
fn without_references(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => keywords
            .iter()
            .map(|(keyword, value)| {
                let plain = match (keyword.as_str(), value) {
                    ("$ref", Value::String(text)) => text.rsplit('/').next().unwrap_or_default().into(),
                    (_, value) => without_references(value),
                };
                (keyword.clone(), plain)
            })
            .collect(),
        Value::Array(values) => values.iter().map(without_references).collect(),
        value => value.clone(),
    }
}
