//! From `validator`'s errors to issues in wire names and our own words.

mod wire_names;
mod words;

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use self::wire_names::{Step, wire_name};
use crate::{Issue, Issues};

/// Runs `validator`'s rules over a value.
///
/// `renamed` lists fields of the outermost struct whose wire name is not derived from the Rust
/// name: `(rust, wire)`. Other names, nested ones too, are found through the type's `Deserialize`.
///
/// # Errors
///
/// All broken rules.
#[doc(hidden)]
pub fn validate<T: Validate + DeserializeOwned>(
    value: &T,
    renamed: &'static [(&'static str, &'static str)],
) -> Result<(), Issues> {
    let Err(errors) = Validate::validate(value) else { return Ok(()) };
    let mut walk = Walk { renamed, steps: Vec::new(), issues: Vec::new(), name: wire_name::<T> };
    walk.errors(&errors);
    match Issues::from_vec(walk.issues) {
        Some(issues) => Err(issues),
        // An error without an entry still is one.
        None => Err(Issues::single("", "custom", "is not valid")),
    }
}

struct Walk {
    renamed: &'static [(&'static str, &'static str)],
    steps: Vec<Step>,
    issues: Vec<Issue>,
    name: fn(&[Step], &str) -> Cow<'static, str>,
}

impl Walk {
    fn errors(&mut self, errors: &ValidationErrors) {
        for (field, kind) in errors.errors() {
            // Rules of the whole struct stand under this name.
            let named = field != "__all__";
            if named {
                let name = self.wire_name(field);
                self.steps.push(Step::Field(name));
            }
            match kind {
                ValidationErrorsKind::Field(errors) => {
                    let path = path(&self.steps);
                    self.issues.extend(
                        errors.iter().map(|error| Issue::new(path.clone(), error.code.clone(), words::message(error))),
                    );
                }
                ValidationErrorsKind::Struct(errors) => self.errors(errors),
                ValidationErrorsKind::List(items) => {
                    for (index, errors) in items {
                        self.steps.push(Step::Item(*index));
                        self.errors(errors);
                        self.steps.pop();
                    }
                }
            }
            if named {
                self.steps.pop();
            }
        }
    }

    fn wire_name(&self, field: &str) -> Cow<'static, str> {
        let field = field.strip_prefix("r#").unwrap_or(field);
        let renamed = self.renamed.iter().find(|(rust, _)| self.steps.is_empty() && *rust == field);
        match renamed {
            Some((_, wire)) => Cow::Borrowed(wire),
            None => (self.name)(&self.steps, field),
        }
    }
}

fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Item(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

#[cfg(test)]
mod tests;
