//! Bar charts as SVG.

use svg::{
    Document,
    node::element::{Line, Rectangle, Text, Title},
};

/// The height of a bar and the gap below it.
const BAR: f64 = 20.0;
/// The gap between groups.
const GAP: f64 = 14.0;
/// The left end of the bars, behind the labels of the groups.
const LEFT: f64 = 330.0;
/// The length of the longest bar.
const LENGTH: f64 = 380.0;
const WIDTH: f64 = LEFT + LENGTH + 120.0;
const TOP: f64 = 76.0;

/// One colour for each series: dark enough for white pages, and distinguishable without colours.
const COLORS: [&str; 4] = ["#2563a8", "#7fb0dc", "#9a9a92", "#c98f4a"];

const INK: &str = "#30302c";
const FAINT_INK: &str = "#5c5c55";
const PAPER: &str = "#f4f3ee";

/// Horizontal bars in groups, a bar per series.
///
/// Draws its own background, so it is as readable on a dark page as on a light one.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// The unit of the numbers.
    pub(crate) unit: String,
    /// Decimals of the numbers at the bars.
    pub(crate) decimals: usize,
    pub(crate) series: Vec<String>,
    pub(crate) groups: Vec<Group>,
    /// A value to compare with, drawn as a line.
    pub(crate) mark: Option<f64>,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) label: String,
    /// In the order of the series. `None` if not measured.
    pub(crate) values: Vec<Option<f64>>,
}

impl Chart {
    pub(crate) fn svg(&self) -> String {
        let bars = |group: &Group| group.values.iter().flatten().count() as f64;
        let height = self.groups.iter().map(|group| bars(group) * BAR + GAP).sum::<f64>() + TOP + 8.0;
        let scale = self.scale();
        let mut svg = self.legend(self.page(height));
        // Below the bars and their numbers.
        if let Some(mark) = self.mark {
            let x = length(LEFT + mark * scale);
            let line = Line::new().set("x1", x.clone()).set("x2", x).set("y1", TOP - 6.0).set("y2", height - GAP);
            svg = svg.add(line.set("stroke", INK).set("stroke-dasharray", "4 3"));
        }
        let mut y = TOP;
        for group in &self.groups {
            svg = svg.add(text(LEFT - 10.0, y + bars(group) * BAR / 2.0 + 1.0, "end", &group.label));
            for (value, color) in group.values.iter().zip(COLORS.iter().cycle()) {
                let Some(value) = value else { continue };
                let end = (value * scale).max(1.0);
                svg = svg.add(rectangle(LEFT, y, end, BAR - 4.0, color));
                let shown = format!("{value:.*}", self.decimals);
                // The outline keeps it readable where it crosses the mark.
                let number = text(LEFT + end + 6.0, y + BAR / 2.0 - 1.0, "start", &shown).set("stroke", PAPER);
                svg = svg.add(number.set("stroke-width", 4).set("paint-order", "stroke"));
                y += BAR;
            }
            y += GAP;
        }
        format!("{svg}\n")
    }

    /// Draws the background, the title and the unit.
    fn page(&self, height: f64) -> Document {
        Document::new()
            .set("viewBox", (0, 0, WIDTH, height))
            .set("width", WIDTH)
            .set("height", height)
            .set("role", "img")
            .set("font-family", "system-ui, sans-serif")
            .set("font-size", 13)
            .set("fill", INK)
            .add(Title::new(self.title.as_str()))
            .add(rectangle(0.0, 0.0, WIDTH, height, PAPER).set("rx", 6))
            .add(text(16.0, 22.0, "start", &self.title).set("font-size", 15).set("font-weight", 600))
            .add(text(WIDTH - 16.0, 22.0, "end", &self.unit).set("fill", FAINT_INK))
    }

    fn legend(&self, mut svg: Document) -> Document {
        let mut x = 16.0;
        for (series, color) in self.series.iter().zip(COLORS.iter().cycle()) {
            svg = svg.add(rectangle(x, 42.0, 12.0, 12.0, color)).add(text(x + 18.0, 48.0, "start", series));
            // Letters are about half as wide as they are high.
            x += 18.0 + 7.0 * series.chars().count() as f64 + 24.0;
        }
        svg
    }

    /// Returns the length of a bar for the value 1.
    fn scale(&self) -> f64 {
        let values = self.groups.iter().flat_map(|group| group.values.iter().flatten()).copied();
        let greatest = values.chain(self.mark).fold(0.0, f64::max);
        if greatest > 0.0 { LENGTH / greatest } else { 0.0 }
    }
}

fn rectangle(x: f64, y: f64, width: f64, height: f64, color: &str) -> Rectangle {
    let rectangle = Rectangle::new().set("x", length(x)).set("y", length(y)).set("fill", color);
    rectangle.set("width", length(width)).set("height", length(height))
}

fn text(x: f64, y: f64, anchor: &str, text: &str) -> Text {
    let text = Text::new(text).set("x", length(x)).set("y", length(y));
    text.set("text-anchor", anchor).set("dominant-baseline", "central")
}

/// A tenth of a pixel is the smallest visible difference.
fn length(pixels: f64) -> String {
    format!("{pixels:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: Vec<Option<f64>>) -> Chart {
        Chart {
            title: "Cost & <more>".into(),
            unit: "us".into(),
            decimals: 2,
            series: vec!["a".into(), "b".into()],
            groups: vec![Group { label: "RPC".into(), values }],
            mark: Some(1.0),
        }
    }

    fn count(svg: &str, what: &str) -> usize {
        svg.matches(what).count()
    }

    #[test]
    fn a_bar_for_each_value() {
        let svg = chart(vec![Some(2.0), Some(0.5)]).svg();
        // The background, two in the legend, two bars.
        assert_eq!(count(&svg, "<rect"), 5);
        assert!(svg.contains(&format!(r#"width="{LENGTH:.1}""#)), "the largest value has the full length: {svg}");
        assert!(svg.contains(&format!(r#"width="{:.1}""#, LENGTH / 4.0)), "{svg}");
        assert!(svg.contains("2.00") && svg.contains("0.50"));
        assert_eq!(count(&svg, "<line"), 1);
    }

    #[test]
    fn missing_values_have_no_bar() {
        assert_eq!(count(&chart(vec![None, Some(1.0)]).svg(), "<rect"), 4);
        assert_eq!(count(&chart(vec![Some(0.0)]).svg(), "<rect"), 4);
        let empty = Chart { mark: None, groups: Vec::new(), ..chart(Vec::new()) };
        assert!(empty.svg().ends_with("</svg>\n"));
    }

    #[test]
    fn texts_are_escaped() {
        let svg = chart(vec![Some(1.0)]).svg();
        assert!(svg.contains("Cost &amp; &lt;more&gt;") && !svg.contains("<more>"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
