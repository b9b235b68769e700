//! The command line.

use lexopt::prelude::*;

use crate::error::CliError;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Version,
    Generate(Task),
    Check(Task),
    Diff { old: String, new: String },
}

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    TypeScript,
    JavaScript,
    Validators,
    AsyncApi,
    JsonSchema,
}

/// One file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) target: Target,
    /// At least one.
    pub(crate) from: Vec<String>,
    pub(crate) out: String,
    pub(crate) name: Option<String>,
    pub(crate) module: Option<String>,
    /// Writes the client beside the file.
    pub(crate) standalone: bool,
    pub(crate) title: Option<String>,
    pub(crate) version: String,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, CliError> {
    let Some(first) = parser.next()? else { return Ok(Command::Help) };
    match first {
        Short('h') | Long("help") => Ok(Command::Help),
        Short('V') | Long("version") => Ok(Command::Version),
        Value(command) => match command.string()?.as_str() {
            "gen" => task(&mut parser, "gen").map(|task| task.map_or(Command::Help, Command::Generate)),
            "check" => task(&mut parser, "check").map(|task| task.map_or(Command::Help, Command::Check)),
            "diff" => diff(&mut parser),
            "help" => Ok(Command::Help),
            other => Err(CliError::usage(format!("there is no command `{other}`: write `gen`, `check` or `diff`"))),
        },
        other => Err(other.unexpected().into()),
    }
}

/// `None` if help is asked for.
fn task(parser: &mut lexopt::Parser, command: &str) -> Result<Option<Task>, CliError> {
    let (mut target, mut out, mut name, mut module, mut title) = (None, None, None, None, None);
    let mut version = "1.0.0".to_owned();
    let mut standalone = false;
    let mut from = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("from") => from.push(parser.value()?.string()?),
            Short('o') | Long("out") => out = Some(parser.value()?.string()?),
            Long("name") => name = Some(parser.value()?.string()?),
            Long("module") => module = Some(parser.value()?.string()?),
            Long("standalone") => standalone = true,
            Long("title") => title = Some(parser.value()?.string()?),
            Long("api-version") => version = parser.value()?.string()?,
            Value(value) if target.is_none() => target = Some(kind(&value.string()?)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let target = target.ok_or_else(|| CliError::usage(format!("what to {command}? Write {KINDS}")))?;
    if from.is_empty() {
        return Err(CliError::usage("`--from` is missing: the contract, as a file or an http:// address"));
    }
    if from.len() > 1 && target == Target::JsonSchema {
        return Err(CliError::usage("a JSON Schema describes one route: give one `--from`"));
    }
    if from.len() > 1 && name.is_some() {
        return Err(CliError::usage("`--name` is for one route: write `--from NAME=SOURCE` for each"));
    }
    let out = out.ok_or_else(|| CliError::usage("`--out` is missing: the file, or `-` for the standard output"))?;
    let is_client = matches!(target, Target::TypeScript | Target::JavaScript);
    if standalone && !is_client {
        return Err(CliError::usage("`--standalone` is for `typescript` and `javascript`: the others need no client"));
    }
    if standalone && module.is_some() {
        return Err(CliError::usage("`--standalone` and `--module` both say where the client is: give one of them"));
    }
    if out == "-" && (standalone || target == Target::JavaScript) {
        return Err(CliError::usage("there are several files, and the standard output is one: give `--out` a path"));
    }
    Ok(Some(Task { target, from, out, name, module, standalone, title, version }))
}

const KINDS: &str = "`typescript`, `javascript`, `validators`, `asyncapi` or `json-schema`";

fn kind(name: &str) -> Result<Target, CliError> {
    Ok(match name {
        "typescript" | "ts" => Target::TypeScript,
        "javascript" | "js" => Target::JavaScript,
        "validators" => Target::Validators,
        "asyncapi" => Target::AsyncApi,
        "json-schema" => Target::JsonSchema,
        other => return Err(CliError::usage(format!("`{other}` cannot be generated: write {KINDS}"))),
    })
}

fn diff(parser: &mut lexopt::Parser) -> Result<Command, CliError> {
    let mut sources = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(value) if sources.len() < 2 => sources.push(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match <[String; 2]>::try_from(sources) {
        Ok([old, new]) => Ok(Command::Diff { old, new }),
        Err(_) => Err(CliError::usage("`diff` compares two contracts: `switchboard diff OLD NEW`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(lexopt::Parser::from_iter(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_are_parsed() {
        let Ok(Command::Generate(task)) = parsed("switchboard gen typescript --from a.json --out=b.ts --name chat")
        else {
            panic!("it generates");
        };
        assert_eq!((task.target, &*task.from[0], &*task.out), (Target::TypeScript, "a.json", "b.ts"));
        assert_eq!(task.name.as_deref(), Some("chat"));
        assert_eq!(parsed("switchboard diff a b"), Ok(Command::Diff { old: "a".into(), new: "b".into() }));
        assert_eq!(parsed("switchboard"), Ok(Command::Help));
        assert_eq!(parsed("switchboard gen --help"), Ok(Command::Help));
        assert_eq!(parsed("switchboard -V"), Ok(Command::Version));
    }

    #[test]
    fn mistakes_name_the_way_out() {
        for (line, part) in [
            ("switchboard make", "write `gen`, `check` or `diff`"),
            ("switchboard gen", "what to gen?"),
            ("switchboard gen python --from a --out b", "`typescript`, `javascript`"),
            ("switchboard gen asyncapi --from a --out b --standalone", "the others need no client"),
            ("switchboard gen ts --from a --out b --standalone --module c", "give one of them"),
            ("switchboard gen ts --from a --out - --standalone", "give `--out` a path"),
            ("switchboard gen js --from a --out -", "give `--out` a path"),
            ("switchboard gen asyncapi --out b", "`--from` is missing"),
            ("switchboard check asyncapi --from a", "`--out` is missing"),
            ("switchboard gen json-schema --from a --from b --out c", "give one `--from`"),
            ("switchboard gen ts --from a --from b --out c --name d", "`--from NAME=SOURCE`"),
            ("switchboard diff a", "`switchboard diff OLD NEW`"),
            ("switchboard gen ts --form a", "--form"),
        ] {
            let error = parsed(line).expect_err(line);
            assert!(error.contains(part) && error.contains("--help"), "{line}: {error}");
        }
    }
}
