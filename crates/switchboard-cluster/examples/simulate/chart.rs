//! A chart of the traffic, with both axes logarithmic.

use svg::{
    Document,
    node::element::{Circle, Line, Polyline, Rectangle, Text, Title},
};
use switchboard_cluster::simulate::traffic::Traffic;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 108.0;
const BOTTOM: f64 = 350.0;

const INK: &str = "#30302c";
const FAINT_INK: &str = "#5c5c55";
const GRID: &str = "#dcdad0";
const PAPER: &str = "#f4f3ee";

/// A figure of the traffic.
type Value = fn(&Traffic) -> f64;

/// What is drawn, with a colour for each that is dark enough for a white page.
const SERIES: [(&str, &str, Value); 4] = [
    ("heartbeats received, per second and node", "#2563a8", |traffic| traffic.idle_received),
    ("kilobytes of them", "#7fb0dc", |traffic| traffic.idle_bytes / 1000.0),
    ("messages for one node more, in all", "#c98f4a", |traffic| traffic.start_messages as f64),
    ("subscriptions after the broker is back empty, of all nodes", "#7a4a9a", |traffic| traffic.resubscriptions as f64),
];

/// Draws the traffic of several numbers of nodes, in ascending order.
pub(crate) fn svg(traffic: &[Traffic]) -> String {
    let values = || SERIES.iter().flat_map(|(_, _, value)| traffic.iter().map(value));
    let across = Axis::around(traffic.iter().map(|traffic| traffic.nodes as f64), LEFT, RIGHT - 60.0);
    let up = Axis::around(values(), BOTTOM, TOP);
    let mut svg = page();
    for power in up.powers() {
        let y = up.at(power);
        svg = svg.add(line((LEFT, y), (RIGHT, y))).add(text(LEFT - 8.0, y, "end", &power.to_string(), FAINT_INK));
    }
    for nodes in traffic.iter().map(|traffic| traffic.nodes as f64) {
        let x = across.at(nodes);
        svg = svg.add(line((x, TOP), (x, BOTTOM))).add(text(x, BOTTOM + 18.0, "middle", &nodes.to_string(), FAINT_INK));
    }
    svg = svg.add(text(f64::midpoint(LEFT, RIGHT), BOTTOM + 38.0, "middle", "nodes", INK));
    for (place, (name, color, value)) in SERIES.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            traffic.iter().map(|traffic| (across.at(traffic.nodes as f64), up.at(value(traffic)))).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = Polyline::new().set("points", path.join(" ")).set("fill", "none").set("stroke", *color);
        svg = svg.add(path.set("stroke-width", 2));
        for (x, y) in points {
            let dot = Circle::new().set("cx", format!("{x:.1}")).set("cy", format!("{y:.1}"));
            svg = svg.add(dot.set("r", 4).set("fill", *color));
        }
        let (x, y) = (if place % 2 == 0 { 16.0 } else { 330.0 }, if place < 2 { 52.0 } else { 76.0 });
        svg = svg.add(rectangle(x, y - 6.0, 12.0, 12.0, color)).add(text(x + 18.0, y, "start", name, INK));
    }
    format!("{svg}\n")
}

/// Draws the background and the title.
fn page() -> Document {
    let title = "Messages between nodes";
    Document::new()
        .set("viewBox", (0, 0, WIDTH, HEIGHT))
        .set("width", WIDTH)
        .set("height", HEIGHT)
        .set("role", "img")
        .set("font-family", "system-ui, sans-serif")
        .set("font-size", 12)
        .add(Title::new(title))
        .add(rectangle(0.0, 0.0, WIDTH, HEIGHT, PAPER).set("rx", 6))
        .add(text(16.0, 22.0, "start", title, INK).set("font-size", 15).set("font-weight", 600))
}

/// A logarithmic axis, from one power of ten to another.
struct Axis {
    least: i32,
    greatest: i32,
    start: f64,
    end: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (least, greatest) = values
            .filter(|value| *value > 0.0)
            .fold((f64::MAX, f64::MIN_POSITIVE), |range, value| (range.0.min(value), range.1.max(value)));
        let least = least.log10().floor() as i32;
        Self { least, greatest: (greatest.log10().ceil() as i32).max(least + 1), start, end }
    }

    fn at(&self, value: f64) -> f64 {
        let share =
            (value.max(f64::MIN_POSITIVE).log10() - f64::from(self.least)) / f64::from(self.greatest - self.least);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.least..=self.greatest).map(|power| 10_f64.powi(power))
    }
}

fn line(from: (f64, f64), to: (f64, f64)) -> Line {
    let line = Line::new().set("x1", format!("{:.1}", from.0)).set("y1", format!("{:.1}", from.1));
    line.set("x2", format!("{:.1}", to.0)).set("y2", format!("{:.1}", to.1)).set("stroke", GRID)
}

fn rectangle(x: f64, y: f64, width: f64, height: f64, color: &str) -> Rectangle {
    Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height).set("fill", color)
}

fn text(x: f64, y: f64, anchor: &str, text: &str, color: &str) -> Text {
    let text = Text::new(text).set("x", format!("{x:.1}")).set("y", format!("{y:.1}"));
    text.set("text-anchor", anchor).set("dominant-baseline", "central").set("fill", color)
}
