//! The sections of the page: a table each, and a chart where it helps.

use crate::{
    chart::{Chart, Group},
    micro::{Amount, Found},
    results::Results,
    scenario::{ALONE, Kind, SCENARIOS, Scenario},
    table::{Table, mib, number, time},
};

/// A section.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) table: Table,
    /// The file name and the chart.
    pub(crate) chart: Option<(&'static str, Chart)>,
}

/// Returns the sections with measurements, in the order of the page.
pub(crate) fn all(results: &Results, micro: &[Found]) -> Vec<Section> {
    let sections = [
        Section { heading: "Processor time", table: cost(results), chart: Some(("cost", cost_chart(results))) },
        Section {
            heading: "Memory of idle connections",
            table: idle(results),
            chart: Some(("idle", idle_chart(results))),
        },
        Section {
            heading: "Memory after large messages",
            table: memory(results),
            chart: Some(("memory", memory_chart(results))),
        },
        Section { heading: "Members that do not read", table: slow(results), chart: None },
        Section { heading: "Several nodes", table: nodes(results), chart: Some(("nodes", nodes_chart(results))) },
        Section { heading: "Single functions", table: functions(micro), chart: None },
    ];
    sections.into_iter().filter(|section| !section.table.is_empty()).collect()
}

/// Returns the measured scenarios of a kind.
fn measured(results: &Results, kind: Kind) -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(move |scenario| scenario.kind == kind && results.has(scenario.name))
}

