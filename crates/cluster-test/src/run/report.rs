//! What a run has shown, as text.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use devkit::Time;

use super::BrokerName;
use crate::judge::{Figures, Finding, Rule, Times, Verdict};

/// How many findings of a rule are printed.
const PRINTED: usize = 5;

/// What a run has shown.
#[derive(Debug)]
pub struct Report {
    /// The broker.
    pub broker: BrokerName,
    /// The faults.
    pub faults: String,
    /// What was found and measured.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
    /// The folder with the history, the findings and the nodes' logs, if something was found.
    pub kept: Option<PathBuf>,
}

/// The result in a few lines.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict: Verdict { findings, figures }, took, kept, .. } = self;
        let Figures { sent, accepted, refused, unknown, delivered, lost, gaps, .. } = figures;
        writeln!(f, "    {sent} published: {accepted} accepted, {refused} refused, {unknown} unknown")?;
        writeln!(f, "    {delivered} delivered, {lost} lost, {gaps} gaps told; {}", Time(*took))?;
        let mut by_rule: BTreeMap<Rule, Vec<&Finding>> = BTreeMap::new();
        findings.iter().for_each(|finding| by_rule.entry(finding.rule).or_default().push(finding));
        for findings in by_rule.values() {
            findings.iter().take(PRINTED).try_for_each(|finding| writeln!(f, "    FOUND {finding}"))?;
            if let Some(more @ 1..) = findings.len().checked_sub(PRINTED) {
                writeln!(f, "    and {more} more of {:?}", findings[0].rule)?;
            }
        }
        if let Some(folder) = kept {
            writeln!(f, "    history, findings and logs: {}", folder.display())?;
        }
        Ok(())
    }
}

/// Returns the table of all runs, and what they have measured together.
#[must_use]
pub fn summary(reports: Vec<Report>) -> String {
    let mut text = format!(
        "{:<9} {:<16} {:>8} {:>8} {:>7} {:>7} {:>9} {:>7} {:>6}  {:<10} {:<10} {}\n",
        "broker",
        "fault",
        "accepted",
        "refused",
        "unknown",
        "lost",
        "delivered",
        "gaps",
        "time",
        "resumed",
        "offline",
        "found",
    );
    let mut all = Figures::default();
    for Report { broker, faults, verdict: Verdict { findings, figures }, took, .. } in reports {
        let Figures { accepted, refused, unknown, lost, delivered, gaps, .. } = &figures;
        let name = if faults.contains('+') { "short" } else { &faults };
        let [resumed, offline] = [&figures.resumed_after, &figures.offline_after].map(longest);
        let found = findings.len();
        text += &format!(
            "{broker:<9} {name:<16} {accepted:>8} {refused:>8} {unknown:>7} {lost:>7} {delivered:>9} {gaps:>7} {:>5.0}s  {resumed:<10} {offline:<10} {found}\n",
            took.as_secs_f64(),
        );
        all.extend(figures);
    }
    text += "\nresumed: the longest time after a fault until a node accepted a publish again; offline: the longest time after the\n\
             end of a user's last connection until another node said so\n\nmedian / 99 % / longest (how many), where links were not disturbed:\n";
    let rows = [
        ("accepted publishes", &all.answered_after),
        ("losses on live links told after", &all.told_after),
        ("message to a user of another node", &all.send),
        ("subscription ended at another node", &all.revoke),
        ("connection of another node closed", &all.kick),
        ("user offline elsewhere", &all.offline_after),
    ];
    rows.iter().for_each(|(name, times)| text += &format!("  {name:<36} {times}\n"));
    text
}

fn longest(times: &Times) -> String {
    if times.is_empty() { "–".to_owned() } else { format!("{:.2} s", times.share(1.0).as_secs_f64()) }
}
