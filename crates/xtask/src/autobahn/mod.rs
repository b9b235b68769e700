//! `cargo xtask autobahn`: the cases of the Autobahn test suite against `echo-server`, on each transport.
//!
//! The runner is `kosoku`, which drives the suite's own cases; the suite itself needs Python 2.

mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use devkit::{CommandLine, Process, Time, programs, workspace};

use self::report::Report;

/// The chapters that are run, and their topics. Without 12 and 13, which are about compression.
const CHAPTERS: [(u32, &str); 9] = [
    (1, "framing"),
    (2, "pings and pongs"),
    (3, "reserved bits"),
    (4, "opcodes"),
    (5, "fragmentation"),
    (6, "UTF-8"),
    (7, "closing"),
    (9, "limits and performance"),
    (10, "large writes"),
];

/// The number of cases in these chapters.
const CASES: usize = 301;

/// The names of the transports, and the `SWITCHBOARD_TRANSPORT` for each.
const TRANSPORTS: [(&str, Option<&str>); 2] = [("native", None), ("axum", Some("axum"))];

/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// How long a chapter may take. The slowest takes six seconds, but kosoku waits forever for a
/// server that does not answer.
const CHAPTER: Duration = Duration::from_secs(180);

pub(crate) fn run() -> Result<()> {
    let target = workspace::target()?;
    let runner = target.join("python/bin/kosoku");
    if !runner.is_file() {
        bail!("{} is missing; run: cargo xtask setup", runner.display());
    }
    let [server] = programs::build_as_for_tests("interop", ["echo-server"])?;
    let mut bad = Vec::new();
    for (transport, setting) in TRANSPORTS {
        println!("\n    the transport `{transport}`:");
        let started = Instant::now();
        let suite = Suite { runner: &runner, server: &server, folder: target.join("autobahn").join(transport) };
        let report = suite.run(setting).with_context(|| format!("the transport `{transport}`"))?;
        println!("    all {report}, {} on the transport `{transport}`", Time(started.elapsed()));
        bad.extend(report.bad(CASES).into_iter().map(|fault| format!("{transport}: {fault}")));
    }
    if !bad.is_empty() {
        bail!(
            "cases failed:\n    {}\n    the reports are in {}",
            bad.join("\n    "),
            target.join("autobahn").display()
        );
    }
    Ok(())
}

/// One run of the suite.
struct Suite<'a> {
    runner: &'a Path,
    server: &'a Path,
    /// The reports of this run, with a folder per chapter.
    folder: PathBuf,
}

impl Suite<'_> {
    fn run(&self, transport: Option<&str>) -> Result<Report> {
        // A report of an earlier run must not count.
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))?;
        }
        let (_server, address) = self.start_server(transport)?;
        let mut report = Report::default();
        for (chapter, about) in CHAPTERS {
            let started = Instant::now();
            let part = self.chapter(chapter, &address).with_context(|| format!("chapter {chapter}"))?;
            println!("    {chapter:>3}  {about:<24} {part}, {}", Time(started.elapsed()));
            report.add(part)?;
        }
        Ok(report)
    }

    /// Starts the server; returns it with the address it listens on.
    fn start_server(&self, transport: Option<&str>) -> Result<(Process, String)> {
        let mut command = CommandLine::new(&self.server.to_string_lossy()).env("PORT", "0").process();
        command.env_remove("SWITCHBOARD_TRANSPORT").envs(transport.map(|name| ("SWITCHBOARD_TRANSPORT", name)));
        let server = Process::start(command)?;
        let line = server.line(Instant::now() + START)?.context("echo-server ended at once")?;
        let address = line.strip_prefix("listening on ").with_context(|| format!("echo-server says: {line}"))?;
        Ok((server, address.to_owned()))
    }

    fn chapter(&self, chapter: u32, address: &str) -> Result<Report> {
        let folder = self.folder.join(chapter.to_string());
        let command = CommandLine::new(&self.runner.to_string_lossy())
            .args(["--include", &format!("{chapter}.*"), "--outdir", &folder.to_string_lossy()])
            .arg(format!("ws://{address}"));
        let runner = Process::start(command.process())?;
        let deadline = Instant::now() + CHAPTER;
        // The report has everything that it prints to stdout.
        while runner.line(deadline)?.is_some() {}
        // It also fails if a case does, but then there is a report.
        let index = folder.join("index.json");
        let text = fs::read_to_string(&index).with_context(|| format!("kosoku wrote no {}", index.display()))?;
        Report::parse(&text).with_context(|| format!("in {}", index.display()))
    }
}
