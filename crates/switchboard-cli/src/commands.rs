//! What the commands do.

use std::io::Write;

use switchboard_codegen::{AsyncApi, Generated, TypeScript, Verdict, diff as changes, json_schema, route_name};
use switchboard_core::Contract;

use crate::{
    arguments::{Target, Task},
    error::CliError,
    source,
};

/// `switchboard gen`
pub(crate) fn generate(task: &Task, out: &mut impl Write) -> Result<(), CliError> {
    let file = file(task)?;
    if task.out == "-" {
        return write!(out, "{file}").map_err(CliError::output);
    }
    let fail = |error| CliError::because(format!("cannot write `{}`", task.out), &error);
    file.write(&task.out).map_err(fail)
}

/// `switchboard check`. Returns whether the file is up to date.
pub(crate) fn check(task: &Task, out: &mut impl Write) -> Result<bool, CliError> {
    match file(task)?.check(&task.out) {
        Ok(()) => Ok(true),
        Err(error) if error.is_stale() => {
            writeln!(out, "{error}\n(or run `switchboard gen` with the same options)").map_err(CliError::output)?;
            Ok(false)
        }
        Err(error) => Err(CliError::because("cannot check", &error)),
    }
}

/// `switchboard diff`. Returns whether old clients break.
pub(crate) fn diff(old: &str, new: &str, out: &mut impl Write) -> Result<bool, CliError> {
    let changes = changes(&source::read(old)?, &source::read(new)?);
    for change in &changes {
        writeln!(out, "{change}").map_err(CliError::output)?;
    }
    let breaking = changes.iter().filter(|change| change.verdict() == Verdict::Breaks).count();
    writeln!(out, "{} changes, {breaking} of them break old clients", changes.len()).map_err(CliError::output)?;
    Ok(breaking > 0)
}

fn file(task: &Task) -> Result<Generated, CliError> {
    let routes = routes(task)?;
    let each = || routes.iter().map(|(name, contract)| (name.as_str(), contract));
    let failed = |error| CliError::because("nothing was generated", &error);
    match task.target {
        Target::TypeScript | Target::JavaScript | Target::Validators => {
            let mut generator = each().fold(TypeScript::new(), |all, (name, contract)| all.route(name, contract));
            if task.target == Target::Validators {
                let beside = format!("./{}.js", routes[0].0);
                if task.out.ends_with(".js") || task.out.ends_with(".mjs") {
                    generator = generator.javascript();
                }
                return generator.validators(task.module.as_deref().unwrap_or(&beside)).map_err(failed);
            }
            if let Some(module) = &task.module {
                generator = generator.module(module);
            }
            if task.standalone {
                generator = generator.standalone();
            }
            if task.target == Target::JavaScript {
                generator = generator.javascript();
            }
            generator.generate().map_err(failed)
        }
        Target::AsyncApi => {
            let title = task.title.as_deref().unwrap_or(&routes[0].0);
            let generator = AsyncApi::new(title, &task.version);
            Ok(each().fold(generator, |all, (name, contract)| all.route(name, contract)).generate())
        }
        Target::JsonSchema => Ok(json_schema(&routes[0].1)),
    }
}

/// The contracts with the names of their routes; at least one.
fn routes(task: &Task) -> Result<Vec<(String, Contract)>, CliError> {
    let route = |from: &String| {
        // `=` may stand in an address, too.
        let named = from.split_once('=').filter(|(name, _)| !name.contains(['/', ':', '.', '?']));
        let (name, source) = named.map_or((task.name.as_deref(), from.as_str()), |(name, source)| (Some(name), source));
        let contract = source::read(source)?;
        Ok((name.unwrap_or_else(|| route_name(&contract.path)).to_owned(), contract))
    };
    task.from.iter().map(route).collect()
}
