//! A shape as a type of TypeScript.

use crate::model::{Doc, Object, Property, Shape};

/// Columns of a line.
const WIDTH: usize = 120;

/// Writes types; `names` tells the names of definitions.
pub(super) struct Types<'a> {
    names: &'a dyn Fn(&str) -> String,
}

impl<'a> Types<'a> {
    pub(super) fn new(names: &'a dyn Fn(&str) -> String) -> Self {
        Self { names }
    }

    /// A definition with its documentation.
    pub(super) fn declaration(&self, name: &str, shape: &Shape, doc: &Doc) -> String {
        let comment = comment(doc, 0);
        match shape {
            Shape::Object(object) => format!("{comment}export interface {name} {}\n", self.block(object, 0)),
            Shape::AnyOf(shapes) => {
                let start = format!("{comment}export type {name} =");
                match self.inline(shape) {
                    Some(text) if name.len() + text.len() + 17 <= WIDTH => format!("{start} {text};\n"),
                    _ => format!("{start}{};\n", self.alternatives(shapes, 2)),
                }
            }
            shape => format!("{comment}export type {name} = {};\n", self.write(shape, 0, name.len() + 16)),
        }
    }

    /// A type inside of others. `indent`: of the line that it begins in; `used`: columns of that line before it.
    pub(super) fn write(&self, shape: &Shape, indent: usize, used: usize) -> String {
        if let Some(text) = self.inline(shape)
            && used + text.len() < WIDTH
        {
            return text;
        }
        match shape {
            Shape::Object(object) => self.block(object, indent),
            Shape::AnyOf(shapes) => self.alternatives(shapes, indent + 2),
            Shape::AllOf(shapes) => {
                let parts = shapes.iter().map(|shape| self.operand(shape, indent));
                parts.collect::<Vec<_>>().join(" & ")
            }
            Shape::Array(item) => match **item {
                Shape::AnyOf(_) | Shape::AllOf(_) => format!("Array<{}>", self.write(item, indent, used + 6)),
                _ => format!("{}[]", self.write(item, indent, used)),
            },
            Shape::Tuple(items) => {
                let inner = " ".repeat(indent + 2);
                let items = items.iter().map(|item| format!("{inner}{},\n", self.write(item, indent + 2, indent + 2)));
                format!("[\n{}{}]", items.collect::<String>(), " ".repeat(indent))
            }
            shape => self.inline(shape).unwrap_or_default(),
        }
    }

    /// On one line; `None` where documentation stands between the properties.
    fn inline(&self, shape: &Shape) -> Option<String> {
        Some(match shape {
            Shape::Unknown => "unknown".to_owned(),
            Shape::Never => "never".to_owned(),
            Shape::Null => "null".to_owned(),
            Shape::Boolean => "boolean".to_owned(),
            Shape::Number => "number".to_owned(),
            Shape::String => "string".to_owned(),
            Shape::Literal(json) => json.clone(),
            Shape::Named(name) => (self.names)(name),
            Shape::Array(item) => format!("{}[]", self.operand_inline(item)?),
            Shape::Tuple(items) => format!("[{}]", self.each(items, Self::inline)?.join(", ")),
            Shape::AnyOf(shapes) => self.each(shapes, Self::inline)?.join(" | "),
            Shape::AllOf(shapes) => self.each(shapes, Self::operand_inline)?.join(" & "),
            Shape::Object(Object { properties, others: None }) if properties.is_empty() => "{}".to_owned(),
            Shape::Object(object) => {
                if object.properties.iter().any(|property| !property.doc.is_empty()) {
                    return None;
                }
                let mut members = object
                    .properties
                    .iter()
                    .map(|property| Some(format!("{}: {}", head(property), self.inline(&property.shape)?)))
                    .collect::<Option<Vec<_>>>()?;
                if let Some(others) = index(object) {
                    members.push(format!("[key: string]: {}", self.inline(&others)?));
                }
                format!("{{ {} }}", members.join("; "))
            }
        })
    }