/// Calls a function for each measured scenario and server.
fn each(results: &Results, kind: Kind, mut call: impl FnMut(&Scenario, &'static str)) {
    measured(results, kind).for_each(|scenario| kind.servers().iter().for_each(|server| call(scenario, server.name)));
}

fn cost(results: &Results) -> Table {
    let mut table = Table::new(
        [
            "scenario",
            "server",
            "µs/message",
            "ratio",
            "least–greatest",
            "messages/s",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "CPU % server/load",
            "rounds",
        ],
        2,
    );
    each(results, Kind::Cost, |scenario, server| {
        let value = |key| results.median(scenario.name, server, key);
        let ratio = results.ratio(scenario.name, server, Kind::Cost.base(), "server_us");
        let spread = ratio
            .filter(|_| server != Kind::Cost.base())
            .map(|(_, least, greatest)| format!("{least:.2}–{greatest:.2}"));
        let cpu = |key| number(value(key).map(|part| part * 100.0), 0);
        table.row(vec![
            scenario.about.into(),
            server.into(),
            number(value("server_us"), 2),
            number(ratio.map(|(median, ..)| median), 2),
            spread.unwrap_or_default(),
            number(value("messages_per_second"), 0),
            number(value("p50_us"), 0),
            number(value("p99_us"), 0),
            number(value("p999_us"), 0),
            format!("{}/{}", cpu("server_cpu"), cpu("load_cpu")),
            results.rounds(scenario.name, server, "server_us").to_string(),
        ]);
    });
    table
}

fn idle(results: &Results) -> Table {
    let mut table = Table::new(
        ["scenario", "server", "bytes/connection", "ratio", "µs/connect", "MiB before", "MiB held", "MiB after"],
        2,
    );
    each(results, Kind::Idle, |scenario, server| {
        let value = |key| results.median(scenario.name, server, key);
        let ratio = results.ratio(scenario.name, server, Kind::Idle.base(), "bytes_per_connection");
        table.row(vec![
            format!("{} {}", number(value("connections"), 0), scenario.about),
            server.into(),
            number(value("bytes_per_connection"), 0),
            number(ratio.map(|(median, ..)| median), 2),
            number(value("server_us_per_connect"), 0),
            mib(value("memory_before")),
            mib(value("memory_held")),
            mib(value("memory_after")),
        ]);
    });
    table
}

fn memory(results: &Results) -> Table {
    let mut table =
        Table::new(["scenario", "server", "MiB idle", "MiB at most", "MiB at the end", "seconds until idle + 10 %"], 2);
    each(results, Kind::Memory, |scenario, server| {
        let value = |key| results.median(scenario.name, server, key);
        let back = results.rounds(scenario.name, server, "seconds_until_back");
        let all = results.rounds(scenario.name, server, "memory_end");
        let seconds = number(value("seconds_until_back"), 1);
        table.row(vec![
            format!("{} {}", number(value("connections"), 0), scenario.about),
            server.into(),
            mib(value("memory_idle")),
            mib(value("memory_peak")),
            mib(value("memory_end")),
            match back {
                0 => "not while it was watched".to_owned(),
                back if back < all => format!("{seconds} ({back} of {all} rounds)"),
                _ => seconds,
            },
        ]);
    });
    table
}

fn slow(results: &Results) -> Table {
    let mut table = Table::new(
        ["scenario", "server", "evicted", "MiB more at most", "lost by the others", "p50 µs", "p99 µs", "µs/message"],
        2,
    );
    each(results, Kind::Slow, |scenario, server| {
        let value = |key| results.median(scenario.name, server, key);
        table.row(vec![
            scenario.about.into(),
            server.into(),
            format!("{} of {}", number(value("evicted"), 0), number(value("slow"), 0)),
            mib(value("memory_peak_growth")),
            number(Some(results.sum(scenario.name, server, "lost")), 0),
            number(value("p50_us"), 0),
            number(value("p99_us"), 0),
            number(value("server_us"), 2),
        ]);
    });
    table
}

fn nodes(results: &Results) -> Table {
    let mut table = Table::new(
        [
            "scenario",
            "servers",
            "µs/delivery, all nodes",
            "ratio",
            "least–greatest",
            "of nodes alone",
            "broker µs/publish",
            "deliveries/s",
            "p50 µs",
            "p99 µs",
            "rounds",
        ],
        2,
    );
    let base = Kind::Nodes.base();
    each(results, Kind::Nodes, |scenario, server| {
        let value = |key| results.median(scenario.name, server, key);
        let ratio = results.ratio(scenario.name, server, base, "server_us");
        let spread = ratio.filter(|_| server != base).map(|(_, least, greatest)| format!("{least:.2}–{greatest:.2}"));
        let is_alike = Kind::Nodes.servers().iter().any(|other| other.name == server && other.nodes == ALONE.nodes);
        let alone = results.ratio(scenario.name, server, ALONE.name, "server_us").filter(|_| is_alike);
        table.row(vec![
            scenario.about.into(),
            server.into(),
            number(value("server_us"), 2),
            number(ratio.map(|(median, ..)| median), 2),
            spread.unwrap_or_default(),
            number(alone.map(|(median, ..)| median), 2),
            number(value("bus_us_per_publish"), 0),
            number(value("messages_per_second"), 0),
            number(value("p50_us"), 0),
            number(value("p99_us"), 0),
            results.rounds(scenario.name, server, "server_us").to_string(),
        ]);
    });
    table
}

fn functions(micro: &[Found]) -> Table {
    let mut table = Table::new(["group", "what", "time", "throughput"], 2);
    for found in micro {
        let throughput = match found.amount {
            Some(Amount::Bytes(bytes)) => format!("{:.2} GB/s", bytes / found.nanos),
            Some(Amount::Elements(count)) => format!("{}/s", number(Some(count * 1e9 / found.nanos), 0)),
            None => String::new(),
        };
        table.row(vec![found.group.clone(), found.name.clone(), time(found.nanos), throughput]);
    }
    table
}

fn cost_chart(results: &Results) -> Chart {
    let ratio = |scenario: &str, server: &str| {
        let ratio = results.ratio(scenario, server, Kind::Cost.base(), "server_us").map(|(median, ..)| median);
        ratio.filter(|_| server != Kind::Cost.base())
    };
    Chart {
        title: "Processor time per message".into(),
        unit: "ratio to the server written by hand; less is better".into(),
        decimals: 2,
        mark: Some(1.0),
        ..chart(results, Kind::Cost, &ratio)
    }
}

fn idle_chart(results: &Results) -> Chart {
    let bytes = |scenario: &str, server: &str| results.median(scenario, server, "bytes_per_connection");
    Chart {
        title: "Memory per idle connection".into(),
        unit: "bytes; less is better".into(),
        ..chart(results, Kind::Idle, &bytes)
    }
}

fn memory_chart(results: &Results) -> Chart {
    let bytes = |scenario: &str, server: &str| results.median(scenario, server, "memory_end");
    Chart {
        title: "Memory after large messages".into(),
        unit: "MiB; less is better".into(),
        decimals: 1,
        ..chart(results, Kind::Memory, &|scenario, server| Some(bytes(scenario, server)? / 1024.0 / 1024.0))
    }
}

fn nodes_chart(results: &Results) -> Chart {
    let cost = |scenario: &str, server: &str| results.median(scenario, server, "server_us");
    Chart {
        title: "Processor time per delivery, of all nodes".into(),
        unit: "µs; less is better".into(),
        decimals: 2,
        ..chart(results, Kind::Nodes, &cost)
    }
}

/// Returns the groups and series of a chart.
fn chart(results: &Results, kind: Kind, value: &dyn Fn(&str, &str) -> Option<f64>) -> Chart {
    let groups = measured(results, kind).map(|scenario| Group {
        label: scenario.about.to_owned(),
        values: kind.servers().iter().map(|server| value(scenario.name, server.name)).collect(),
    });
    let groups: Vec<Group> = groups.collect();
    let has_bars = |place: &usize| groups.iter().any(|group| group.values[*place].is_some());
    let servers = kind.servers();
    let series = (0..servers.len()).filter(has_bars).map(|place| servers[place].name.to_owned()).collect();
    Chart { title: String::new(), unit: String::new(), decimals: 0, series, groups, mark: None }
}
