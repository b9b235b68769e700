//! The machine of a measurement.

use std::{collections::BTreeMap, fs};

use devkit::CommandLine;

/// The facts about a machine for a report. Unknown ones are omitted.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    facts: Vec<(&'static str, String)>,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease");
        let said = |command: CommandLine| command.output().unwrap_or_default();
        Self::new(
            &read("/proc/cpuinfo"),
            &read("/proc/meminfo"),
            kernel.trim(),
            said(CommandLine::new("rustc").arg("--version")).trim(),
            said(CommandLine::new("git").args(["describe", "--always", "--dirty"])).trim(),
            said(CommandLine::new("date").args(["-u", "+%Y-%m-%d"])).trim(),
        )
    }

    fn new(cpuinfo: &str, meminfo: &str, kernel: &str, rustc: &str, commit: &str, date: &str) -> Self {
        let facts = [
            ("date", date.to_owned()),
            ("commit", commit.to_owned()),
            ("processor", processor(cpuinfo)),
            ("memory", memory(meminfo)),
            ("kernel", if kernel.is_empty() { String::new() } else { format!("Linux {kernel}") }),
            ("compiler", rustc.to_owned()),
        ];
        Self { facts: facts.into_iter().filter(|(_, fact)| !fact.is_empty()).collect() }
    }

    /// The rows of a table.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.facts.iter().map(|(name, fact)| vec![(*name).to_owned(), fact.clone()])
    }
}

/// Returns each model with its count.
fn processor(cpuinfo: &str) -> String {
    let mut models = BTreeMap::<&str, usize>::new();
    let names = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(':'));
    for (_, model) in names {
        *models.entry(model.trim()).or_default() += 1;
    }
    let models: Vec<_> = models.iter().map(|(model, count)| format!("{count} × {model}")).collect();
    let hypervisor = cpuinfo.lines().any(|line| {
        line.strip_prefix("flags").is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
    });
    format!("{}{}", models.join(", "), if hypervisor { ", virtual" } else { "" })
}

fn memory(meminfo: &str) -> String {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    #[expect(clippy::cast_precision_loss, reason = "rounded anyway")]
    kilobytes.map_or_else(String::new, |kb| format!("{:.1} GiB", kb as f64 / 1024.0 / 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu hypervisor\n\n\
            processor\t: 1\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu hypervisor\n";
        let machine = Machine::new(cpuinfo, "MemTotal:       25165824 kB\n", "6.1", "rustc 1.95.0", "", "2026-11-21");
        let rows: Vec<_> = machine.rows().map(|row| row.join(": ")).collect();
        assert_eq!(
            rows,
            [
                "date: 2026-11-21",
                "processor: 2 × A CPU @ 2 GHz, virtual",
                "memory: 24.0 GiB",
                "kernel: Linux 6.1",
                "compiler: rustc 1.95.0"
            ]
        );
    }

    #[test]
    fn a_machine_without_information_has_no_facts() {
        assert_eq!(Machine::new("", "", "", "", "", "").rows().count(), 0);
    }
}
