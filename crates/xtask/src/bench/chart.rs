//! Bar charts as SVG.

use std::fmt::Write as _;

/// Of a bar, with the gap below it.
const BAR: f64 = 20.0;
/// Between groups.
const GAP: f64 = 14.0;
/// Where the bars begin: the labels of the groups stand before.
const LEFT: f64 = 330.0;
/// How long the longest bar is.
const LENGTH: f64 = 380.0;
const WIDTH: f64 = LEFT + LENGTH + 120.0;
const TOP: f64 = 76.0;

/// One for each series: dark enough for white pages, and told apart without colours, too.
const COLORS: [&str; 3] = ["#2563a8", "#7fb0dc", "#9a9a92"];

/// Keeps letters readable where a line crosses them.
const OVER_LINES: &str = r##" stroke="#f4f3ee" stroke-width="4" paint-order="stroke""##;

/// Horizontal bars in groups, a bar per series.
///
/// It brings its own background, so it is as readable on a dark page as on a light one.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What the numbers are.
    pub(super) unit: String,
    /// Of the numbers at the bars.
    pub(super) decimals: usize,
    pub(super) series: Vec<String>,
    pub(super) groups: Vec<Group>,
    /// A value to compare with, drawn as a line.
    pub(super) mark: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) label: String,
    /// In the order of the series; those that were not measured are left out.
    pub(super) values: Vec<Option<f64>>,
}

impl Chart {
    pub(super) fn svg(&self) -> String {
        let bars = |group: &Group| group.values.iter().flatten().count() as f64;
        let height = self.groups.iter().map(|group| bars(group) * BAR + GAP).sum::<f64>() + TOP + 8.0;
        let mut svg = String::new();
        self.open(&mut svg, height);
        let scale = self.scale();
        // Below the bars and their numbers.
        if let Some(mark) = self.mark {
            let x = LEFT + mark * scale;
            _ = writeln!(
                svg,
                r##"<line x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{:.1}" stroke="#30302c" stroke-dasharray="4 3"/>"##,
                TOP - 6.0,
                height - GAP
            );
        }
        let mut y = TOP;
        for group in &self.groups {
            let middle = y + bars(group) * BAR / 2.0 + 1.0;
            text(&mut svg, LEFT - 10.0, middle, "end", "", &group.label);
            for (place, value) in group.values.iter().enumerate() {
                let Some(value) = value else { continue };
                let length = (value * scale).max(1.0);
                let color = COLORS[place % COLORS.len()];
                _ = writeln!(
                    svg,
                    r#"<rect x="{LEFT}" y="{y:.1}" width="{length:.1}" height="{:.1}" fill="{color}"/>"#,
                    BAR - 4.0
                );
                let shown = format!("{value:.*}", self.decimals);
                text(&mut svg, LEFT + length + 6.0, y + BAR / 2.0 - 1.0, "start", OVER_LINES, &shown);
                y += BAR;
            }
            y += GAP;
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The background, the title and the legend.
    fn open(&self, svg: &mut String, height: f64) {
        let title = escaped(&self.title);
        _ = writeln!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" width="{WIDTH}" height="{height:.0}" role="img" aria-label="{title}" font-family="system-ui, sans-serif" font-size="13" fill="#30302c">
<title>{title}</title>
<rect width="100%" height="100%" rx="6" fill="#f4f3ee"/>"##
        );
        text(svg, 16.0, 22.0, "start", r#" font-size="15" font-weight="600""#, &self.title);
        text(svg, WIDTH - 16.0, 22.0, "end", r##" fill="#5c5c55""##, &self.unit);
        let mut x = 16.0;
        for (place, series) in self.series.iter().enumerate() {
            let color = COLORS[place % COLORS.len()];
            _ = writeln!(svg, r#"<rect x="{x:.1}" y="42" width="12" height="12" fill="{color}"/>"#);
            text(svg, x + 18.0, 48.0, "start", "", series);
            // Letters are about half as wide as they are high.
            x += 18.0 + 7.0 * series.chars().count() as f64 + 24.0;
        }
    }

    /// How long a bar of 1 is.
    fn scale(&self) -> f64 {
        let values = self.groups.iter().flat_map(|group| group.values.iter().flatten()).copied();
        let greatest = values.chain(self.mark).fold(0.0, f64::max);
        if greatest > 0.0 { LENGTH / greatest } else { 0.0 }
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, attributes: &str, text: &str) {
    let text = escaped(text);
    _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" dominant-baseline="central"{attributes}>{text}</text>"#
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
        assert!(svg.contains(&format!(r#"width="{LENGTH:.1}""#)), "the greatest is as long as can be: {svg}");
        assert!(svg.contains(&format!(r#"width="{:.1}""#, LENGTH / 4.0)), "{svg}");
        assert!(svg.contains(">2.00</text>") && svg.contains(">0.50</text>"));
        assert_eq!(count(&svg, "<line"), 1);
    }

    #[test]
    fn what_was_not_measured_has_no_bar() {
        assert_eq!(count(&chart(vec![None, Some(1.0)]).svg(), "<rect"), 4);
        assert_eq!(count(&chart(vec![Some(0.0)]).svg(), "<rect"), 4);
        let empty = Chart { mark: None, groups: Vec::new(), ..chart(Vec::new()) };
        assert!(empty.svg().ends_with("</svg>\n"));
    }

    #[test]
    fn it_is_well_formed() {
        let svg = chart(vec![Some(1.0)]).svg();
        assert!(svg.contains("Cost &amp; &lt;more&gt;") && !svg.contains("<more>"));
        for element in ["svg", "text", "title"] {
            assert_eq!(count(&svg, &format!("<{element}")), count(&svg, &format!("</{element}>")), "{element}");
        }
        // Attribute values are quoted, so there is an even number of quotes.
        assert_eq!(count(&svg, "\"") % 2, 0);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
