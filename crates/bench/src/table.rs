//! Tables in Markdown, which are also read in a terminal.

use std::fmt;

/// A table. All columns but the first contain numbers by default.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many columns contain text.
    words: usize,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N], words: usize) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new(), words }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().chain([&self.head]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<_> = (0..self.head.len()).map(|column| self.width(column)).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            for (column, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                if column < self.words { write!(f, "| {cell:<width$} ")? } else { write!(f, "| {cell:>width$} ")? }
            }
            writeln!(f, "|")
        };
        line(f, &self.head)?;
        for (column, width) in widths.iter().enumerate() {
            let dashes = "-".repeat(width + 1);
            if column < self.words { write!(f, "|{dashes}-")? } else { write!(f, "|{dashes}:")? }
        }
        writeln!(f, "|")?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// Formats a number with this many decimals, or a dash if there is none.
pub(crate) fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| grouped(&format!("{value:.decimals$}")))
}

/// Formats bytes as mebibytes.
pub(crate) fn mib(bytes: Option<f64>) -> String {
    number(bytes.map(|bytes| bytes / 1024.0 / 1024.0), 1)
}

/// Inserts narrow spaces between thousands.
fn grouped(number: &str) -> String {
    let digits = number.find('.').unwrap_or(number.len());
    let (whole, rest) = number.split_at(digits);
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && whole.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out + rest
}

/// Formats nanoseconds in a suitable unit.
pub(crate) fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["what", "µs"], 1);
        table.row(vec!["a".into(), number(Some(1.5), 2)]);
        table.row(vec!["longer".into(), number(None, 2)]);
        assert_eq!(table.to_string(), "| what   |   µs |\n|--------|-----:|\n| a      | 1.50 |\n| longer |    – |\n");
    }

    #[test]
    fn numbers() {
        assert_eq!(number(Some(1234.0), 0), "1234");
        assert_eq!(number(Some(1_234_567.0), 0), "1\u{202f}234\u{202f}567");
        assert_eq!(number(Some(12_345.67), 1), "12\u{202f}345.7");
        assert_eq!(mib(Some(1024.0 * 1024.0 * 1.5)), "1.5");
        assert_eq!(time(12.34), "12.3 ns");
        assert_eq!(time(12_345.0), "12.35 µs");
        assert_eq!(time(12_345_678.0), "12.35 ms");
    }
}