    fn each(&self, shapes: &[Shape], write: fn(&Self, &Shape) -> Option<String>) -> Option<Vec<String>> {
        shapes.iter().map(|shape| write(self, shape)).collect()
    }

    fn operand_inline(&self, shape: &Shape) -> Option<String> {
        let text = self.inline(shape)?;
        Some(if needs_parentheses(shape) { format!("({text})") } else { text })
    }

    fn operand(&self, shape: &Shape, indent: usize) -> String {
        let text = self.write(shape, indent, indent);
        if !needs_parentheses(shape) {
            text
        } else if text.starts_with('\n') {
            format!("({text}\n{})", " ".repeat(indent))
        } else {
            format!("({text})")
        }
    }

    /// Each of a union on a line of its own.
    fn alternatives(&self, shapes: &[Shape], indent: usize) -> String {
        let margin = " ".repeat(indent);
        shapes.iter().map(|shape| format!("\n{margin}| {}", self.write(shape, indent + 2, indent + 2))).collect()
    }

    fn block(&self, object: &Object, indent: usize) -> String {
        if object.properties.is_empty() && object.others.is_none() {
            return "{}".to_owned();
        }
        let margin = " ".repeat(indent + 2);
        let mut text = "{\n".to_owned();
        for property in &object.properties {
            let head = head(property);
            let shape = self.write(&property.shape, indent + 2, indent + head.len() + 5);
            let space = if shape.starts_with('\n') { "" } else { " " };
            text += &format!("{}{margin}{head}:{space}{shape};\n", comment(&property.doc, indent + 2));
        }
        if let Some(others) = index(object) {
            text += &format!("{margin}[key: string]: {};\n", self.write(&others, indent + 2, indent + 18));
        }
        text + &" ".repeat(indent) + "}"
    }
}

fn needs_parentheses(shape: &Shape) -> bool {
    matches!(shape, Shape::AnyOf(_) | Shape::AllOf(_))
}

/// The index signature, with which all named properties must agree.
fn index(object: &Object) -> Option<Shape> {
    let others = object.others.as_deref()?;
    let named = object.properties.iter().map(|property| property.shape.clone());
    let all = Shape::any_of(std::iter::once(others.clone()).chain(named));
    let optional = object.properties.iter().any(|property| property.optional) && all != Shape::Unknown;
    Some(if optional { Shape::any_of([all, Shape::Literal("undefined".to_owned())]) } else { all })
}

fn head(property: &Property) -> String {
    format!("{}{}", key(&property.name), if property.optional { "?" } else { "" })
}

/// The key of a property.
pub(super) fn key(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { text(name) }
}

fn is_identifier(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    name.starts_with(|c: char| !c.is_ascii_digit()) && name.chars().all(is_part)
}

/// A string literal.
pub(super) fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A comment for editors, or nothing.
pub(super) fn comment(doc: &Doc, indent: usize) -> String {
    let mut lines: Vec<String> = doc.text.iter().flat_map(|text| text.lines()).map(clean).collect();
    lines.extend(doc.format.iter().map(|format| format!("@format {}", clean(format))));
    lines.extend(doc.default.iter().map(|default| format!("@default {}", clean(default))));
    if doc.deprecated {
        lines.push("@deprecated".to_owned());
    }
    let margin = " ".repeat(indent);
    match &lines[..] {
        [] => String::new(),
        [line] => format!("{margin}/** {line} */\n"),
        lines => {
            let lines = lines.iter().map(|line| format!("{margin} * {line}").trim_end().to_owned() + "\n");
            format!("{margin}/**\n{}{margin} */\n", lines.collect::<String>())
        }
    }
}

/// Text that does not end the comment.
fn clean(line: &str) -> String {
    line.trim().replace("*/", "*\\/")
}
