//! What is shown: a block of status lines that stays in place in a terminal, plain lines for changes otherwise.

use std::io::{self, Write as _};

use crate::platform::terminal_width;

/// How a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Waiting,
    Bad,
}

/// The status line of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) part: String,
    pub(super) mood: Mood,
    /// One or a few words. A change of it is news.
    pub(super) state: String,
    /// Figures, which change all the time.
    pub(super) details: String,
}

/// Standard output.
#[derive(Debug)]
pub(super) struct Screen {
    live: bool,
    /// The block as it was drawn last.
    drawn: Vec<String>,
    /// The states that plain lines have told.
    told: Vec<(String, String)>,
}

impl Screen {
    pub(super) fn new(live: bool) -> Self {
        Self { live, drawn: Vec::new(), told: Vec::new() }
    }

    /// Shows the lines as they are now, with `footer` below them in a terminal.
    pub(super) fn show(&mut self, lines: &[Line], footer: &str) {
        if self.live {
            let width = terminal_width().saturating_sub(1);
            let mut block = vec![String::new()];
            block.extend(lines.iter().map(|line| colored(line, width)));
            block.push(format!("\x1b[2m{}\x1b[0m", cut(footer, width)));
            self.redraw(block);
            return;
        }
        for line in lines {
            let before = self.told.iter_mut().find(|(part, _)| *part == line.part);
            match before {
                Some((_, state)) if *state == line.state => continue,
                Some((_, state)) => state.clone_from(&line.state),
                None => self.told.push((line.part.clone(), line.state.clone())),
            }
            write(&format!("{}: {}\n", line.part, line.state));
        }
    }

    /// Tells all figures once.
    pub(super) fn tell_all(&mut self, lines: &[Line]) {
        let text: Vec<_> = lines.iter().map(plain).collect();
        self.say(&text.join("\n"));
    }

    /// Tells something that stays, above the block.
    pub(super) fn say(&mut self, text: &str) {
        let block = std::mem::take(&mut self.drawn);
        write(&format!("{}{text}\n", clear(&block)));
        if !block.is_empty() {
            self.redraw(block);
        }
    }

    /// Leaves the block as it is.
    pub(super) fn end(&mut self) {
        self.drawn.clear();
    }

    fn redraw(&mut self, block: Vec<String>) {
        if block == self.drawn {
            return;
        }
        write(&format!("{}{}\n", clear(&self.drawn), block.join("\n")));
        self.drawn = block;
    }
}

/// Moves above a block and clears it.
fn clear(block: &[String]) -> String {
    if block.is_empty() { String::new() } else { format!("\x1b[{}A\x1b[0J", block.len()) }
}

/// Without a reader, the program goes on.
fn write(text: &str) {
    let mut output = io::stdout().lock();
    _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

fn plain(line: &Line) -> String {
    let Line { part, state, details, .. } = line;
    if details.is_empty() { format!("{part}: {state}") } else { format!("{part}: {state}, {details}") }
}

fn colored(line: &Line, width: usize) -> String {
    let color = match line.mood {
        Mood::Good => 32,
        Mood::Waiting => 33,
        Mood::Bad => 31,
    };
    let text = format!("{:<9} {:<13} {}", line.part, line.state, line.details);
    format!("\x1b[{color}m●\x1b[0m {}", cut(text.trim_end(), width.saturating_sub(2)))
}

/// Shortens a text, so that a line of the terminal is one line.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: &str) -> Line {
        Line { part: "node 1".into(), mood: Mood::Good, state: state.into(), details: "2 connections".into() }
    }

    #[test]
    fn lines_are_cut_to_the_terminal() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("abc", 0), "…");
        let text = colored(&line("healthy"), 20);
        assert_eq!(text, "\x1b[32m●\x1b[0m node 1    healthy…");
    }

    #[test]
    fn figures_are_told_behind_the_state() {
        assert_eq!(plain(&line("healthy")), "node 1: healthy, 2 connections");
    }

    #[test]
    fn a_block_is_cleared_line_by_line() {
        assert_eq!(clear(&[]), "");
        assert_eq!(clear(&["a".into(), "b".into()]), "\x1b[2A\x1b[0J");
    }
}
